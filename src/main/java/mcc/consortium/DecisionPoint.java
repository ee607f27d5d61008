package mcc.consortium;

import java.util.List;
import mcc.core.Counters;
import mcc.core.Counters.Counter;

/**
 * Where decisions are made (RFC 2753 section 2, policy decision point): asks the policy that is in force here. Every core and
 * verticle that asks has one of its own, and is told of each new epoch; before the first it denies everything.
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

    /** Takes a new epoch: true where all that stands is to be judged again. What is older than the one in force is ignored. */
    public boolean take(PolicyEpoch next) {
        if (next.number() < epoch) old.add();
        if (next.number() <= epoch) return false;
        policy = next.policy();
        epoch = next.number();
        return true;
    }

    /** Decides, and counts it. A policy that fails denies: it costs what was asked for, and nobody else anything. */
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

    /** Whether it may be done, as {@link #decide}. */
    public boolean allows(Question question) {
        return decide(question).isAllowed();
    }
}
