package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.function.Consumer;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;

/**
 * The policy in force at this node: numbers its epochs and tells each to everyone who decides by it. It is not a verticle, so
 * it outlives all of them; a verticle asks for the policy before it does anything else, whenever it is started
 * ({@link #follow}).
 */
public final class Policies {
    /** Queries; both are answered by the epoch in force. */
    public sealed interface Query extends Ask<PolicyEpoch> {
        record InForce() implements Query {}

        /** Puts another policy in force, together with what the settings grant. Sent within the process only. */
        record Replace(Policy policy) implements Query {}
    }

    private final Bus bus;
    private final List<Grant> own;
    private PolicyEpoch inForce;

    private Policies(Bus bus, Policy first, List<Grant> own) {
        this.bus = bus;
        this.own = own;
        inForce = new PolicyEpoch(first.and(own), 1);
    }

    /**
     * Keeps the policy for as long as the bus exists.
     *
     * @param own what the settings grant, whatever the policy is
     */
    static void keep(Bus bus, Policy first, List<Grant> own) {
        bus.serve(Bus.POLICY, new Policies(bus, first, own)::onQuery);
    }

    private Ask.Reply onQuery(Query query) {
        if (query instanceof Query.Replace(Policy policy)) {
            inForce = new PolicyEpoch(policy.and(own), inForce.number() + 1);
            bus.publish(Bus.EPOCHS, inForce);
        }
        return query.reply(inForce);
    }

    /** Passes the policy in force and each new one to a consumer; completed when it has got the first. */
    public static Future<?> follow(Bus bus, Consumer<PolicyEpoch> decider) {
        bus.on(Bus.EPOCHS, decider);
        return bus.ask(Bus.POLICY, new Query.InForce()).onSuccess(decider::accept);
    }

    /** Publishes how much a new epoch ended, if anything. */
    public static void tellEnded(Bus bus, long epoch, String what, int count) {
        if (count == 0) return;
        JsonObject data = new JsonObject().put("epoch", epoch).put("what", what).put("count", count);
        bus.publish(Bus.EVENTS, new NodeEvent("policy.ended", data));
    }
}
