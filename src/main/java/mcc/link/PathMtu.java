package mcc.link;

import mcc.core.Core;

/**
 * The longest datagram that a path carries, in bytes of UDP payload, found by probing (RFC 8899). Pure; the caller sends what
 * {@link #next} tells.
 *
 * <p>Streams use {@link #proven}: {@link #BASE} until a probe was answered. Packets of the virtual interface are assumed
 * to fit until the first round says otherwise ({@link #believed}). The first round probes the size that the interface
 * needs and all sizes above it. On a path in use the size is confirmed every second, and at once when streams get no more
 * acknowledgements ({@link #suspect}): four probes, 300 ms apart. If none is answered while the peer is heard, the path has
 * become a black hole for that size: it falls back to {@link #BASE} at once, and all sizes of a ladder are probed together, of
 * which the largest that is answered wins (section 4.4: any search will do). A path below the top is probed for more every ten
 * minutes, one at the base every minute. When the peer is not heard at all, nothing is concluded. Probes carry no data, so
 * their loss is not taken for congestion (section 4.4).
 */
final class PathMtu {
    /** What every path is assumed to carry: it fits IPv6's least MTU, 1,280 bytes (RFC 9000 section 14). */
    static final int BASE = 1_200;
    /** The longest packet of the interface, 1,420 bytes, with header and tag. */
    static final int INNER = 1_449;
    /** Four of these fill a super-packet of 65,507 bytes; the loopback interface and some clusters carry them. */
    static final int TOP = 16_376;

    static final long AGAIN_NS = 300_000_000L;
    static final int TRIES = 4;
    static final long CONFIRM_NS = 1_000_000_000L;
    static final long RAISE_NS = 600_000_000_000L;
    static final long RAISE_FROM_BASE_NS = 60_000_000_000L;

    /**
     * 1,309 is what an inner IPv6 packet of 1,280 bytes needs; 1,392 and 1,432 suit IPv4 over tunnels and PPPoE; 1,452 and
     * 1,472 fill Ethernet's 1,500 bytes by IPv6 and IPv4, 8,952 and 8,972 its jumbo frames.
     */
    private static final int[] LADDER = {
        1_232, 1_309, 1_352, 1_392, 1_412, 1_432, INNER, 1_452, 1_472, 8_952, 8_972, TOP
    };

    private static final int FIRST = 6;

    private int rung = FIRST;
    private boolean proven;
    private boolean suspected;
    private int best;
    private int lowest;
    private int highest;
    private int sending;
    private int tries;
    private long token;
    private long beganNs;
    private long againNs = Core.NEVER;
    private long confirmNs = Long.MIN_VALUE;
    private long raiseNs = Long.MIN_VALUE;

    /** The longest datagram that was seen to arrive, and is not in doubt. */
    int proven() {
        return proven && !suspected ? believed() : BASE;
    }

    /** The longest datagram that the path may carry, as far as is known. */
    int believed() {
        return rung < 0 ? BASE : LADDER[rung];
    }

    /** Returns whether a path that is in use should be probed now. */
    boolean isDue(long nowNs) {
        return nowNs >= confirmNs;
    }

    /** When the next try is due; {@link Core#NEVER} between rounds. */
    long deadlineNs() {
        return againNs;
    }

    /** Begins a round. Its probes have the tokens {@code random} and those after it. */
    void begin(long nowNs, long random) {
        boolean all = rung < 0 || nowNs >= raiseNs;
        round(nowNs, random, Math.max(rung, 0), all ? LADDER.length - 1 : rung);
    }

    /** Long datagrams may no longer arrive: begins a round, unless one is under way; returns whether it did. */
    boolean suspect(long nowNs, long random) {
        if (tries > 0 || !proven) return false;
        suspected = true;
        round(nowNs, random, rung, rung);
        return true;
    }

    private void round(long nowNs, long random, int lowest, int highest) {
        this.lowest = lowest;
        this.highest = highest;
        token = random;
        best = -1;
        tries = 1;
        sending = lowest;
        beganNs = nowNs;
        againNs = nowNs + AGAIN_NS;
        confirmNs = Core.NEVER;
    }

    /** The size of the next probe to be sent now; 0 when all were sent. */
    int next() {
        while (tries > 0 && sending <= highest) {
            int size = LADDER[sending++];
            if (sending - 1 > best) return size;
        }
        return 0;
    }

    /** The token of the probe that {@link #next} returned last. */
    long token() {
        return token + sending - 1;
    }

    /** A probe was answered. */
    void answered(long nowNs, long value) {
        long answered = value - token;
        if (tries == 0 || answered < lowest || answered > highest) return;
        best = Math.max(best, (int) answered);
        if (best >= rung) {
            rung = best;
            proven = true;
            suspected = false;
        }
        if (best == highest) end(nowNs);
    }

    /**
     * Continues a round once the time of a try is over.
     *
     * @param heardNs when the peer was last heard
     * @return whether the path turned out to be a black hole
     */
    boolean tick(long nowNs, long heardNs, long random) {
        if (againNs > nowNs) return false;
        if (tries < TRIES) {
            tries++;
            sending = lowest;
            againNs = nowNs + AGAIN_NS;
            return false;
        }
        boolean silent = heardNs < beganNs;
        if (best >= 0 || rung < 0 || silent) {
            end(nowNs);
            return false;
        }
        rung = -1;
        proven = false;
        suspected = false;
        round(nowNs, random, 0, LADDER.length - 1);
        return true;
    }

    private void end(long nowNs) {
        tries = 0;
        suspected = false;
        againNs = Core.NEVER;
        confirmNs = nowNs + CONFIRM_NS;
        if (highest == LADDER.length - 1) raiseNs = nowNs + (rung < 0 ? RAISE_FROM_BASE_NS : RAISE_NS);
        if (rung < 0) confirmNs = raiseNs;
    }
}
