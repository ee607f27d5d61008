package mcc.congestion;

/** How fast a probe raises the bound of the flight: by a packet in its first round, by twice as many in each further one. */
final class Climb {
    private int rounds;
    private long ackedBytes;
    private long ackedPerPacketBytes;

    /** A probe is to begin; {@link #steepen} begins its first round. */
    void begin() {
        rounds = 0;
        ackedBytes = 0;
    }

    /** The next round begins. */
    void steepen(long windowBytes, int packetBytes) {
        ackedPerPacketBytes = Math.max(windowBytes >> rounds, packetBytes);
        rounds = Math.min(rounds + 1, 30);
    }

    /** By how many packets the bound grows for what was acknowledged. */
    long packets(long bytes) {
        ackedBytes += bytes;
        long packets = ackedBytes / ackedPerPacketBytes;
        ackedBytes -= packets * ackedPerPacketBytes;
        return packets;
    }
}
