package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.function.Supplier;
import mcc.node.ApiQuery;
import mcc.node.Bus;
import mcc.node.ServiceWatches;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/**
 * Calls from the contexts of the plugins' and the bridge's Vertx instances into the node, which handles them on one context of
 * its own.
 */
final class NodeCalls {
    private final Bus bus;
    private final Context home;
    private @Nullable ServiceWatches watches;

    /** @param home a context of the node's own Vertx instance */
    NodeCalls(Bus bus, Context home) {
        this.bus = bus;
        this.home = home;
    }

    /**
     * Calls an operation of the REST interface.
     *
     * @param back the context for the answer
     */
    Future<ApiQuery.Answer> call(ApiQuery.Call call, Context back) {
        return through(() -> bus.ask(Bus.API, call), back);
    }

    /** Watches a service; fails if the node watches too many. */
    Future<ServiceName> watch(ServiceName service, Context back) {
        return through(() -> watches().watch(service), back);
    }

    private <A> Future<A> through(Supplier<Future<A>> question, Context back) {
        Promise<A> promise = Promise.promise();
        Post.to(home, () -> question.get().onComplete(done -> Post.to(back, () -> promise.handle(done))));
        return promise.future();
    }

    void unwatch(ServiceName service) {
        Post.to(home, () -> watches().unwatch(service));
    }

    /** Created on the context that uses it. */
    private ServiceWatches watches() {
        if (watches == null) watches = new ServiceWatches(bus, "plugins");
        return watches;
    }
}
