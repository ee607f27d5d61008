package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import mcc.relay.Relay;
import mcc.relay.RelayConfig;
import mcc.relay.RelayReport;
import org.jspecify.annotations.Nullable;

/** Hosts {@link Relay}. */
public final class RelayVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        /** Answered by a {@link RelayReport}. */
        record Report() implements Query, Ask<RelayReport> {}

        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    private static final long CLOCK_MS = 60_000;

    private final Bus bus;
    private final Counters counters = new Counters();
    private final Relay relay;
    private @Nullable CoreHost<Relay.Input, Relay.Output> host;

    RelayVerticle(Bus bus, RelayConfig config, Id self, Rng rng) {
        this.bus = bus;
        relay = new Relay(config, self, rng, counters);
    }

    /** A node that takes carriers relays, as it is there for nothing else. */
    static RelayConfig config(Settings settings) {
        String at = settings.text("relay.websocket");
        RelayConfig.When when = switch (settings.text("relay")) {
            case "on" -> RelayConfig.When.ALWAYS;
            case "off" -> RelayConfig.When.NEVER;
            default -> at.isBlank() ? RelayConfig.When.AUTO : RelayConfig.When.ALWAYS;
        };
        boolean told = !at.isBlank() && !settings.text("relay.websocket.tls").equals("off");
        int port = told ? Addresses.split("relay.websocket", at).port() : 0;
        long bytesPerSecond = Long.parseLong(settings.text("relay.rate")) * 125_000;
        RelayConfig limits = RelayConfig.DEFAULT;
        return new RelayConfig(when, limits.placesMax(), limits.circuitsMax(), bytesPerSecond, port);
    }

    @Override
    public Future<?> start() {
        CoreHost<Relay.Input, Relay.Output> made = new CoreHost<>(vertx, relay, new Relay.Input.Tick(), this::deliver);
        host = made;
        tellTime();
        vertx.setPeriodic(CLOCK_MS, _ -> tellTime());
        return Policies.follow(bus, epoch -> made.handle(new Relay.Input.NewPolicy(epoch)))
                .onSuccess(_ -> {
                    bus.on(Bus.RELAY_CORE, made::handle);
                    bus.serve(Bus.RELAY, this::onQuery);
                    Deliveries.post(bus, Wiring.started(Mailbox.RELAY));
                });
    }

    private void tellTime() {
        if (host != null) host.handle(new Relay.Input.WallClock(System.currentTimeMillis()));
    }

    private void deliver(Relay.Output output) {
        if (output instanceof Relay.Output.PolicyEnded ended) {
            Policies.tellEnded(bus, ended.epoch(), "relays", ended.nodes());
        } else {
            Deliveries.post(bus, Wiring.route(output));
        }
    }

    private Ask.Reply onQuery(Query query) {
        return switch (query) {
            case Query.Report q -> q.reply(relay.report(System.nanoTime()));
            case Query.Counts q -> q.reply(counters.snapshot());
        };
    }

    @Override
    public Future<?> stop() {
        if (host != null) host.close();
        return Future.succeededFuture();
    }
}
