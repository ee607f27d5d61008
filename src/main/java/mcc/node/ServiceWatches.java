package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.overlay.Mailbox;
import mcc.registry.ServiceName;

/**
 * Counts the watches of one verticle on services. The registry is told the whole list at each change, and again when it is
 * restarted. Used on the context that made it.
 */
public final class ServiceWatches {
    private final Bus bus;
    private final String owner;
    private final Map<ServiceName, Watched> all = new LinkedHashMap<>();

    private static final class Watched {
        private final Promise<ServiceName> begun = Promise.promise();
        private int watchers;
    }

    /** @param owner names the verticle; the watches of an earlier one of that name end */
    public ServiceWatches(Bus bus, String owner) {
        this.bus = bus;
        this.owner = owner;
        bus.on(Bus.STARTED, started -> {
            if (started.mailbox() == Mailbox.REGISTRY) tell();
        });
        tell();
    }

    /**
     * Watches a service until {@link #unwatch} was called as often; fails, and does not watch, if the node watches too many.
     */
    public Future<ServiceName> watch(ServiceName service) {
        Watched watched = all.computeIfAbsent(service, _ -> new Watched());
        if (watched.watchers++ > 0) return watched.begun.future();
        tell().onSuccess(refused -> {
            if (!refused.contains(service)) {
                watched.begun.complete(service);
                return;
            }
            all.remove(service, watched);
            watched.begun.fail(new Problem("overloaded", "too many services are watched already", "end some watches"));
        });
        return watched.begun.future();
    }

    /** Ends a {@link #watch} that did not fail. */
    public void unwatch(ServiceName service) {
        Watched watched = all.get(service);
        if (watched == null || --watched.watchers > 0) return;
        all.remove(service);
        tell();
    }

    /** Tells the registry the list; returns the refused services. A registry that does not run is told when it starts. */
    private Future<List<ServiceName>> tell() {
        var asked = new RegistryVerticle.Query.Watching(owner, List.copyOf(all.keySet()));
        return bus.ask(Bus.REGISTRY, asked).otherwise(List.of());
    }
}
