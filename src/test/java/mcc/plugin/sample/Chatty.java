package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.ArrayList;
import java.util.List;

/** Asks the node, or publishes, as often as it is told, all at once, and answers how many were refused. */
public final class Chatty extends VerticleBase {
    @Override
    public Future<?> start() {
        vertx.eventBus().<Integer>consumer("chatty.ask", message -> {
            List<Future<?>> all = new ArrayList<>();
            int[] refused = {0};
            for (int i = 0; i < message.body(); i++) {
                all.add(vertx.eventBus().request("mcc.api.getNode", null).onFailure(_ -> refused[0]++));
            }
            Future.join(all).onComplete(_ -> message.reply(refused[0]));
        });
        vertx.eventBus().<Integer>consumer("chatty.publish", message -> {
            for (int i = 0; i < message.body(); i++) vertx.eventBus().publish("chatty.news", "x".repeat(1_000));
            message.reply(message.body());
        });
        vertx.eventBus().<Integer>consumer("chatty.large", message -> message.reply("x".repeat(message.body())));
        return Future.succeededFuture();
    }
}
