package mcc.consortium;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import mcc.core.Id;

/**
 * What an owner allows. A grant never forbids anything.
 *
 * @param grantor the owner: an organisation, or {@link Policy#OPEN}; the grant covers only its things
 * @param what the things it covers
 * @param to the subjects it is for
 * @param actions the actions it allows; at least one
 * @param ports the ports it allows; empty for all
 * @param fromMs its beginning, milliseconds since 1970
 * @param untilMs its end, exclusive; {@link Long#MAX_VALUE} for never
 * @param hops how often it may be delegated, 0 to {@value #HOPS_MAX}
 * @param seq distinguishes versions: of two that cover a question equally, the higher one is the answer
 */
public record Grant(
        String grantor,
        What what,
        Whom to,
        Set<Action> actions,
        List<Ports> ports,
        long fromMs,
        long untilMs,
        int hops,
        long seq) {
    /** How often a right may be delegated at most. */
    public static final int HOPS_MAX = 4;

    /** Most ranges of ports in one grant. */
    public static final int PORTS_MAX = 64;

    /** Which things of the grantor it covers. */
    public sealed interface What {
        /** All its services. */
        record Services() implements What {}

        /** One service by name. */
        record Service(String name) implements What {}

        /** All its nodes. */
        record Nodes() implements What {}

        /** One node. */
        record Node(Id id) implements What {}
    }

    /** Which subjects it is for. */
    public sealed interface Whom {
        /** Everyone. */
        record Anyone() implements Whom {}

        /** The nodes of one organisation. */
        record Members(String org) implements Whom {}

        /** One node. */
        record Node(Id id) implements Whom {}
    }

    /**
     * A range of ports.
     *
     * @param protocol as in {@link Question.Port}; 0 for any
     * @param from the lowest
     * @param to the highest, inclusive
     */
    public record Ports(int protocol, int from, int to) {
        /** Refuses an invalid range. */
        public Ports {
            boolean sound = protocol >= 0 && protocol <= 255 && from >= 0 && from <= to && to <= 65_535;
            if (!sound) throw new IllegalArgumentException("no range of ports: " + protocol + " " + from + "-" + to);
        }

        boolean covers(Question.Port port) {
            if (port.equals(Question.Port.NONE)) return false;
            return (protocol == 0 || protocol == port.protocol()) && from <= port.number() && port.number() <= to;
        }
    }

    /** Copies the collections; refuses a grant that could never allow anything. */
    public Grant {
        actions = Collections.unmodifiableSortedSet(new TreeSet<>(actions));
        ports = List.copyOf(ports);
        if (actions.isEmpty()) throw new IllegalArgumentException("a grant without actions");
        if (ports.size() > PORTS_MAX) throw new IllegalArgumentException("more than " + PORTS_MAX + " ranges of ports");
        if (fromMs >= untilMs) throw new IllegalArgumentException("a grant that ends before it begins");
        if (hops < 0 || hops > HOPS_MAX) throw new IllegalArgumentException("a grant has 0 to " + HOPS_MAX + " hops");
    }

    /** A grant without limits of time or ports, which cannot be delegated. */
    public static Grant of(String grantor, What what, Whom to, Set<Action> actions) {
        return new Grant(grantor, what, to, actions, List.of(), 0, Long.MAX_VALUE, 0, 0);
    }

    boolean covers(Question.Thing thing) {
        if (!thing.org().equals(grantor)) return false;
        return switch (thing) {
            case Question.Thing.Service s ->
                what instanceof What.Services || what instanceof What.Service one && one.name.equals(s.name());
            case Question.Thing.Node n ->
                what instanceof What.Nodes || what instanceof What.Node one && one.id.equals(n.id());
        };
    }

    boolean isFor(Subject subject) {
        return switch (to) {
            case Whom.Anyone _ -> true;
            case Whom.Members m -> !m.org.equals(Policy.OPEN) && m.org.equals(subject.org());
            case Whom.Node n -> n.id.equals(subject.node());
        };
    }

    boolean covers(Question.Port port) {
        if (ports.isEmpty()) return true;
        for (Ports range : ports) if (range.covers(port)) return true;
        return false;
    }
}
