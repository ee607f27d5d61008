package mcc.node;

import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.json.JsonObject;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Id;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.wire.Contact;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Contacts the bootstrap nodes: again and again while nobody answers, and once in a while after that, because a node and the
 * network may lose each other: when a node was set up again, a name has moved, or the network was split. Names are looked up
 * at each attempt.
 */
final class Bootstraps {
    /** Looks up the addresses of a host; blocks. */
    @FunctionalInterface
    interface Resolver {
        List<Address> resolve(String host, int port);
    }

    /** The problem code while no bootstrap node has ever answered. */
    static final String NONE = "no-bootstrap";

    private static final Logger LOG = LoggerFactory.getLogger(Bootstraps.class);
    /** Pauses between two attempts: the first one, the longest while nobody answers, and the one once joined. */
    private static final long FIRST_MS = 2_000;

    private static final long LAST_MS = 15_000;
    private static final long JOINED_MS = 300_000;
    /** Names that are looked up at a time; each may take long. */
    private static final int RESOLVERS = 16;

    private static final int TITLE = 500;
    /** A node with a given key that did not answer so many attempts is told of: after six seconds at first. */
    private static final int SILENT = 2;

    private final Vertx vertx;
    private final Bus bus;
    private final Status status;
    private final List<DhtVerticle.Bootstrap> all;
    private final Resolver resolver;
    private final Consumer<Contact> meet;
    private final WorkerExecutor resolvers;
    /** Dials under way, by ticket. */
    private final Map<Long, DhtVerticle.Bootstrap> dialling = new LinkedHashMap<>();
    /** Dials under way to who was heard on the link; each ends within seconds, and few begin ({@code lan.Lan}). */
    private final Set<Long> neighbours = new HashSet<>();
    /** Bootstrap nodes whose names are being looked up. */
    private final Set<DhtVerticle.Bootstrap> resolving = new HashSet<>();
    /** Of those whose keys were given, how often each was called that never answered. */
    private final Map<DhtVerticle.Bootstrap, Integer> called = new LinkedHashMap<>();
    /** What went wrong last with each of them. */
    private final Map<DhtVerticle.Bootstrap, String> trouble = new LinkedHashMap<>();

    private long tickets;
    private long pauseMs = FIRST_MS;
    /** Counts the attempts; the timer of an earlier one is void. */
    private long round;

    private boolean joined;
    private boolean everJoined;

    /** @param meet takes each node that was reached */
    Bootstraps(
            Vertx vertx,
            Bus bus,
            Status status,
            List<DhtVerticle.Bootstrap> all,
            Resolver resolver,
            Consumer<Contact> meet) {
        this.vertx = vertx;
        this.bus = bus;
        this.status = status;
        this.all = List.copyOf(all);
        this.resolver = resolver;
        this.meet = meet;
        resolvers = vertx.createSharedWorkerExecutor("mcc-names", RESOLVERS);
    }

    void close() {
        round++;
        resolvers.close();
    }

    /** The node has joined the network. */
    void joined() {
        joined = true;
        everJoined = true;
        status.solved(NONE);
        callLater(JOINED_MS);
    }

    /** Nobody answers any more. */
    void alone() {
        joined = false;
        pauseMs = FIRST_MS;
        call();
    }

    /** This host's addresses have changed: its network may be back. */
    void hurry() {
        if (!joined && pauseMs > FIRST_MS) alone();
    }

    /** The links were started again and have forgotten the dials. */
    void forget() {
        dialling.clear();
        neighbours.clear();
    }

    /** Dials every address of each bootstrap node. */
    void call() {
        if (all.isEmpty()) return;
        all.forEach(this::judge);
        if (!everJoined && pauseMs > FIRST_MS) tell();
        for (DhtVerticle.Bootstrap b : all) resolve(b);
        callLater(joined ? JOINED_MS : pauseMs);
        if (!joined) pauseMs = Math.min(LAST_MS, pauseMs * 2);
    }

    private void callLater(long inMs) {
        if (all.isEmpty()) return;
        long mine = ++round;
        vertx.setTimer(inMs, _ -> {
            if (mine == round) call();
        });
    }

    private void tell() {
        StringBuilder title = new StringBuilder("no bootstrap node has answered yet, so this node knows nobody");
        trouble.forEach(
                (b, what) -> title.append("; ").append(b.text()).append(": ").append(what));
        status.problem(
                NONE,
                "warning",
                title.substring(0, Math.min(TITLE, title.length())),
                "check that one runs at " + all.getFirst().text()
                        + ", with this network and key, and that UDP gets there");
    }

    /** Resolves and dials one of them. All are looked up at the same time, so a silent name server for one delays no other. */
    private void resolve(DhtVerticle.Bootstrap b) {
        String host = b.host().indexOf(':') < 0 ? b.host() : "[" + b.host() + "]";
        Address literal = Address.parse(host + ":" + b.port());
        if (literal != null) {
            greet(b, literal);
            return;
        }
        if (!resolving.add(b)) return;
        resolvers
                .executeBlocking(() -> resolver.resolve(b.host(), b.port()), false)
                .onComplete(done -> {
                    resolving.remove(b);
                    if (done.succeeded()) for (Address address : done.result()) greet(b, address);
                    else failed(b, Problem.text(done.cause()));
                });
    }

    /**
     * Looks whether one whose key was given has answered. A node drops without a word what is sealed for another key, so a wrong
     * key looks like nobody.
     */
    private void judge(DhtVerticle.Bootstrap b) {
        if (b.key() == null || called.getOrDefault(b, 0) < 0) return;
        if (called.merge(b, 1, Integer::sum) <= SILENT) return;
        String what = "no node with that key answers; either none is there, or its key is another one: compare with"
                + " what 'mcc id' shows at that node, or leave KEY@ out";
        if (what.equals(trouble.put(b, what))) return;
        LOG.warn("bootstrap {}: {}", b.text(), what);
    }

    /** There is a link to a node. */
    void up(Id node) {
        for (DhtVerticle.Bootstrap b : all) {
            if (!node.equals(b.key())) continue;
            called.put(b, -1);
            trouble.remove(b);
        }
    }

    /** Dials an address on this host's link, where a node of the network was heard. */
    void neighbour(Address address) {
        long ticket = tickets++;
        neighbours.add(ticket);
        bus.send(Bus.LINKS, new LinkInput.Dial(ticket, address));
    }

    private void greet(DhtVerticle.Bootstrap b, Address address) {
        if (b.key() != null) {
            meet.accept(new Contact(b.key(), List.of(address)));
            return;
        }
        long ticket = tickets++;
        dialling.put(ticket, b);
        bus.send(Bus.LINKS, new LinkInput.Dial(ticket, address));
    }

    void dialled(LinkOutput.Dialled o) {
        DhtVerticle.Bootstrap b = dialling.remove(o.ticket());
        if (b == null && !neighbours.remove(o.ticket())) return;
        if (b != null) trouble.remove(b);
        meet.accept(new Contact(o.node(), List.of(o.at())));
    }

    void notDialled(LinkOutput.NotDialled o) {
        if (neighbours.remove(o.ticket())) return; // it is heard again, if it is there
        DhtVerticle.Bootstrap b = dialling.remove(o.ticket());
        if (b == null) return;
        failed(b, "no answer at " + o.to() + " (" + o.reason() + ")");
        if (joined) return;
        JsonObject data = new JsonObject()
                .put("address", b.text())
                .put("reason", o.reason().name());
        bus.publish(Bus.EVENTS, new NodeEvent("bootstrap.unreachable", data));
    }

    /** Logs what is wrong with a bootstrap node, unless that was logged last time. */
    private void failed(DhtVerticle.Bootstrap b, String what) {
        if (what.equals(trouble.put(b, what)) || joined) return;
        LOG.warn("bootstrap {}: {}; trying again", b.text(), what);
    }
}
