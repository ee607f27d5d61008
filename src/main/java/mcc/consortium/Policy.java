package mcc.consortium;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import mcc.core.Bytes;
import mcc.crypto.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may do what, by grants only: what no grant allows is denied. Immutable, so one object serves all threads of a
 * node.
 */
public final class Policy {
    /** Stands for the organisation of nodes that have none. */
    public static final String OPEN = "open";

    /** Most grants. */
    public static final int GRANTS_MAX = 4_096;

    /** In an open network everybody may use what has no organisation, except the ports of other nodes' hosts. */
    private static final List<Grant> OPEN_NETWORK = List.of(
            Grant.of(OPEN, new Grant.What.Services(), new Grant.Whom.Anyone(), EnumSet.of(Action.SEE, Action.USE)),
            Grant.of(
                    OPEN,
                    new Grant.What.Nodes(),
                    new Grant.Whom.Anyone(),
                    EnumSet.of(Action.RELAY, Action.STORE, Action.SIGNAL, Action.MEASURE)));

    private final List<Grant> grants;

    /**
     * Decides by these grants only.
     *
     * @param grants at most {@value #GRANTS_MAX}; their order does not matter
     */
    public Policy(List<Grant> grants) {
        if (grants.size() > GRANTS_MAX) throw new IllegalArgumentException("more than " + GRANTS_MAX + " grants");
        this.grants = List.copyOf(grants);
    }

    /** The policy of an open network. */
    public static Policy open() {
        return new Policy(OPEN_NETWORK);
    }

    /** This policy with more grants. */
    public Policy and(List<Grant> more) {
        List<Grant> all = new ArrayList<>(grants);
        all.addAll(more);
        return new Policy(all);
    }

    /** Decides, without side effects. If several grants allow the action, the one that lasts longest is the answer. */
    public Decision decide(Question question) {
        Grant best = null;
        Decision.Reason nearest = Decision.Reason.NOTHING_GRANTED;
        for (Grant grant : grants) {
            Decision.Reason lack = lack(grant, question);
            if (lack == null) {
                if (best == null || outlasts(grant, best)) best = grant;
            } else if (lack.compareTo(nearest) > 0) {
                nearest = lack;
            }
        }
        return best == null ? denied(nearest, question) : new Decision.Allowed(best, best.untilMs());
    }

    static Decision denied(Decision.Reason reason, Question question) {
        return new Decision.Denied(reason, ref(question));
    }

    private static boolean outlasts(Grant a, Grant b) {
        return a.untilMs() > b.untilMs() || a.untilMs() == b.untilMs() && a.seq() > b.seq();
    }

    /** What the grant lacks to allow this; null if it allows it. */
    private static Decision.@Nullable Reason lack(Grant grant, Question q) {
        if (!grant.covers(q.thing())) return Decision.Reason.NOTHING_GRANTED;
        if (!grant.actions().contains(q.action())) return Decision.Reason.OTHER_ACTION;
        if (!grant.isFor(q.subject())) return Decision.Reason.OTHER_SUBJECT;
        if (q.subject().hops() > grant.hops()) return Decision.Reason.TOO_MANY_HOPS;
        if (!grant.covers(q.port())) return Decision.Reason.OTHER_PORT;
        if (q.epochMs() < grant.fromMs()) return Decision.Reason.TOO_EARLY;
        return q.epochMs() < grant.untilMs() ? null : Decision.Reason.EXPIRED;
    }

    /** Computed from the question, so that no randomness and no list of answers is needed. */
    private static String ref(Question question) {
        byte[] text = Bytes.utf8("mcc/denied/1 " + question).toArray();
        return "D-" + Sha256.id(text).toString().substring(0, 8).toUpperCase(Locale.ROOT);
    }
}
