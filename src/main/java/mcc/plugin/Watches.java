package mcc.plugin;

import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import mcc.node.Problem;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/** Which plugin or bridge client watches which services: what it holds ends with it. Lives on the gate's context. */
final class Watches {
    /** Services that one of them may watch. */
    static final int MAX = 64;

    private final Door door;
    private final Map<String, Set<ServiceName>> all = new LinkedHashMap<>();

    Watches(Door door) {
        this.door = door;
    }

    /**
     * Begins to watch; once more does nothing.
     *
     * @param body {@code {service}}
     * @return the same with the service's full name
     * @throws Problem {@code validation} or {@code rate-limited}
     */
    JsonObject watch(String owner, @Nullable Object body) {
        ServiceName service = service(body);
        Set<ServiceName> mine = all.computeIfAbsent(owner, _ -> new LinkedHashSet<>());
        if (mine.size() >= MAX && !mine.contains(service)) {
            throw new Problem("rate-limited", MAX + " services are watched already", "end some: mcc.api.unwatch");
        }
        if (mine.add(service)) door.watch(service);
        return new JsonObject().put("service", service.toString());
    }

    /** Ends a watch; without one does nothing. */
    JsonObject unwatch(String owner, @Nullable Object body) {
        ServiceName service = service(body);
        Set<ServiceName> mine = all.get(owner);
        if (mine != null && mine.remove(service)) door.unwatch(service);
        if (mine != null && mine.isEmpty()) all.remove(owner);
        return new JsonObject().put("service", service.toString());
    }

    /** Ends all that one holds. */
    void left(String owner) {
        Set<ServiceName> mine = all.remove(owner);
        if (mine != null) mine.forEach(door::unwatch);
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
