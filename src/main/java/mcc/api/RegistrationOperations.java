package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import mcc.api.Operations.Answer;
import mcc.api.Operations.Operation;
import mcc.node.Bus;
import mcc.node.Problem;
import mcc.node.Registrations;
import mcc.node.RegistryVerticle;
import mcc.registry.Registration;
import mcc.registry.Registry;
import org.jspecify.annotations.Nullable;

/** The registrations of apps at this node. */
final class RegistrationOperations {
    private final Bus bus;
    private final String network;

    RegistrationOperations(Bus bus, String network) {
        this.bus = bus;
        this.network = network;
    }

    void into(Map<String, Operation> all, Lists lists) {
        all.put("listRegistrations", p -> all().map(items -> Answer.of(lists.page("registrations", items, p))));
        all.put("getRegistration", p -> registration(p.getString("id")).map(Answer::of));
        all.put("putRegistration", p -> register(p, _ -> true));
        all.put("deleteRegistration", p -> deregister(p, _ -> true));
        all.put("heartbeat", this::heartbeat);
    }

    /**
     * Returns an operation that is carried out only if the condition holds for the present registration; null if the operation
     * changes no registration.
     */
    @Nullable
    Operation onlyIf(String id, RegistryVerticle.Condition condition) {
        return switch (id) {
            case "putRegistration" -> p -> register(p, condition);
            case "deleteRegistration" -> p -> deregister(p, condition);
            default -> null;
        };
    }

    JsonObject toJson(Registry.LocalView view) {
        return Registrations.toJson(view, network);
    }

    Future<List<JsonObject>> all() {
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations())
                .map(all -> all.stream().map(this::toJson).toList());
    }

    private Future<JsonObject> registration(String id) {
        return all().map(all -> {
            for (JsonObject each : all) if (each.getString("id").equals(id)) return each;
            throw noRegistration(id);
        });
    }

    private static Problem noRegistration(String id) {
        return new Problem(
                "not-found", "this node has no registration '" + id + "'", "list them: mcc services --local");
    }

    private Future<Answer> register(JsonObject p, RegistryVerticle.Condition condition) {
        return switch (Registrations.parse(p.getString("id"), p)) {
            case Registration.Parsed.Invalid invalid -> {
                List<Problem.Fault> faults = new ArrayList<>();
                for (Registration.Fault f : invalid.faults()) faults.add(new Problem.Fault(f.pointer(), f.detail()));
                Problem.Fault first = faults.getFirst();
                throw new Problem(
                        "validation",
                        "the registration is not valid: " + first.pointer() + " must be " + first.detail(),
                        "correct these fields",
                        faults);
            }
            case Registration.Parsed.Valid valid ->
                bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Register(valid.registration(), condition))
                        .map(done -> new Answer(Registrations.toJson(done.registration(), network), done.created()));
        };
    }

    private Future<Answer> deregister(JsonObject p, RegistryVerticle.Condition condition) {
        String id = p.getString("id");
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Deregister(id, condition))
                .map(done -> {
                    if (!done.existed()) throw noRegistration(id);
                    return Answer.of(new JsonObject().put("id", id).put("withdrawn", true));
                });
    }

    private Future<Answer> heartbeat(JsonObject p) {
        String id = p.getString("id");
        return bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Heartbeat(id)).compose(done -> {
            if (!done.known()) throw noRegistration(id);
            return registration(id)
                    .map(r -> Answer.of(new JsonObject().put("id", id).put("health", r.getString("health"))));
        });
    }
}
