package mcc.tunnel;

import java.util.function.LongSupplier;
import mcc.consortium.Action;
import mcc.consortium.Decision;
import mcc.consortium.DecisionPoint;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Question;
import mcc.consortium.Subject;
import mcc.core.Counters;
import mcc.registry.Registration;
import mcc.registry.ServiceName;

/**
 * Asks the policy whether a node may use one of this host's apps, or measure the path to it, and whether this node's users may
 * see a service. Used on one context.
 */
final class Admission {
    private final DecisionPoint policy;
    private final Counters counters;
    private final Subject self;
    private final LongSupplier epochMs;

    /**
     * @param self this node
     * @param epochMs the wall clock, milliseconds since 1970
     */
    Admission(Subject self, LongSupplier epochMs, Counters counters) {
        policy = new DecisionPoint(counters);
        this.counters = counters;
        this.self = self;
        this.epochMs = epochMs;
    }

    /** Takes a new policy; true if everything that was let in is to be judged again. */
    boolean take(PolicyEpoch epoch) {
        return policy.take(epoch);
    }

    Counters counters() {
        return counters;
    }

    Subject self() {
        return self;
    }

    long nowMs() {
        return epochMs.getAsLong();
    }

    /** Decides, as of now, whether {@code from} may measure how fast bytes get to this node. */
    Decision judgeMeasure(Subject from) {
        var here = new Question.Thing.Node(Policy.OPEN, self.node());
        return policy.decide(new Question(from, Action.MEASURE, here, nowMs()));
    }

    /**
     * Decides, as of now, whether {@code from} may use a port of a registration's app.
     *
     * @param wanted the port; 0 for the first of the protocol. It is judged even if the app does not have it
     */
    Decision judge(Subject from, Registration app, boolean udp, int wanted) {
        int number = wanted == 0 ? app.ports().first(udp) : wanted;
        var port = new Question.Port(udp ? Question.Port.UDP : Question.Port.TCP, number);
        return policy.decide(new Question(from, Action.USE, thing(app.service()), port, nowMs()));
    }

    /** Whether this node may, as of now, know of a service. */
    boolean maySee(ServiceName service) {
        return policy.allows(new Question(self, Action.SEE, thing(service), nowMs()));
    }

    private static Question.Thing thing(ServiceName service) {
        return new Question.Thing.Service(service.org(), service.name());
    }
}
