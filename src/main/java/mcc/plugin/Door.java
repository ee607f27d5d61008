package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import mcc.node.ApiQuery;
import mcc.node.Bus;
import mcc.node.RegistryVerticle;
import mcc.registry.ServiceName;

/** The way from the second Vertx instance to the node: asked on any context there, asks on one context here. */
final class Door {
    private final Bus bus;
    private final Context home;

    /** @param home a context of the node's own Vertx instance */
    Door(Bus bus, Context home) {
        this.bus = bus;
        this.home = home;
    }

    /**
     * One operation of the REST interface.
     *
     * @param back where the answer is wanted
     */
    Future<ApiQuery.Answer> call(ApiQuery.Call call, Context back) {
        Promise<ApiQuery.Answer> promise = Promise.promise();
        home.runOnContext(_ -> bus.ask(Bus.API, call)
                .map(answer -> (ApiQuery.Answer) answer)
                .onComplete(done -> back.runOnContext(_ -> promise.handle(done))));
        return promise.future();
    }

    void watch(ServiceName service) {
        home.runOnContext(_ -> bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Watch(service)));
    }

    void unwatch(ServiceName service) {
        home.runOnContext(_ -> bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Unwatch(service)));
    }
}
