package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.carrier.CarrierReport;
import mcc.carrier.Carriers;
import mcc.carrier.Gate;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hosts {@link Carriers}, and owns the connections of carriers: those to relays, and as a relay those of others. */
public final class CarrierVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        /** Answered by a {@link CarrierReport}. */
        record Report() implements Query, Ask<CarrierReport> {}

        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    /**
     * What an operator wants.
     *
     * @param named where relays take connections
     * @param server where this node takes them; null for nowhere
     */
    record Setup(
            Carriers.Use use, List<Gate> named, @Nullable HttpProxy proxy, CarrierServer.@Nullable Setup server) {
        /** What the settings say. */
        static Setup of(Settings settings) {
            Carriers.Use use = Carriers.Use.valueOf(settings.text("carrier").toUpperCase(Locale.ROOT));
            List<Gate> named = new ArrayList<>();
            for (String text : settings.list("bootstrap")) {
                Gate gate = Gate.looksLike(text) ? Gate.parse(text) : null;
                if (gate != null) named.add(gate);
            }
            String at = settings.text("relay.websocket");
            CarrierServer.Setup server = at.isBlank()
                    ? null
                    : new CarrierServer.Setup(
                            Addresses.split("relay.websocket", at), settings.text("relay.websocket.tls"));
            if (server != null && settings.text("relay").equals("off")) {
                throw new Problem("config", "relay.websocket is set, and relay is off", "leave one of them out");
            }
            return new Setup(use, named, HttpProxy.of(settings, System.getenv()), server);
        }
    }

    /** The problem code while carriers are needed and none stands. */
    static final String NONE = "no-carrier";

    private static final Logger LOG = LoggerFactory.getLogger(CarrierVerticle.class);
    private static final long LOOK_MS = 500;
    private static final String MAP = "carriers";
    private static final String KEY = "learnt";

    private final Bus bus;
    private final Setup setup;
    private final Rng rng;
    private final Status status;
    private final Counters counters = new Counters();
    /** Connections by the numbers of their gates. */
    private final Map<Integer, CarrierLine> lines = new HashMap<>();
    /** What stood for the connection of a gate. */
    private final Map<Integer, Address> addresses = new HashMap<>();
    /** Attempts by gate; each counts up, so that a late one is known to be late. */
    private final Map<Integer, Long> attempts = new HashMap<>();

    private long attempt;
    private @Nullable Carriers core;
    private @Nullable CoreHost<Carriers.Input, Carriers.Output> host;
    private @Nullable CarrierClient client;
    private @Nullable CarrierServer server;
    private CarrierReport told = new CarrierReport(false, true, List.of());

    CarrierVerticle(Bus bus, Setup setup, Rng rng, Status status) {
        this.bus = bus;
        this.setup = setup;
        this.rng = rng;
        this.status = status;
    }

    @Override
    public Future<?> start() {
        status.solved(NONE);
        client = new CarrierClient(vertx, context, setup.proxy());
        return bus.ask(Bus.STORE, new StoreVerticle.Query.All(MAP)).compose(stored -> {
            core = new Carriers(setup.use(), setup.named(), gates(stored.get(KEY)), rng, counters);
            host = new CoreHost<>(vertx, core, new Carriers.Input.Tick(), this::deliver);
            bus.on(Bus.CARRIERS_CORE, this::input);
            bus.serve(Bus.CARRIERS, this::onQuery);
            bus.on(Bus.STARTED, started -> {
                if (started.mailbox() == Mailbox.LINKS) linksStarted();
            });
            Deliveries.post(bus, Wiring.started(Mailbox.CARRIERS));
            input(new Carriers.Input.LinksStarted());
            if (setup.use() == Carriers.Use.AUTO) vertx.setPeriodic(LOOK_MS, _ -> look());
            if (setup.server() == null) return Future.succeededFuture();
            server = new CarrierServer(vertx, context, bus, counters);
            return server.listen(setup.server());
        });
    }

    /** What stood for connections means nothing to the new links. */
    private void linksStarted() {
        addresses.clear();
        if (server != null) server.closeAll();
    }

    private void look() {
        if (core == null || core.report().gates().isEmpty()) return; // there is nothing to decide
        bus.ask(Bus.SESSION, new SessionVerticle.Query.UdpHeard())
                .onSuccess(atNs -> input(new Carriers.Input.Heard(atNs)));
    }

    private void input(Carriers.Input input) {
        if (host != null) host.handle(input);
    }

    private void deliver(Carriers.Output output) {
        Deliveries.post(bus, Wiring.route(output));
        switch (output) {
            case Carriers.Output.Open o -> open(o.gate(), o.to());
            case Carriers.Output.Close o -> close(o.gate());
            case Carriers.Output.Learnt o -> {
                StringBuilder text = new StringBuilder();
                for (Gate gate : o.gates()) text.append(gate).append('\n');
                bus.ask(Bus.STORE, new StoreVerticle.Query.Put(MAP, KEY, text.toString()));
            }
            case Carriers.Output.Changed o -> changed(o.report());
            case Carriers.Output.Call _, Carriers.Output.Dial _, Carriers.Output.Ended _, Carriers.Output.TryUdp _ -> {}
        }
    }

    private void open(int gate, Gate to) {
        long mine = ++attempt;
        attempts.put(gate, mine);
        if (client == null) return;
        client.open(to).onComplete(done -> {
            boolean late = !Long.valueOf(mine).equals(attempts.get(gate));
            if (done.failed()) {
                if (!late) input(new Carriers.Input.Failed(gate, Problem.text(done.cause())));
                return;
            }
            CarrierLine line = done.result();
            if (late) line.close();
            else attach(gate, line);
        });
    }

    private void attach(int gate, CarrierLine line) {
        lines.put(gate, line);
        bus.ask(Bus.SESSION, new SessionVerticle.Query.Carriers())
                .compose(links -> links.attach(line, addresses.get(gate))
                        .onSuccess(_ -> line.onClosed(() -> {
                            links.detach(line);
                            if (lines.remove(gate, line))
                                input(new Carriers.Input.Failed(gate, "the connection broke"));
                        })))
                .onSuccess(address -> {
                    addresses.put(gate, address);
                    if (line.equals(lines.get(gate))) input(new Carriers.Input.Opened(gate, address));
                })
                .onFailure(e -> {
                    line.close();
                    if (lines.remove(gate, line)) input(new Carriers.Input.Failed(gate, Problem.text(e)));
                });
    }

    private void close(int gate) {
        attempts.remove(gate);
        CarrierLine line = lines.remove(gate);
        if (line != null) line.close();
    }

    private void changed(CarrierReport now) {
        CarrierReport before = told;
        told = now;
        CarrierReport.View linked = now.linked();
        CarrierReport.View was = before.linked();
        if (linked != null && (was == null || !was.url().equals(linked.url()))) {
            LOG.info("UDP gets nowhere; datagrams go through {}", linked.url());
            event("carrier.up", new JsonObject().put("url", linked.url()));
        } else if (linked == null && was != null) {
            LOG.info("nothing goes through {} any longer", was.url());
            event("carrier.down", new JsonObject().put("url", was.url()));
        }
        String trouble = now.needed() && now.alone() && linked == null ? trouble(now) : "";
        if (trouble.isEmpty()) {
            status.solved(NONE);
            return;
        }
        String title = "UDP gets nowhere, and no relay is reached by TCP either: " + trouble;
        if (!trouble.equals(trouble(before))) LOG.warn("{}; trying again", title);
        status.problem(
                NONE,
                "warning",
                title,
                "check that address, and 'proxy' where there is an HTTP proxy; the node keeps trying");
    }

    private static String trouble(CarrierReport report) {
        List<String> all = new ArrayList<>();
        for (CarrierReport.View each : report.gates()) {
            if (!each.trouble().isEmpty()) all.add(each.url() + ": " + each.trouble());
        }
        return String.join("; ", all);
    }

    private void event(String type, JsonObject data) {
        bus.publish(Bus.EVENTS, new NodeEvent(type, data));
    }

    private static List<Gate> gates(@Nullable String text) {
        List<Gate> out = new ArrayList<>();
        if (text == null) return out;
        for (String line : text.split("\n")) {
            Gate gate = Gate.parse(line);
            if (gate != null) out.add(gate);
        }
        return out;
    }

    private Ask.Reply onQuery(Query query) {
        Carriers core = this.core;
        return switch (query) {
            case Query.Report q -> q.reply(core == null ? told : core.report());
            case Query.Counts q -> q.reply(counters.snapshot());
        };
    }

    @Override
    public Future<?> stop() {
        if (host != null) host.close();
        host = null;
        List.copyOf(lines.values()).forEach(CarrierLine::close);
        if (client != null) client.close();
        return server == null ? Future.succeededFuture() : server.close();
    }
}
