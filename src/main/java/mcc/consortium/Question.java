package mcc.consortium;

import mcc.core.Id;

/**
 * Who wants what of whom, and when.
 *
 * @param port what a connection goes to; {@link Port#NONE} where the action has none
 * @param epochMs wall clock, milliseconds since 1970
 */
public record Question(Subject subject, Action action, Thing thing, Port port, long epochMs) {
    /** About an action that has no port. */
    public Question(Subject subject, Action action, Thing thing, long epochMs) {
        this(subject, action, thing, Port.NONE, epochMs);
    }

    /** What the action is done to. */
    public sealed interface Thing {
        /** Whose it is: an organisation, or {@link Policy#OPEN}. */
        String org();

        /** A service by its name. */
        record Service(String org, String name) implements Thing {}

        /** A node itself. */
        record Node(String org, Id id) implements Thing {}
    }

    /**
     * A port of a protocol.
     *
     * @param protocol the number by which IP knows it: {@link #TCP}, {@link #UDP}
     * @param number 0 to 65,535
     */
    public record Port(int protocol, int number) {
        /** TCP among the protocols of IP. */
        public static final int TCP = 6;
        /** UDP among them. */
        public static final int UDP = 17;
        /** No port at all: only a grant for every port covers it. */
        public static final Port NONE = new Port(0, 0);
    }
}
