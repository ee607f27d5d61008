package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

/** Tries what its manifest does not name, and says what came of it. */
public final class Curious extends VerticleBase {
    @Override
    public Future<?> start() {
        vertx.eventBus()
                .consumer(
                        "curious.ask",
                        message -> vertx.eventBus()
                                .request(String.valueOf(message.body()), null)
                                .onSuccess(reply -> message.reply(reply.body()))
                                .onFailure(e -> message.fail(418, e.getMessage())));
        vertx.eventBus().consumer("curious.sees", message -> {
            try {
                message.reply(Class.forName(String.valueOf(message.body())).getName());
            } catch (ClassNotFoundException _) {
                message.reply("nothing");
            }
        });
        vertx.eventBus().consumer("curious.publish", message -> {
            vertx.eventBus().publish(String.valueOf(message.body()), "heard");
            message.reply("published");
        });
        vertx.eventBus().consumer("mcc.api.events.peer.up", _ -> {});
        return Future.succeededFuture();
    }
}
