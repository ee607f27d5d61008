package mcc.congestion;

/**
 * How fast a probe raises the bound of the flight: by one packet in its first round, and by twice as many in each further one.
 */
final class Climb {
    private int rounds;
    private long ackedBytes;
    private long ackedPerPacketBytes;

    /** Prepares a probe; {@link #steepen} begins its first round. */
    void begin() {
        rounds = 0;
        ackedBytes = 0;
    }

    /** Begins the next round. */
    void steepen(long windowBytes, int packetBytes) {
        ackedPerPacketBytes = Math.max(windowBytes >> rounds, packetBytes);
        rounds = Math.min(rounds + 1, 30);
    }

    /** Returns by how many packets the bound grows for the bytes acknowledged. */
    long packets(long bytes) {
        ackedBytes += bytes;
        long packets = ackedBytes / ackedPerPacketBytes;
        ackedBytes -= packets * ackedPerPacketBytes;
        return packets;
    }
}
