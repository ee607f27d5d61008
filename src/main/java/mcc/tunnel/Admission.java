package mcc.tunnel;

import java.util.function.LongSupplier;
import mcc.consortium.Action;
import mcc.consortium.Decision;
import mcc.consortium.Policy;
import mcc.consortium.Question;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.registry.Registration;

/**
 * The door of this host: asks the policy whether a node may use one of its apps, or measure the way here. Used on one context.
 *
 * @param self this node
 * @param epochMs the wall clock, milliseconds since 1970
 */
record Admission(Policy policy, Id self, LongSupplier epochMs, Counters counters) {
    long nowMs() {
        return epochMs.getAsLong();
    }

    /** Decides, as of now, whether {@code from} may measure how fast bytes get to this node. */
    Decision judgeMeasure(Id from) {
        var here = new Question.Thing.Node(Policy.OPEN, self);
        return policy.decide(new Question(Question.Subject.open(from), Action.MEASURE, here, nowMs()), counters);
    }

    /** Decides, as of now, whether {@code from} may use the app of a registration. */
    Decision judge(Id from, Registration app) {
        var service =
                new Question.Thing.Service(app.service().org(), app.service().name());
        var port = new Question.Port(app.isUdp() ? Question.Port.UDP : Question.Port.TCP, app.port());
        return policy.decide(new Question(Question.Subject.open(from), Action.USE, service, port, nowMs()), counters);
    }
}
