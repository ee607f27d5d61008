package mcc.portmap;

/**
 * The count of seconds in a gateway's answers since it lost its mappings: that it lags behind this host's clock, or jumps, tells
 * that they are lost (RFC 6887 section 8.5; RFC 6886 section 3.6 says nearly the same).
 */
final class Epoch {
    private static final long SECOND_NS = 1_000_000_000L;

    private boolean known;
    private long nowS;
    private long epochS;

    /** Takes what an answer says; returns whether the gateway has lost its state since the last one. */
    boolean isNew(long nowNs, long said) {
        long now = nowNs / SECOND_NS;
        boolean lost = false;
        if (known) {
            long here = now - nowS;
            long there = said - epochS;
            lost = said + 1 < epochS || here + 2 < there - there / 16 || there + 2 < here - here / 16;
        }
        known = true;
        nowS = now;
        epochS = said;
        return lost;
    }

    void forget() {
        known = false;
    }
}
