package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.dht.Dht;
import mcc.dht.Signing;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.overlay.Desk;
import mcc.overlay.Letter;
import mcc.overlay.Wiring;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hosts {@link Dht}: joins by the bootstrap addresses, keeps a snapshot of the routing table on disk. */
public final class DhtVerticle extends VerticleBase {
    /** What may be asked. */
    public sealed interface Query {
        /** Answered by a {@link Dht.Status}. */
        record Status() implements Query {}

        /** Answered by a list of {@link Dht.BucketView}. */
        record Buckets() implements Query {}

        /** Looks nodes up by position; answered by {@link Dht.Output.Found}. */
        record FindNode(Id target) implements Query {}

        /** Looks records up by key; answered by {@link Dht.Output.Found}. */
        record FindValue(Id key) implements Query {}

        /** Answered by a list of {@link Counters.Count}. */
        record Counts() implements Query {}
    }

    /** A bootstrap node, its key where it was given. */
    public record Bootstrap(String text, @Nullable Id key, String host, int port) {}

    private static final Logger LOG = LoggerFactory.getLogger(DhtVerticle.class);
    private static final long SNAPSHOT_MS = 60_000;
    private static final long SETTLE_MS = 1_000;
    private static final long DIAL_MS = 2_000;
    private static final String ALONE = "no-bootstrap";
    private static final long DIAL_MAX_MS = 60_000;
    private static final String MAP = "contacts";
    private static final int RECORDS = 256;

    private final Bus bus;
    private final List<Bootstrap> bootstrap;
    private final Dht dht;
    private final Id self;
    private final Status status;
    private final Counters counters = new Counters();
    private final Tickets tickets = new Tickets();
    private final Map<Long, Bootstrap> dialling = new LinkedHashMap<>();
    private @Nullable CoreHost<Dht.Input, Dht.Output> host;
    private long nextDial;
    private long dialMs = DIAL_MS;
    private boolean joined;
    private boolean settling;
    private int tableSize;

    DhtVerticle(
            Bus bus,
            String network,
            Identity identity,
            Policy policy,
            List<Bootstrap> bootstrap,
            Rng rng,
            Status status) {
        this.bus = bus;
        this.status = status;
        this.bootstrap = List.copyOf(bootstrap);
        self = identity.id();
        dht = new Dht(mcc.dht.Config.of(Bytes.utf8(network)), self, Signing.of(identity), policy, rng, counters);
    }

    @Override
    public Future<?> start() {
        CoreHost<Dht.Input, Dht.Output> made = new CoreHost<>(vertx, dht, new Dht.Input.Tick(), this::deliver);
        host = made;
        bus.on(Bus.DHT_CORE, this::onInput);
        bus.serve(Bus.DHT, this::onQuery);
        bus.on(Bus.STARTED, started -> {
            if (started.desk() == Desk.LINKS) dialling.clear(); // they know nothing of these any more
        });
        vertx.setPeriodic(SNAPSHOT_MS, _ -> {
            made.handle(new Dht.Input.Clock(System.currentTimeMillis()));
            made.handle(new Dht.Input.Snapshot());
        });
        return bus.ask(Bus.STORE, new StoreVerticle.Query.All(MAP)).onSuccess(all -> {
            List<Contact> snapshot = contacts((Map<?, ?>) all);
            Contact me = new Contact(self, List.of());
            made.handle(new Dht.Input.Start(me, List.of(), snapshot, !bootstrap.isEmpty(), System.currentTimeMillis()));
            if (!bootstrap.isEmpty()) dial();
            Desks.post(bus, Wiring.started(Desk.DHT));
        });
    }

    @Override
    public Future<?> stop() {
        tickets.close();
        CoreHost<Dht.Input, Dht.Output> host = this.host;
        if (host == null) return Future.succeededFuture();
        try {
            host.handle(new Dht.Input.Snapshot());
        } finally {
            host.close();
        }
        return Future.succeededFuture();
    }

    private void onInput(Object input) {
        if (host == null) return;
        switch (input) {
            case Dht.Input known -> host.handle(known);
            case LinkOutput.Dialled o -> dialled(o);
            case LinkOutput.NotDialled o -> notDialled(o);
            default ->
                throw new IllegalArgumentException(
                        "not for the DHT: " + input.getClass().getName());
        }
    }

    private void deliver(Dht.Output output) {
        List<Letter> letters = Wiring.route(output);
        Desks.post(bus, letters);
        if (!Desks.hasHost(letters)) return;
        switch (output) {
            case Dht.Output.Found o -> {
                counters.add("dht.lookup.count");
                counters.of("dht.lookup.tookMs").add(o.trace().tookMs());
                tickets.answer(o.ticket(), o);
            }
            case Dht.Output.Stored o -> tickets.answer(o.ticket(), o);
            case Dht.Output.Persist o -> persist(o.snapshot());
            case Dht.Output.Joined o -> {
                if (!o.contacts().isEmpty()) {
                    joined = true;
                    status.solved(ALONE);
                }
                int neighbours = o.contacts().size();
                if (neighbours == 0) LOG.info("the first node of its network, as far as it knows");
                else LOG.info("joined the network through {} neighbours", neighbours);
                event("dht.joined", new JsonObject().put("neighbours", neighbours));
            }
            case Dht.Output.TableChanged o -> tableChanged(o.contacts());
            case Dht.Output.Expired o -> {
                counters.add("lease.expired");
                event("dht.expired", new JsonObject().put("key", o.key().toString()));
            }
            case Dht.Output.Ask _, Dht.Output.Cancel _, Dht.Output.Reply _ -> {}
        }
    }

    /** Tells and remembers a changed table once things have settled: a node killed a moment later still knows whom to ask. */
    private void tableChanged(int contacts) {
        tableSize = contacts;
        if (settling) return;
        settling = true;
        vertx.setTimer(SETTLE_MS, _ -> {
            settling = false;
            event("dht.table", new JsonObject().put("contacts", tableSize));
            if (host != null) host.handle(new Dht.Input.Snapshot());
        });
    }

    private Future<Object> onQuery(Query query) {
        CoreHost<Dht.Input, Dht.Output> host = this.host;
        if (host == null) return Future.failedFuture(new Problem("node-not-ready", "the DHT is starting", "try again"));
        return switch (query) {
            case Query.Status _ -> Future.succeededFuture(dht.status());
            case Query.Buckets _ -> Future.succeededFuture(dht.buckets());
            case Query.Counts _ -> Future.succeededFuture(counters.snapshot());
            case Query.FindNode q -> tickets.ask(t -> host.handle(new Dht.Input.FindNode(t, q.target())));
            case Query.FindValue q ->
                tickets.ask(t -> host.handle(new Dht.Input.FindValue(t, q.key(), Dht.Input.ALL, RECORDS)));
        };
    }

    // ---- bootstrap --------------------------------------------------------------------------------------------------

    /** Resolves every bootstrap name and greets each address; again and again until one has answered. */
    private void dial() {
        if (joined) return;
        if (dialMs > DIAL_MS) {
            status.problem(
                    ALONE,
                    "warning",
                    "no bootstrap node has answered yet, so this node knows nobody",
                    "check that one runs at " + bootstrap.getFirst().text()
                            + ", with this network and key, and UDP gets there");
        }
        for (Bootstrap b : bootstrap) {
            vertx.<List<Address>>executeBlocking(() -> Addresses.resolve(b.host(), b.port()))
                    .onFailure(e -> LOG.warn("bootstrap {}: {}", b.text(), e.getMessage()))
                    .onSuccess(addresses -> {
                        for (Address address : addresses) greet(b, address);
                    });
        }
        dialMs = Math.min(DIAL_MAX_MS, dialMs * 2);
        vertx.setTimer(dialMs, _ -> dial());
    }

    private void greet(Bootstrap b, Address address) {
        if (b.key() != null) {
            meet(new Contact(b.key(), List.of(address)));
            return;
        }
        long ticket = nextDial++;
        dialling.put(ticket, b);
        bus.send(Bus.LINKS, new LinkInput.Dial(ticket, address));
    }

    private void dialled(LinkOutput.Dialled o) {
        if (dialling.remove(o.ticket()) != null) meet(new Contact(o.node(), List.of(o.at())));
    }

    private void notDialled(LinkOutput.NotDialled o) {
        Bootstrap b = dialling.remove(o.ticket());
        if (b == null) return;
        LOG.warn("bootstrap {} does not answer at {} ({}); trying again", b.text(), o.to(), o.reason());
        event(
                "bootstrap.unreachable",
                new JsonObject()
                        .put("address", b.text())
                        .put("reason", o.reason().name()));
    }

    private void meet(Contact contact) {
        if (host != null) host.handle(new Dht.Input.Meet(List.of(contact)));
    }

    // ---- the snapshot -----------------------------------------------------------------------------------------------

    private void persist(List<Contact> snapshot) {
        StringBuilder text = new StringBuilder();
        for (Contact contact : snapshot) {
            text.append(contact.node());
            for (Address address : contact.addresses()) text.append(' ').append(address);
            text.append('\n');
        }
        bus.ask(Bus.STORE, new StoreVerticle.Query.Put(MAP, "table", text.toString()));
    }

    private static List<Contact> contacts(Map<?, ?> stored) {
        List<Contact> out = new ArrayList<>();
        Object text = stored.get("table");
        if (text == null) return out;
        for (String line : String.valueOf(text).split("\n")) {
            String[] parts = line.split(" ");
            Id node = Id.parse(parts[0]);
            List<Address> addresses = new ArrayList<>();
            for (int i = 1; i < parts.length; i++) {
                Address address = Address.parse(parts[i]);
                if (address != null && address.isUnicast() && addresses.size() < 4) addresses.add(address);
            }
            if (node != null && !addresses.isEmpty()) out.add(new Contact(node, addresses));
        }
        return out;
    }

    private void event(String type, JsonObject data) {
        bus.publish(Bus.EVENTS, new NodeEvent(type, data));
    }
}
