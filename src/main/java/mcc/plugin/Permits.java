package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.json.JsonObject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import mcc.api.Problems;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * What passes on the second bus: from a plugin's verticles only what its manifest names, to them likewise. Used on every
 * loop of the second Vertx instance.
 *
 * <p>The sender is known by the deployment of the context it runs on. What runs on no context of a known deployment, such as
 * a thread that a plugin started itself, is refused. This keeps honest code to what it declared; code that wants to get
 * around it shares the process and can.
 */
final class Permits {
    /** Says which plugin sent a message; whatever a sender writes there is replaced. */
    static final String SENDER = "mcc-plugin";

    private static final String REPLY = "__vertx.reply.";

    private record Grant(String plugin, Manifest manifest) {}

    private final Map<String, Grant> grants = new ConcurrentHashMap<>();
    private final BiConsumer<String, @Nullable Object> published;
    private volatile String gate = "";

    /** @param published told the address and body of what plugins publish at addresses that they serve */
    Permits(BiConsumer<String, @Nullable Object> published) {
        this.published = published;
    }

    void watch(Vertx plugins) {
        plugins.eventBus().<Object>addOutboundInterceptor(this::outbound);
        plugins.eventBus().<Object>addInboundInterceptor(this::inbound);
    }

    /** Names the deployment that may do everything. */
    void gate(String deployment) {
        gate = deployment;
    }

    void grant(String deployment, String plugin, Manifest manifest) {
        grants.put(deployment, new Grant(plugin, manifest));
    }

    /** Takes back all that a plugin was granted. */
    void revoke(String plugin) {
        grants.values().removeIf(grant -> grant.plugin().equals(plugin));
    }

    /** Whether a plugin that runs now serves an address. */
    boolean isServed(String address) {
        for (Grant grant : grants.values()) if (grant.manifest().serves().contains(address)) return true;
        return false;
    }

    private static String deployment() {
        Context context = Vertx.currentContext();
        String id = context == null ? null : context.deploymentID();
        return id == null ? "" : id;
    }

    private void outbound(DeliveryContext<Object> delivery) {
        String address = delivery.message().address();
        String from = deployment();
        delivery.message().headers().remove(SENDER);
        if (from.equals(gate) || address.startsWith(REPLY)) {
            delivery.next();
            return;
        }
        Grant grant = grants.get(from);
        boolean serves = grant != null && grant.manifest().serves().contains(address);
        boolean allowed = grant != null
                && (delivery.send() ? grant.manifest().mayCall(address) : serves)
                && !(Manifest.isOurs(address) && !delivery.send());
        if (grant == null || !allowed) {
            delivery.message().fail(403, refusal(grant, address).encode());
            return;
        }
        delivery.message().headers().set(SENDER, grant.plugin());
        if (!delivery.send()) published.accept(address, delivery.message().body());
        delivery.next();
    }

    private static JsonObject refusal(@Nullable Grant grant, String address) {
        Problem problem = grant == null
                ? new Problem(
                        "policy-denied",
                        "the sender is no verticle of a plugin's manifest",
                        "send from the context of such a verticle")
                : new Problem(
                        "policy-denied",
                        "plugin '" + grant.plugin() + "' may not send to '" + address + "'",
                        "name the address in 'calls' of its manifest, or in 'serves' to publish");
        return Problems.toJson(problem, address);
    }

    /** A message that may not be delivered goes no further; who asked gets no answer from there. */
    private void inbound(DeliveryContext<Object> delivery) {
        String address = delivery.message().address();
        String to = deployment();
        Grant grant = grants.get(to);
        boolean allowed = to.equals(gate)
                || address.startsWith(REPLY)
                || grant != null
                        && (Manifest.isOurs(address)
                                ? address.startsWith(GateVerticle.EVENTS)
                                        && grant.manifest().mayCall(address)
                                : grant.manifest().serves().contains(address));
        if (allowed) delivery.next();
        else if (delivery.send()) {
            delivery.message().fail(403, refusal(grant, address).encode());
        }
    }
}
