package mcc.sim;

/**
 * How a NAT behaves, in the words of RFC 4787.
 *
 * @param mapping for which destinations a mapping is used again, section 4.1
 * @param filtering whose packets pass from outside, section 5
 * @param ports how the port of a new mapping is chosen, section 4.2
 * @param hairpinning whether its hosts reach one another by their outside addresses, section 6
 * @param takesStrays whether a packet that no mapping admits is taken by the NAT's own host, as on a Linux router with an open
 *     input chain: it then counts as a flow of that host for {@code idleNs}, and keeps its two ends from being mapped
 * @param idleNs after how long without a packet from inside a mapping ends, section 4.3
 * @param ageNs after how long a mapping ends although it is in use; {@link Long#MAX_VALUE} for never
 * @param addresses how many outside addresses it has
 * @param paired whether each inside host keeps to one of them; else each mapping has any of them, section 4.1
 * @param mappingsMax how many mappings it has room for; a new one beyond that gets nothing
 */
public record NatBehavior(
        Scope mapping,
        Scope filtering,
        Ports ports,
        boolean hairpinning,
        boolean takesStrays,
        long idleNs,
        long ageNs,
        int addresses,
        boolean paired,
        int mappingsMax) {
    /** Which part of the other end counts. */
    public enum Scope {
        /** None: any other end will do. */
        ENDPOINT_INDEPENDENT,
        /** Its IP address. */
        ADDRESS_DEPENDENT,
        /** Its IP address and port. */
        ADDRESS_AND_PORT_DEPENDENT
    }

    /** How ports are given out. */
    public enum Ports {
        /** The inside port where it is free, else a random one. */
        PRESERVED,
        /** One after the other. */
        SEQUENTIAL,
        /** Random ones of a block of {@link NatBox#BLOCK} that belongs to the inside host. */
        BLOCK,
        /** Random ones. */
        RANDOM
    }

    /** Refuses what no NAT can do. */
    public NatBehavior {
        if (idleNs <= 0 || ageNs <= 0) throw new IllegalArgumentException("mappings last longer than no time");
        if (addresses < 1 || addresses > 250)
            throw new IllegalArgumentException("a NAT has 1 to 250 outside addresses");
        if (mappingsMax < 1) throw new IllegalArgumentException("a NAT has room for at least one mapping");
    }

    private static final long SECOND_NS = 1_000_000_000L;
    private static final int MAPPINGS_MAX = 65_536;

    /** A NAT of these classes, otherwise as Linux has it: mappings of two minutes, one address, no hairpinning. */
    public static NatBehavior of(Scope mapping, Scope filtering, Ports ports) {
        return new NatBehavior(
                mapping, filtering, ports, false, false, 120 * SECOND_NS, Long.MAX_VALUE, 1, true, MAPPINGS_MAX);
    }

    /** The same with another life of its mappings. */
    public NatBehavior lasting(long idleNs, long ageNs) {
        return new NatBehavior(
                mapping, filtering, ports, hairpinning, takesStrays, idleNs, ageNs, addresses, paired, mappingsMax);
    }

    /** The same with hairpinning. */
    public NatBehavior withHairpinning() {
        return new NatBehavior(
                mapping, filtering, ports, true, takesStrays, idleNs, ageNs, addresses, paired, mappingsMax);
    }

    /** The same whose own host takes what no mapping admits. */
    public NatBehavior takingStrays() {
        return new NatBehavior(
                mapping, filtering, ports, hairpinning, true, idleNs, ageNs, addresses, paired, mappingsMax);
    }

    /** The same with so many outside addresses. */
    public NatBehavior withAddresses(int count, boolean isPaired) {
        return new NatBehavior(
                mapping, filtering, ports, hairpinning, takesStrays, idleNs, ageNs, count, isPaired, mappingsMax);
    }

    /** The same with so little room. */
    public NatBehavior withRoomFor(int mappings) {
        return new NatBehavior(
                mapping, filtering, ports, hairpinning, takesStrays, idleNs, ageNs, addresses, paired, mappings);
    }
}
