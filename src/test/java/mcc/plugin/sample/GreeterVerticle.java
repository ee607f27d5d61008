package mcc.plugin.sample;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;

/** The tutorial's plugin: greets who asks, registers a service, and counts what happens to it. */
public final class GreeterVerticle extends VerticleBase {
    private int changes;

    @Override
    public Future<?> start() {
        vertx.eventBus().<JsonObject>consumer("sample.greet", this::greet);
        vertx.eventBus().<JsonObject>consumer("mcc.api.events.service.joined", _ -> {
            changes++;
            vertx.eventBus().publish("sample.changes", new JsonObject().put("changes", changes));
        });
        JsonObject registration =
                new JsonObject().put("id", "greeter").put("service", "greeter").put("port", 7);
        return vertx.eventBus()
                .request("mcc.api.watch", new JsonObject().put("service", "greeter"))
                .compose(_ -> vertx.eventBus().request("mcc.api.putRegistration", registration));
    }

    @Override
    public Future<?> stop() {
        return vertx.eventBus().request("mcc.api.deleteRegistration", new JsonObject().put("id", "greeter"));
    }

    private void greet(Message<JsonObject> message) {
        String name = message.body().getString("name");
        if (name == null) {
            message.fail(400, "give a name");
            return;
        }
        if (name.equals("boom")) throw new IllegalStateException("boom, as asked");
        message.reply(new JsonObject().put("greeting", "Hello, " + name + "!").put("changes", changes));
    }
}
