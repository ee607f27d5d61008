package mcc.wire;

import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/**
 * How the ports of a node's IPv4 NAT are given out, and at which ports it will be seen.
 *
 * @param expected the address where a new mapping is expected, or the first of {@code count} in a row; null for none
 * @param count 0 to {@link #COUNT_MAX}
 */
public record Outside(Allocation allocation, @Nullable Address expected, int count) {
    /** All ports. */
    public static final int COUNT_MAX = 65_536;

    /** Nothing is known. */
    public static final Outside UNKNOWN = new Outside(Allocation.UNKNOWN, null, 0);

    /** How ports are given out to new mappings. */
    public enum Allocation {
        UNKNOWN(0),
        /** All destinations share one mapping, or nothing is translated. */
        SHARED(1),
        /** Each destination has another, one after the other. */
        SEQUENTIAL(2),
        /** Each has another, within a block. */
        BLOCK(3),
        /** Each has another, anywhere. */
        RANDOM(4),
        /** Each has another: the port of the socket, where it is free. */
        PRESERVING(5);

        private final int code;

        Allocation(int code) {
            this.code = code;
        }

        /** Whether an address that one peer sees is the one that all see. */
        public boolean isPredictable() {
            return this == SHARED || this == UNKNOWN;
        }
    }

    /** Refuses what is no range of ports of an IPv4 address. */
    public Outside {
        boolean none = expected == null && count == 0;
        boolean range = expected != null && expected.isV4() && count >= 1 && expected.port() + count <= COUNT_MAX;
        if (!none && !range) throw new IllegalArgumentException("no range of ports");
    }

    /** The same without expected ports. */
    public static Outside of(Allocation allocation) {
        return new Outside(allocation, null, 0);
    }

    mcc.wire.pb.Outside proto() {
        var out =
                mcc.wire.pb.Outside.newBuilder().setAllocation(allocation.code).setCount(count);
        if (expected != null) out.setExpected(Handshakes.endpoint(expected));
        return out.build();
    }

    /** Reads what a peer says; what makes no sense is not known. */
    static Outside of(mcc.wire.pb.Outside pb) {
        Allocation allocation = Allocation.UNKNOWN;
        for (Allocation each : Allocation.values()) if (each.code == pb.getAllocation()) allocation = each;
        Address expected = pb.hasExpected() ? Handshakes.address(pb.getExpected()) : null;
        int count = pb.getCount();
        boolean range = expected != null && expected.isV4() && count >= 1 && count <= COUNT_MAX - expected.port();
        return range ? new Outside(allocation, expected, count) : of(allocation);
    }
}
