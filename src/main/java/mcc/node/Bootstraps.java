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
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.wire.Contact;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls on the bootstrap nodes: again and again while nobody answers, and now and then in the network, as the two may have become
 * strangers: a node that was made anew, a name that moved, a network in two parts. Names are looked up at each try.
 */
final class Bootstraps {
    /** Finds the addresses of a host; blocks. */
    @FunctionalInterface
    interface Resolver {
        List<Address> resolve(String host, int port);
    }

    /** The problem of a node whom none has answered yet. */
    static final String NONE = "no-bootstrap";

    private static final Logger LOG = LoggerFactory.getLogger(Bootstraps.class);
    /** Between two rounds of calls: first, at most while nobody answers, and in the network. */
    private static final long FIRST_MS = 2_000;

    private static final long LAST_MS = 15_000;
    private static final long JOINED_MS = 300_000;
    /** Names looked up at a time; the resolver may take its time over each. */
    private static final int RESOLVERS = 16;

    private static final int TITLE = 500;

    private final Vertx vertx;
    private final Bus bus;
    private final Status status;
    private final List<DhtVerticle.Bootstrap> all;
    private final Resolver resolver;
    private final Consumer<Contact> meet;
    private final WorkerExecutor resolvers;
    /** First contacts under way, by ticket. */
    private final Map<Long, DhtVerticle.Bootstrap> dialling = new LinkedHashMap<>();
    /** Those whose names are being looked up. */
    private final Set<DhtVerticle.Bootstrap> resolving = new HashSet<>();
    /** What went wrong with each last. */
    private final Map<DhtVerticle.Bootstrap, String> trouble = new LinkedHashMap<>();

    private long tickets;
    private long pauseMs = FIRST_MS;
    /** Counts rounds of calls; the timer of an earlier one is void. */
    private long round;

    private boolean joined;
    private boolean everJoined;

    /** @param meet takes a node that is met */
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

    /** Whether nobody was named, so that this may be the first node. */
    boolean isEmpty() {
        return all.isEmpty();
    }

    void close() {
        round++;
        resolvers.close();
    }

    /** The node is in the network. */
    void joined() {
        joined = true;
        everJoined = true;
        status.solved(NONE);
        callLater(JOINED_MS);
    }

    /** Nobody answers. */
    void alone() {
        joined = false;
        pauseMs = FIRST_MS;
        call();
    }

    /** The network of this host is another one, or back. */
    void hurry() {
        if (!joined && pauseMs > FIRST_MS) alone();
    }

    /** The links know nothing any more of what they were asked. */
    void forget() {
        dialling.clear();
    }

    /** Greets every address of each. */
    void call() {
        if (all.isEmpty()) return;
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
                "check that one runs at " + all.getFirst().text() + ", with this network and key, and UDP gets there");
    }

    /** All at a time, and each once: a name server that is silent about one holds up no other. */
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
        if (b == null) return;
        trouble.remove(b);
        meet.accept(new Contact(o.node(), List.of(o.at())));
    }

    void notDialled(LinkOutput.NotDialled o) {
        DhtVerticle.Bootstrap b = dialling.remove(o.ticket());
        if (b == null) return;
        failed(b, "no answer at " + o.to() + " (" + o.reason() + ")");
        if (joined) return;
        JsonObject data = new JsonObject()
                .put("address", b.text())
                .put("reason", o.reason().name());
        bus.publish(Bus.EVENTS, new NodeEvent("bootstrap.unreachable", data));
    }

    /** Says what is wrong with one once, until something else is. */
    private void failed(DhtVerticle.Bootstrap b, String what) {
        if (what.equals(trouble.put(b, what)) || joined) return;
        LOG.warn("bootstrap {}: {}; trying again", b.text(), what);
    }
}
