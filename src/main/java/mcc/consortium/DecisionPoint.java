package mcc.consortium;

import java.util.List;
import mcc.core.Counters;
import mcc.core.Counters.Counter;

/**
 * Makes decisions (RFC 2753 section 2, policy decision point) by the policy that is in force. Every core and verticle that
 * needs decisions has one of its own, which gets each new epoch; before the first one it denies everything.
 */
public final class DecisionPoint {
    private final Counter allowed;
    private final Counter denied;
    private final Counter failed;
    private final Counter old;
    private Policy policy = new Policy(List.of());
    private long epoch;

    public DecisionPoint(Counters counters) {
        allowed = counters.of("policy.allowed");
        denied = counters.of("policy.denied");
        failed = counters.of("policy.failed");
        old = counters.of("policy.epoch.old");
    }

    /**
     * Takes a new epoch; true if everything that was admitted must be judged again. An epoch older than the one in force is
     * ignored.
     */
    public boolean take(PolicyEpoch next) {
        if (next.number() < epoch) old.add();
        if (next.number() <= epoch) return false;
        policy = next.policy();
        epoch = next.number();
        return true;
    }

    /** Decides, and counts the result. If the policy throws, the answer is no, without further effect. */
    public Decision decide(Question question) {
        Decision decision;
        try {
            decision = policy.decide(question);
        } catch (RuntimeException _) {
            failed.add();
            decision = Policy.denied(Decision.Reason.FAILED, question);
        }
        (decision.isAllowed() ? allowed : denied).add();
        return decision;
    }

    /** Whether the action is allowed, as in {@link #decide}. */
    public boolean allows(Question question) {
        return decide(question).isAllowed();
    }
}
