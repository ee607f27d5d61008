package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.dht.Dht;
import mcc.dht.DhtConfig;
import mcc.dht.Signing;
import mcc.link.LinkOutput;
import mcc.overlay.Delivery;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hosts {@link Dht}, joins the network by the bootstrap nodes, and keeps a snapshot of the routing table on disk. */
public final class DhtVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        /** Answered by a {@link Dht.Status}. */
        record Status() implements Query, Ask<Dht.Status> {}

        /** Answered by a list of {@link Dht.BucketView}. */
        record Buckets() implements Query, Ask<List<Dht.BucketView>> {}

        /** A lookup. */
        sealed interface Find extends Query, Ask<Dht.Output.Found> {}

        /** Looks up nodes by position. */
        record FindNode(Id target) implements Find {}

        /** Looks up records by key. */
        record FindValue(Id key) implements Find {}

        /** Answered by a list of {@link Counters.Count}. */
        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    /** A bootstrap node as configured; its key is null if none was given. */
    public record Bootstrap(String text, @Nullable Id key, String host, int port) {}

    private static final Logger LOG = LoggerFactory.getLogger(DhtVerticle.class);
    private static final long SNAPSHOT_MS = 60_000;
    private static final long TABLE_MS = 1_000;
    private static final long CLOCK_MS = 5_000;
    /** Records of a node whose clock is off by more are refused. */
    private static final long REFUSED_MS = 600_000;
    /** How long an alarm is shown that no event ends. */
    private static final long ALARM_MS = 600_000;

    private static final String ALONE = "alone";
    private static final String CLOCK = "clock";
    private static final String THIN = "few-holders";
    private static final String TWIN = "key-used-twice";
    private static final String MAP = "contacts";
    private static final int RECORDS = 256;

    private final Bus bus;
    private final List<Bootstrap> named;
    /** Whether there is anybody to join by, named or behind a carrier. */
    private final boolean meets;

    private final Dht dht;
    private final Id self;
    private final Status status;
    private final Counters counters = new Counters();
    private final OpenQuestions tickets = new OpenQuestions();
    private @Nullable Bootstraps bootstraps;
    private @Nullable CoreHost<Dht.Input, Dht.Output> host;
    private boolean everJoined;
    private long twinTimer = -1;
    /** The snapshot on disk. */
    private String saved = "";

    private @Nullable Throttle savesTable;
    private int tableSize;

    DhtVerticle(
            Bus bus,
            String network,
            Identity identity,
            List<Bootstrap> bootstrap,
            boolean meets,
            Rng rng,
            Status status) {
        this.meets = meets;
        this.bus = bus;
        this.status = status;
        named = List.copyOf(bootstrap);
        self = identity.id();
        dht = new Dht(DhtConfig.of(Bytes.utf8(network)), self, Signing.of(identity), rng, counters);
    }

    @Override
    public Future<?> start() {
        CoreHost<Dht.Input, Dht.Output> made = new CoreHost<>(vertx, dht, new Dht.Input.Tick(), this::deliver);
        host = made;
        savesTable = new Throttle(vertx, TABLE_MS, this::saveTable);
        return Policies.follow(bus, epoch -> made.handle(new Dht.Input.NewPolicy(epoch)))
                .compose(_ -> begin(made));
    }

    private Future<?> begin(CoreHost<Dht.Input, Dht.Output> made) {
        List.of(ALONE, CLOCK, THIN, TWIN).forEach(status::solved); // those of this verticle's predecessor
        made.handle(new Dht.Input.Clock(System.currentTimeMillis())); // before anybody asks for it
        bus.on(Bus.DHT_CORE, this::onInput);
        bus.on(Bus.DHT_HOST, this::onDialled);
        bus.on(Bus.NEIGHBOURS, at -> {
            if (this.bootstraps != null) this.bootstraps.neighbour(at);
        });
        bus.serve(Bus.DHT, this::onQuery);
        Bootstraps bootstraps = new Bootstraps(vertx, bus, status, named, Addresses::resolve, this::meet);
        this.bootstraps = bootstraps;
        bus.on(Bus.STARTED, started -> {
            if (started.mailbox() == Mailbox.LINKS) bootstraps.forget(); // the links were started again
        });
        vertx.setPeriodic(CLOCK_MS, _ -> made.handle(new Dht.Input.Clock(System.currentTimeMillis())));
        vertx.setPeriodic(SNAPSHOT_MS, _ -> made.handle(new Dht.Input.Snapshot()));
        return bus.ask(Bus.STORE, new StoreVerticle.Query.All(MAP)).onSuccess(all -> {
            List<Contact> snapshot = contacts(all);
            Contact me = new Contact(self, List.of());
            made.handle(new Dht.Input.Start(me, List.of(), snapshot, meets, System.currentTimeMillis()));
            bootstraps.call();
            Deliveries.post(bus, Wiring.started(Mailbox.DHT));
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
            if (bootstraps != null) bootstraps.close();
        }
        return Future.succeededFuture();
    }

    private void onInput(Dht.Input input) {
        if (host == null) return;
        if (input instanceof Dht.Input.Up up && bootstraps != null) bootstraps.up(up.node());
        if (input instanceof Dht.Input.SelfAddresses known) selfAddresses(host, known);
        else host.handle(input);
    }

    private void onDialled(LinkOutput output) {
        if (bootstraps == null) return;
        if (output instanceof LinkOutput.Dialled o) bootstraps.dialled(o);
        if (output instanceof LinkOutput.NotDialled o) bootstraps.notDialled(o);
    }

    private void deliver(Dht.Output output) {
        List<Delivery> deliveries = Wiring.route(output);
        Deliveries.post(bus, deliveries);
        if (!Deliveries.hasHost(deliveries)) return;
        switch (output) {
            case Dht.Output.Found o -> {
                counters.add("dht.lookup.count");
                counters.of("dht.lookup.tookMs").add(o.trace().tookMs());
                tickets.answer(o.ticket().number(), o);
            }
            case Dht.Output.Stored o -> tickets.answer(o.ticket().number(), o);
            case Dht.Output.Persist o -> persist(o.snapshot());
            case Dht.Output.Joined o -> joined(o.contacts().size());
            case Dht.Output.Alone _ -> alone();
            case Dht.Output.ClockOff o -> clockOff(o.aheadMs(), o.nodes());
            case Dht.Output.Thin o -> thin(o.records());
            case Dht.Output.Renumbered o -> renumbered(o);
            case Dht.Output.Twin _ -> twin();
            case Dht.Output.TableChanged o -> {
                tableSize = o.contacts();
                if (savesTable != null) savesTable.call();
            }
            case Dht.Output.Expired o -> {
                counters.add("lease.expired");
                event("dht.expired", new JsonObject().put("key", o.key().toString()));
            }
            case Dht.Output.PolicyEnded o -> Policies.tellEnded(bus, o.epoch(), "records", o.records());
            case Dht.Output.Ask _, Dht.Output.Cancel _, Dht.Output.Reply _ -> {}
        }
    }

    /** Reports and saves the changed table: a node that is killed soon after still knows contacts. */
    private void saveTable() {
        event("dht.table", new JsonObject().put("contacts", tableSize));
        if (host != null) host.handle(new Dht.Input.Snapshot());
    }

    private Ask.Reply onQuery(Query query) {
        CoreHost<Dht.Input, Dht.Output> host = this.host;
        if (host == null) return Ask.Reply.failed(new Problem("node-not-ready", "the DHT is starting", "try again"));
        return switch (query) {
            case Query.Status q -> q.reply(dht.status());
            case Query.Buckets q -> q.reply(dht.buckets());
            case Query.Counts q -> q.reply(counters.snapshot());
            case Query.FindNode q -> q.replyOnce(find(t -> host.handle(new Dht.Input.FindNode(t, q.target()))));
            case Query.FindValue q ->
                q.replyOnce(find(t -> host.handle(new Dht.Input.FindValue(t, q.key(), Dht.Input.ALL, RECORDS))));
        };
    }

    private Future<Dht.Output.Found> find(LongConsumer question) {
        return tickets.ask(Dht.Output.Found.class, question);
    }

    // ---- the network ------------------------------------------------------------------------------------------------

    private void joined(int neighbours) {
        if (neighbours == 0) {
            LOG.info("the first node of its network, as far as it knows");
        } else {
            LOG.info("joined the network through {} neighbours", neighbours);
            everJoined = true;
            status.solved(ALONE);
            if (bootstraps != null) bootstraps.joined();
        }
        event("dht.joined", new JsonObject().put("neighbours", neighbours));
    }

    private void alone() {
        if (everJoined || !meets) {
            String title = "no node of the network answers any more: this node is alone, and nobody finds its services";
            LOG.warn("{}; trying again", title);
            String hint = "check this machine's network, and that UDP gets out; the node keeps trying";
            status.problem(ALONE, "error", title, hint);
            event("dht.alone", new JsonObject());
        }
        if (bootstraps != null) bootstraps.alone();
    }

    private void selfAddresses(CoreHost<Dht.Input, Dht.Output> host, Dht.Input.SelfAddresses addresses) {
        boolean changed = !dht.self().addresses().equals(addresses.addresses());
        host.handle(addresses);
        if (changed && bootstraps != null) bootstraps.hurry();
    }

    private void meet(Contact contact) {
        if (host != null) host.handle(new Dht.Input.Meet(List.of(contact)));
    }

    // ---- what an operator should know -------------------------------------------------------------------------------

    private void clockOff(long aheadMs, int nodes) {
        if (aheadMs == 0) {
            LOG.info("this machine's clock agrees with others' again");
            status.solved(CLOCK);
            return;
        }
        boolean refused = Math.abs(aheadMs) > REFUSED_MS;
        String title =
                "this machine's clock is " + Math.abs(aheadMs) / 1_000 + " s " + (aheadMs > 0 ? "ahead of" : "behind")
                        + " what " + nodes + (nodes == 1 ? " other node says" : " other nodes say")
                        + (refused ? ", so they refuse its records and nobody finds its services" : "");
        LOG.warn("{}", title);
        status.problem(CLOCK, refused ? "error" : "warning", title, "set the clock, by NTP or chrony");
        event("clock.off", new JsonObject().put("aheadMs", aheadMs).put("nodes", nodes));
    }

    private void thin(int records) {
        if (records == 0) {
            status.solved(THIN);
            return;
        }
        status.problem(
                THIN,
                "warning",
                records + (records == 1 ? " record" : " records")
                        + " of this node's services are held by too few nodes, so others may not find them",
                "the node tries again every few seconds; look for other problems, and whether those nodes are full");
    }

    private void renumbered(Dht.Output.Renumbered o) {
        LOG.warn(
                "holders know a newer version of the record at {} than this node: its clock was ahead before, or its data was"
                        + " restored from a backup; published again as number {}",
                o.key().shortText(),
                o.seq());
        event("dht.renumbered", new JsonObject().put("key", o.key().toString()).put("seq", o.seq()));
    }

    private void twin() {
        String title = "another node runs with this node's key, and each overwrites what the other publishes";
        LOG.error("{}", title);
        status.problem(TWIN, "error", title, "stop one of them, and remove node.key from its data folder");
        event("key.used-twice", new JsonObject());
        vertx.cancelTimer(twinTimer);
        twinTimer = vertx.setTimer(ALARM_MS, _ -> status.solved(TWIN));
    }

    // ---- the snapshot -----------------------------------------------------------------------------------------------

    private void persist(List<Contact> snapshot) {
        StringBuilder text = new StringBuilder();
        for (Contact contact : snapshot) {
            text.append(contact.node());
            for (Address address : contact.addresses()) text.append(' ').append(address);
            text.append('\n');
        }
        if (text.toString().equals(saved)) return;
        bus.ask(Bus.STORE, new StoreVerticle.Query.Put(MAP, "table", text.toString()))
                .onSuccess(_ -> saved = text.toString());
    }

    private static List<Contact> contacts(Map<String, String> stored) {
        List<Contact> out = new ArrayList<>();
        String text = stored.get("table");
        if (text == null) return out;
        for (String line : text.split("\n")) {
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
