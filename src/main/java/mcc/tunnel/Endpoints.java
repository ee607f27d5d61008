package mcc.tunnel;

import io.vertx.core.Future;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Id;
import mcc.node.Bus;
import mcc.node.RegistryVerticle;
import mcc.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints that this node offers: the packet loop's own copy of the registry's list, renewed at each change, so that a
 * stream that asks for an endpoint need not wait for another thread.
 */
final class Endpoints {
    private Map<Id, Registry.LocalView> all = Map.of();
    private Runnable changed = () -> {};

    /** Follows the registry from now on; completes once the first list is here. */
    Future<?> follow(Bus bus, Runnable changed) {
        this.changed = changed;
        bus.on(Bus.OFFERS, offers -> take(offers.all()));
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations()).onSuccess(this::take);
    }

    private void take(List<Registry.LocalView> views) {
        Map<Id, Registry.LocalView> next = new LinkedHashMap<>();
        for (Registry.LocalView view : views) next.put(view.endpoint(), view);
        all = next;
        changed.run();
    }

    Collection<Registry.LocalView> all() {
        return all.values();
    }

    /** One endpoint, if it is offered. */
    Registry.@Nullable LocalView find(Id endpoint) {
        return all.get(endpoint);
    }
}
