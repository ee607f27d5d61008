package mcc.consortium;

import mcc.core.Id;

/**
 * Who wants to do what to which thing, and when.
 *
 * @param port of the connection; {@link Port#NONE} if the action has none
 * @param epochMs wall clock, milliseconds since 1970
 */
public record Question(Subject subject, Action action, Thing thing, Port port, long epochMs) {
    /** For an action without a port. */
    public Question(Subject subject, Action action, Thing thing, long epochMs) {
        this(subject, action, thing, Port.NONE, epochMs);
    }

    /** The thing that the action is done to. */
    public sealed interface Thing {
        /** Its owner: an organisation, or {@link Policy#OPEN}. */
        String org();

        /** A service by its name. */
        record Service(String org, String name) implements Thing {}

        /** A node itself. */
        record Node(String org, Id id) implements Thing {}
    }

    /**
     * A port of a protocol.
     *
     * @param protocol the IP protocol number: {@link #TCP}, {@link #UDP}
     * @param number 0 to 65,535
     */
    public record Port(int protocol, int number) {
        /** The IP protocol number of TCP. */
        public static final int TCP = 6;
        /** The IP protocol number of UDP. */
        public static final int UDP = 17;
        /** No port: only a grant for all ports covers it. */
        public static final Port NONE = new Port(0, 0);
    }
}
