package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.NetClient;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import mcc.consortium.Subject;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.link.Peer;
import mcc.overlay.Delivery;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import mcc.registry.Offer;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.RegistryConfig;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hosts {@link Registry}: runs the health checks, keeps the registrations on disk, and passes it the round-trip times to
 * peers.
 */
public final class RegistryVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        /** Answered when it is on disk. */
        record Register(Registration registration, Condition condition)
                implements Query, Ask<Registry.Output.Registered> {
            /** Unconditionally. */
            public Register(Registration registration) {
                this(registration, _ -> true);
            }
        }

        record Deregister(String id, Condition condition) implements Query, Ask<Registry.Output.Deregistered> {
            /** Unconditionally. */
            public Deregister(String id) {
                this(id, _ -> true);
            }
        }

        record Heartbeat(String id) implements Query, Ask<Registry.Output.Heartbeaten> {}

        /** This node's registrations. */
        record Registrations() implements Query, Ask<List<Registry.LocalView>> {}

        /** The services that are known here. */
        record Services() implements Query, Ask<List<ServiceName>> {}

        /** The providers of a service; a result up to {@code maxAgeMs} old is good enough. */
        record Resolve(ServiceName service, long maxAgeMs) implements Query, Ask<Registry.Output.Providers> {}

        record Locate(Id endpoint) implements Query, Ask<Registry.Output.Located> {}

        /** The endpoints whose records are under the key of an address. */
        record At(Id key) implements Query, Ask<Registry.Output.EndpointsAt> {}

        /**
         * Publishes changes among the providers of these services as events, instead of the services that {@code owner} named
         * before; answered with a list of those that exceed the limit.
         */
        record Watching(String owner, List<ServiceName> services) implements Query, Ask<List<ServiceName>> {
            /** Copies the list. */
            public Watching {
                services = List.copyOf(services);
            }
        }

        /** Withdraws everything; answered when the network knows, or after a time limit. */
        record Drain() implements Query, Ask<Registry.Output.Drained> {}

        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    /** A condition on the present registration for making a change; checked when no other change can come in between. */
    @FunctionalInterface
    public interface Condition {
        /** @param now null if there is none of that ID */
        boolean admits(Registry.@Nullable LocalView now);
    }

    /** This node's registrations, published. */
    public record Offers(List<Registry.LocalView> all) {}

    private static final Logger LOG = LoggerFactory.getLogger(RegistryVerticle.class);
    private static final String MAP = "registrations";
    private static final long RTT_MS = 2_000;
    private static final int CHANGES_MAX = 1_024;

    private final Bus bus;
    private final String network;
    private final Registry registry;
    private final Counters counters = new Counters();
    private final OpenQuestions tickets = new OpenQuestions();
    /** The core's tickets for the watched services, and the services that each owner watches. */
    private final Map<ServiceName, Long> watches = new LinkedHashMap<>();

    private final Map<String, List<ServiceName>> watching = new LinkedHashMap<>();
    private long nextWatch = 1L << 40;
    /** The latest change under way of each registration, and the new IDs that are being saved. */
    private final Map<String, Future<?>> changing = new LinkedHashMap<>();

    private final Set<String> coming = new LinkedHashSet<>();
    private int changes;
    private boolean draining;
    private @Nullable CoreHost<Registry.Input, Registry.Output> host;
    private @Nullable NetClient client;

    RegistryVerticle(Bus bus, String network, Subject self, Rng rng) {
        this.bus = bus;
        this.network = network;
        registry = new Registry(RegistryConfig.of(Bytes.utf8(network)), self, rng, counters);
    }

    @Override
    public Future<?> start() {
        CoreHost<Registry.Input, Registry.Output> made =
                new CoreHost<>(vertx, registry, new Registry.Input.Tick(), this::deliver);
        host = made;
        client = vertx.createNetClient();
        return Policies.follow(bus, epoch -> made.handle(new Registry.Input.NewPolicy(epoch)))
                .compose(_ -> begin(made));
    }

    private Future<?> begin(CoreHost<Registry.Input, Registry.Output> made) {
        bus.on(Bus.REGISTRY_CORE, made::handle);
        bus.serve(Bus.REGISTRY, this::onQuery);
        made.handle(new Registry.Input.Clock(System.currentTimeMillis()));
        vertx.setPeriodic(RTT_MS, _ -> {
            made.handle(new Registry.Input.Clock(System.currentTimeMillis()));
            tellDistances(made);
        });
        return bus.ask(Bus.STORE, new StoreVerticle.Query.All(MAP)).onSuccess(all -> {
            List<Registration> old = new ArrayList<>();
            all.forEach((id, text) -> {
                Registration registration = Registrations.fromJson(new JsonObject(text));
                if (registration != null) old.add(registration);
                else LOG.error("stored registration {} is not valid and was left alone", id);
            });
            made.handle(new Registry.Input.Restore(old));
            tellOffers();
            Deliveries.post(bus, Wiring.started(Mailbox.REGISTRY));
        });
    }

    @Override
    public Future<?> stop() {
        tickets.close();
        if (host != null) host.close();
        return Future.succeededFuture();
    }

    private void deliver(Registry.Output output) {
        List<Delivery> deliveries = Wiring.route(output);
        Deliveries.post(bus, deliveries);
        if (!Deliveries.hasHost(deliveries)) return;
        switch (output) {
            case Registry.Output.RunCheck o -> check(o);
            case Registry.Output.Registered o -> {
                tellOffers(); // so that it is in effect before whoever asked for it is answered
                tickets.answer(o.ticket(), o);
            }
            case Registry.Output.Deregistered o -> {
                tellOffers(); // so that it is in effect before whoever asked for it is answered
                tickets.answer(o.ticket(), o);
            }
            case Registry.Output.Refused o -> {
                watches.values().remove(o.ticket());
                tickets.fail(o.ticket(), problem(o));
            }
            case Registry.Output.Heartbeaten o -> tickets.answer(o.ticket(), o);
            case Registry.Output.Drained o -> tickets.answer(o.ticket(), o);
            case Registry.Output.Providers o -> tickets.answer(o.ticket(), o);
            case Registry.Output.EndpointsAt o -> tickets.answer(o.ticket(), o);
            case Registry.Output.Located o -> tickets.answer(o.ticket(), o);
            case Registry.Output.Changed o ->
                bus.publish(
                        Bus.EVENTS,
                        new NodeEvent(
                                "service." + o.change().name().toLowerCase(java.util.Locale.ROOT),
                                new JsonObject()
                                        .put("service", o.service().toString())
                                        .put("provider", Registrations.offer(o.offer(), network))));
            case Registry.Output.HealthChanged o ->
                bus.publish(
                        Bus.EVENTS,
                        new NodeEvent(
                                "registration.health",
                                new JsonObject()
                                        .put("id", o.id())
                                        .put("service", o.service().toString())
                                        .put("health", Registrations.health(o.health()))
                                        .put("reason", o.reason())));
            case Registry.Output.PolicyEnded o -> {
                Policies.tellEnded(bus, o.epoch(), "services", o.services());
                tellOffers(); // whoever keeps an earlier result asks again
            }
            case Registry.Output.Find _, Registry.Output.Put _, Registry.Output.Remove _, Registry.Output.Retain _ -> {}
        }
    }

    private void tellOffers() {
        bus.publish(Bus.OFFERS, new Offers(registry.registrations()));
    }

    /** Saves a change before it is made: what cannot be saved is not done. */
    private <A> Future<A> change(
            Class<A> answer, StoreVerticle.Query.Change onDisk, LongFunction<Registry.Input> input) {
        return tickets.ask(
                answer,
                ticket -> bus.ask(Bus.STORE, onDisk)
                        .onSuccess(_ -> {
                            if (host != null) host.handle(input.apply(ticket));
                        })
                        .onFailure(e -> tickets.fail(ticket, e)));
    }

    /**
     * Makes the changes of one registration one after another, so that each condition is checked against the result before it.
     */
    private <A> Future<A> after(String id, Condition condition, Supplier<Future<A>> change) {
        if (changes >= CHANGES_MAX) {
            return Future.failedFuture(new Problem(
                    "overloaded", "too many registrations are being changed already", "try again in a second"));
        }
        changes++;
        Promise<A> promise = Promise.promise();
        Future<A> done = promise.future();
        Future<?> before = changing.put(id, done);
        done.onComplete(_ -> {
            changes--;
            changing.remove(id, done);
        });
        if (before == null) make(id, condition, change, promise);
        else before.onComplete(_ -> context.runOnContext(_ -> make(id, condition, change, promise)));
        return done;
    }

    private <A> void make(String id, Condition condition, Supplier<Future<A>> change, Promise<A> promise) {
        try {
            Registry.LocalView now = registry.registration(id);
            if (condition.admits(now)) change.get().onComplete(promise);
            else promise.fail(unlike(now));
        } catch (RuntimeException e) {
            promise.tryFail(e);
            throw e;
        }
    }

    private static Problem unlike(Registry.@Nullable LocalView now) {
        return new Problem(
                "precondition-failed",
                now == null ? "there is no such registration" : "the registration has changed meanwhile",
                "read it again and decide again");
    }

    /** Registers an app. What the registry would refuse must not be saved, as the next start would read it. */
    private Future<Registry.Output.Registered> register(Registration registration) {
        String id = registration.id();
        Registry.Output.Refused refused = registry.refusal(0, id, coming.size());
        if (refused != null) return Future.failedFuture(problem(refused));
        if (draining) return Future.failedFuture(draining("the node drains: it offers nothing more"));
        if (registry.registration(id) == null) coming.add(id);
        return change(
                        Registry.Output.Registered.class,
                        put(registration),
                        t -> new Registry.Input.Register(t, registration))
                .onComplete(_ -> coming.remove(id));
    }

    /** Drains once all that is being saved is registered, so that nothing is on disk that the registry refuses. */
    private Future<Registry.Output.Drained> drain() {
        draining = true;
        List<Future<?>> saving = List.copyOf(changing.values());
        Future<?> saved = saving.isEmpty() ? Future.succeededFuture() : Future.join(saving);
        return saved.transform(_ -> core(Registry.Output.Drained.class, Registry.Input.Drain::new));
    }

    private static Problem draining(String reason) {
        return new Problem("node-not-ready", reason, "start the node again");
    }

    private static Problem problem(Registry.Output.Refused o) {
        return o.draining()
                ? draining(o.reason())
                : new Problem("overloaded", o.reason(), "deregister what is no longer needed");
    }

    private static StoreVerticle.Query.Change put(Registration r) {
        return new StoreVerticle.Query.Put(MAP, r.id(), Registrations.toJson(r).encode());
    }

    private Ask.Reply onQuery(Query query) {
        CoreHost<Registry.Input, Registry.Output> host = this.host;
        if (host == null)
            return Ask.Reply.failed(new Problem("node-not-ready", "the registry is starting", "try again"));
        return switch (query) {
            case Query.Register q ->
                q.replyOnce(after(q.registration().id(), q.condition(), () -> register(q.registration())));
            case Query.Deregister q -> q.replyOnce(after(q.id(), q.condition(), () -> deregister(q.id())));
            case Query.Heartbeat q ->
                q.replyOnce(core(Registry.Output.Heartbeaten.class, t -> new Registry.Input.Heartbeat(t, q.id())));
            case Query.Registrations q -> q.reply(registry.registrations());
            case Query.Services q -> q.reply(registry.services());
            case Query.Resolve q ->
                q.replyOnce(core(
                        Registry.Output.Providers.class,
                        t -> new Registry.Input.Resolve(t, q.service(), q.maxAgeMs())));
            case Query.Locate q ->
                q.replyOnce(core(Registry.Output.Located.class, t -> new Registry.Input.Locate(t, q.endpoint())));
            case Query.At q ->
                q.replyOnce(core(Registry.Output.EndpointsAt.class, t -> new Registry.Input.At(t, q.key())));
            case Query.Drain q -> q.replyOnce(drain());
            case Query.Counts q -> q.reply(counters.snapshot());
            case Query.Watching q -> q.reply(watch(host, q));
        };
    }

    private <A> Future<A> core(Class<A> answer, LongFunction<Registry.Input> input) {
        return tickets.ask(answer, ticket -> {
            if (host != null) host.handle(input.apply(ticket));
        });
    }

    private Future<Registry.Output.Deregistered> deregister(String id) {
        return change(
                Registry.Output.Deregistered.class,
                new StoreVerticle.Query.Remove(MAP, id),
                t -> new Registry.Input.Deregister(t, id));
    }

    /** Watches services for an owner; one watch in the core serves all owners of a service. */
    private List<ServiceName> watch(CoreHost<Registry.Input, Registry.Output> host, Query.Watching q) {
        watching.put(q.owner(), q.services());
        Set<ServiceName> wanted = new LinkedHashSet<>();
        watching.values().forEach(wanted::addAll);
        for (ServiceName service : List.copyOf(watches.keySet())) {
            if (wanted.contains(service)) continue;
            Long ticket = watches.remove(service);
            if (ticket != null) host.handle(new Registry.Input.Unwatch(ticket));
        }
        for (ServiceName service : wanted) {
            if (watches.containsKey(service)) continue;
            long ticket = nextWatch++;
            watches.put(service, ticket);
            host.handle(new Registry.Input.Watch(ticket, service)); // a refusal is answered at once
        }
        List<ServiceName> refused = new ArrayList<>(q.services());
        refused.removeIf(watches::containsKey);
        List<ServiceName> taken = new ArrayList<>(q.services());
        taken.removeAll(refused);
        watching.put(q.owner(), List.copyOf(taken));
        return List.copyOf(refused);
    }

    private void tellDistances(CoreHost<Registry.Input, Registry.Output> host) {
        bus.ask(Bus.SESSION, new SessionVerticle.Query.Peers()).onSuccess(peers -> {
            for (Peer peer : peers) {
                if (peer.rttNs() <= 0 || peer.leastRttNs() <= 0) continue;
                var distance = new Offer.Distance(peer.rttNs(), peer.leastRttNs());
                host.handle(new Registry.Input.PeerRtt(peer.id(), distance));
            }
        });
    }

    private void check(Registry.Output.RunCheck o) {
        NetClient client = this.client;
        if (client == null || host == null) return;
        Registry.LocalView view = registry.registration(o.id());
        boolean proxy = view != null
                && view.registration().delivery().proxy()
                && view.registration().ports().has(false, o.port()); // a port that is only for checks has no callers
        HealthCheck.run(vertx, client, o, proxy ? ProxyHeader.local() : new byte[0], (ok, detail) -> {
            if (host != null) host.handle(new Registry.Input.Checked(o.id(), o.run(), ok, detail));
        });
    }
}
