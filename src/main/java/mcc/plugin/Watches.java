package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.node.Problem;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/** The services that plugins and bridge clients watch; their watches end with them. Used on the gate's context. */
final class Watches {
    /** Services that one of them may watch. */
    static final int MAX = 64;

    private final NodeCalls node;
    private final Map<String, Map<ServiceName, Future<ServiceName>>> all = new LinkedHashMap<>();

    Watches(NodeCalls node) {
        this.node = node;
    }

    /**
     * Begins to watch a service, if the owner does not watch it yet.
     *
     * @param body {@code {service}}
     * @param back the caller's context, on which it is answered
     * @return the body with the service's full name; fails if the node watches too many
     * @throws Problem {@code validation} or {@code rate-limited}
     */
    Future<JsonObject> watch(String owner, @Nullable Object body, Context back) {
        ServiceName service = service(body);
        Map<ServiceName, Future<ServiceName>> mine = all.computeIfAbsent(owner, _ -> new LinkedHashMap<>());
        if (mine.size() >= MAX && !mine.containsKey(service)) {
            throw new Problem("rate-limited", MAX + " services are watched already", "end some: mcc.api.unwatch");
        }
        Future<ServiceName> begun = mine.computeIfAbsent(service, s -> node.watch(s, back));
        return begun.onFailure(_ -> forget(owner, service, begun)).map(_ -> name(service));
    }

    /** Ends a watch, if there is one. */
    Future<JsonObject> unwatch(String owner, @Nullable Object body) {
        ServiceName service = service(body);
        Map<ServiceName, Future<ServiceName>> mine = all.get(owner);
        Future<ServiceName> begun = mine == null ? null : mine.get(service);
        if (begun != null) {
            forget(owner, service, begun);
            begun.onSuccess(_ -> node.unwatch(service));
        }
        return Future.succeededFuture(name(service));
    }

    private void forget(String owner, ServiceName service, Future<ServiceName> begun) {
        Map<ServiceName, Future<ServiceName>> mine = all.get(owner);
        if (mine != null && mine.remove(service, begun) && mine.isEmpty()) all.remove(owner);
    }

    private static JsonObject name(ServiceName service) {
        return new JsonObject().put("service", service.toString());
    }

    /** Ends all watches of an owner. */
    void left(String owner) {
        Map<ServiceName, Future<ServiceName>> mine = all.remove(owner);
        if (mine != null) mine.forEach((service, begun) -> begun.onSuccess(_ -> node.unwatch(service)));
    }

    private static ServiceName service(@Nullable Object body) {
        Object name = body instanceof JsonObject json ? json.getValue("service") : null;
        ServiceName service = name instanceof String text ? ServiceName.parse(text, ServiceName.OPEN) : null;
        if (service == null || body instanceof JsonObject json && json.size() != 1) {
            throw new Problem("validation", "the body is not {\"service\": NAME}", "use name or org/name");
        }
        return service;
    }
}
