package mcc.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import mcc.consortium.Action;
import mcc.consortium.DecisionPoint;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Question;
import mcc.consortium.Subject;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.dht.Holding;
import mcc.wire.Provider;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/**
 * The providers that lookups found. There is one lookup at a time per service, however many ask, and its result is used again
 * for a moment; this node's own offers are always returned as they are now.
 */
final class Directory {
    /** One provider of another node, with the moment from which it is no longer believed. */
    private record Remote(Provider provider, boolean renewed, long liveUntilNs) {}

    private record Cached(List<Remote> remotes, long atNs) {}

    /** A lookup under way, and the tickets of those who wait for it. */
    private record Flight(ServiceName service, List<Long> waiting, long endsNs) {}

    /** A lookup of one endpoint's record, or of all records at an address's key, and the ticket of who asked. */
    private record Location(long asker, @Nullable Id endpoint, Id key, long endsNs) {}

    /** Records under an address's key that are considered: hiding an endpoint behind others takes as many. */
    private static final int STANDING = 16;

    private static final class Watch {
        final ServiceName service;
        Map<Id, Offer> seen = new LinkedHashMap<>();

        Watch(ServiceName service) {
            this.service = service;
        }
    }

    private final RegistryConfig config;
    private final Subject self;
    private final DecisionPoint policy;
    private final LocalRegistrations locals;
    private final Rng rng;
    private final Counters counters;
    private final Consumer<Registry.Output> out;
    private final Tickets tickets;
    private final LinkedHashMap<ServiceName, Cached> cache = new LinkedHashMap<>();
    private final LinkedHashMap<Long, Flight> flights = new LinkedHashMap<>();
    private final LinkedHashMap<Long, Location> locations = new LinkedHashMap<>();
    private final LinkedHashMap<Long, Watch> watches = new LinkedHashMap<>();
    private final LinkedHashMap<Id, Offer.Distance> rtts = new LinkedHashMap<>();
    private long nextWatchNs = Core.NEVER;
    private boolean localsChanged;
    private long epochMs;
    private long epochAtNs;

    Directory(
            RegistryConfig config,
            Subject self,
            LocalRegistrations locals,
            Rng rng,
            Counters counters,
            Consumer<Registry.Output> out,
            Tickets tickets) {
        this.config = config;
        this.self = self;
        policy = new DecisionPoint(counters);
        this.locals = locals;
        this.rng = rng;
        this.counters = counters;
        this.out = out;
        this.tickets = tickets;
    }

    void clock(long nowNs, long nowMs) {
        epochMs = nowMs;
        epochAtNs = nowNs;
    }

    /** Whether this node may learn who offers a service. */
    private boolean maySee(long nowNs, ServiceName service) {
        long nowMs = epochMs + (nowNs - epochAtNs) / RegistryConfig.MS;
        var thing = new Question.Thing.Service(service.org(), service.name());
        return policy.allows(new Question(self, Action.SEE, thing, nowMs));
    }

    /**
     * Takes a new policy: services that it hides look from now on as if nobody offered them, also to those who wait or watch.
     */
    void govern(long nowNs, PolicyEpoch epoch) {
        if (!policy.take(epoch)) return;
        Set<ServiceName> unseen = new LinkedHashSet<>(cache.keySet());
        for (Flight flight : flights.values()) unseen.add(flight.service);
        for (Watch watch : watches.values()) if (!watch.seen.isEmpty()) unseen.add(watch.service);
        unseen.removeIf(service -> maySee(nowNs, service));
        for (ServiceName service : unseen) {
            cache.remove(service);
            for (var flight : List.copyOf(flights.entrySet())) {
                if (!flight.getValue().service.equals(service)) continue;
                flights.remove(flight.getKey());
                for (long ticket : flight.getValue().waiting) nobody(ticket, service);
            }
            notice(service, List.of());
        }
        if (!watches.isEmpty()) nextWatchNs = nowNs;
        if (unseen.isEmpty()) return;
        counters.of("policy.ended.services").add(unseen.size());
        out.accept(new Registry.Output.PolicyEnded(epoch.number(), unseen.size()));
    }

    private void nobody(long ticket, ServiceName service) {
        out.accept(new Registry.Output.Providers(ticket, service, List.of(), List.of()));
    }

    void rtt(Id node, Offer.Distance distance) {
        rtts.remove(node);
        if (rtts.size() >= config.nodes()) rtts.pollFirstEntry();
        rtts.put(node, distance);
    }

    void resolve(long nowNs, Registry.Input.Resolve resolve) {
        if (!maySee(nowNs, resolve.service())) {
            nobody(resolve.ticket(), resolve.service());
            return;
        }
        Cached cached = cache.get(resolve.service());
        if (cached != null && nowNs - cached.atNs < config.cacheNs()) {
            counters.add("registry.cacheHit");
            answer(nowNs, resolve.ticket(), resolve.service());
            return;
        }
        Flight flight = flight(nowNs, resolve.service());
        if (cached != null && nowNs - cached.atNs < resolve.maxAgeMs() * RegistryConfig.MS && anyLive(nowNs, cached)) {
            counters.add("registry.cacheOldHit");
            answer(nowNs, resolve.ticket(), resolve.service());
            return;
        }
        if (flight == null || flight.waiting.size() >= config.waiting()) {
            counters.add("registry.resolveRefused");
            answer(nowNs, resolve.ticket(), resolve.service());
            return;
        }
        flight.waiting.add(resolve.ticket());
    }

    private static boolean anyLive(long nowNs, Cached cached) {
        for (Remote remote : cached.remotes) if (remote.liveUntilNs > nowNs) return true;
        return false;
    }

    private @Nullable Flight flight(long nowNs, ServiceName service) {
        for (Flight flight : flights.values()) {
            if (flight.service.equals(service)) return flight;
        }
        if (flights.size() >= config.services()) return null;
        long ticket = tickets.next();
        Flight flight = new Flight(service, new ArrayList<>(), nowNs + config.findNs());
        flights.put(ticket, flight);
        find(ticket, service);
        return flight;
    }

    void found(long nowNs, Registry.Input.Found found) {
        if (located(nowNs, found)) return;
        Flight flight = flights.remove(found.ticket());
        if (flight == null) return;
        List<Remote> remotes = new ArrayList<>();
        for (Holding holding : found.records()) {
            Provider provider = provider(flight.service, holding.record());
            if (provider == null) {
                counters.add("registry.providerInvalid");
                continue;
            }
            if (!locals.isOwn(provider.node())) remotes.add(remote(nowNs, provider, holding));
        }
        cache.remove(flight.service);
        if (cache.size() >= config.services()) cache.pollFirstEntry();
        cache.put(flight.service, new Cached(remotes, nowNs));
        for (long ticket : flight.waiting) answer(nowNs, ticket, flight.service);
        notice(nowNs, flight.service);
    }

    /** A record without heartbeats by design is trusted as long as holders keep it: for its lease at most. */
    private static Remote remote(long nowNs, Provider provider, Holding holding) {
        Record.Content content = holding.record().content();
        boolean renewed = content.beatMs() > 0;
        long leftMs = renewed ? content.beatMs() - holding.beatAgeMs() : content.leaseMs();
        return new Remote(provider, renewed, holding.live() ? nowNs + leftMs * RegistryConfig.MS : nowNs);
    }

    /** Parses a record whose signature was checked; null unless its writer speaks of itself and of this service. */
    private static @Nullable Provider provider(ServiceName service, Record record) {
        Provider provider = provider(record);
        return provider != null && service.equals(service(provider)) ? provider : null;
    }

    /** Parses a record; null unless the endpoint's ID follows from the writer's own, so that nobody can claim another's. */
    private static @Nullable Provider provider(Record record) {
        Id slot = record.content().slot();
        Provider provider = Provider.parse(slot, record.content().body());
        if (provider == null || !provider.node().equals(record.content().writer())) return null;
        return Registration.endpoint(provider.node(), provider.registration()).equals(slot) ? provider : null;
    }

    private static @Nullable ServiceName service(Provider provider) {
        return ServiceName.parse(provider.org() + "/" + provider.service(), ServiceName.OPEN);
    }

    /** Answers which service an endpoint is an instance of, from what is known or from the record under its own key. */
    void locate(long nowNs, Registry.Input.Locate locate) {
        ServiceName known = known(nowNs, locate.endpoint());
        if (known != null || locations.size() >= config.services()) {
            if (known == null) counters.add("registry.locateRefused");
            out.accept(new Registry.Output.Located(locate.ticket(), visible(nowNs, known)));
            return;
        }
        Id key = Registration.key(locate.endpoint());
        find(new Location(locate.ticket(), locate.endpoint(), key, nowNs + config.findNs()));
    }

    /** The service, or null where the policy hides it. */
    private @Nullable ServiceName visible(long nowNs, @Nullable ServiceName service) {
        return service != null && maySee(nowNs, service) ? service : null;
    }

    private @Nullable ServiceName known(long nowNs, Id endpoint) {
        ServiceName own = locals.service(endpoint);
        if (own != null) return own;
        for (Cached cached : cache.values()) {
            for (Remote remote : cached.remotes) {
                if (remote.liveUntilNs > nowNs && remote.provider.endpoint().equals(endpoint)) {
                    return service(remote.provider);
                }
            }
        }
        return null;
    }

    /** Answers which endpoints have records under a key. */
    void at(long nowNs, Registry.Input.At at) {
        if (locations.size() >= config.services()) {
            counters.add("registry.locateRefused");
            out.accept(new Registry.Output.EndpointsAt(at.ticket(), List.of()));
            return;
        }
        find(new Location(at.ticket(), null, at.key(), nowNs + config.findNs()));
    }

    private void find(Location location) {
        long ticket = tickets.next();
        locations.put(ticket, location);
        find(ticket, location);
    }

    private void find(long ticket, Location location) {
        out.accept(new Registry.Output.Find(ticket, location.key, STANDING));
    }

    private void find(long ticket, ServiceName service) {
        out.accept(new Registry.Output.Find(ticket, service.key(config.network()), RegistryConfig.PROVIDERS));
    }

    /** The DHT was started again: repeats all lookups under way. */
    void dhtStarted() {
        flights.forEach((ticket, flight) -> find(ticket, flight.service));
        locations.forEach(this::find);
    }

    private void standing(long nowNs, Location location, List<Holding> records) {
        List<Provider> providers = new ArrayList<>();
        for (Holding holding : records) {
            Provider provider = provider(holding.record());
            ServiceName service = provider == null ? null : visible(nowNs, service(provider));
            if (provider != null && service != null) providers.add(provider);
            else counters.add("registry.providerInvalid");
        }
        out.accept(new Registry.Output.EndpointsAt(location.asker, providers));
    }

    private boolean located(long nowNs, Registry.Input.Found found) {
        Location location = locations.remove(found.ticket());
        if (location == null) return false;
        if (location.endpoint == null) {
            standing(nowNs, location, found.records());
            return true;
        }
        ServiceName service = null;
        for (Holding holding : found.records()) {
            Provider provider = provider(holding.record());
            if (provider != null && provider.endpoint().equals(location.endpoint)) service = service(provider);
            else counters.add("registry.providerInvalid");
        }
        out.accept(new Registry.Output.Located(location.asker, visible(nowNs, service)));
        return true;
    }

    private void answer(long nowNs, long ticket, ServiceName service) {
        List<Offer> ranked = Selector.rank(offers(nowNs, service));
        out.accept(new Registry.Output.Providers(ticket, service, ranked, Selector.pick(ranked, rng)));
    }

    private List<Offer> offers(long nowNs, ServiceName service) {
        List<Offer> offers = new ArrayList<>(locals.offers(service));
        Cached cached = cache.get(service);
        if (cached == null) return offers;
        for (Remote remote : cached.remotes) {
            Offer.Distance distance = rtts.get(remote.provider.node());
            long leftMs = (remote.liveUntilNs - nowNs) / RegistryConfig.MS;
            Health health = leftMs > 0 ? Health.PASS : Health.STALE;
            String heard = remote.renewed ? "its node sends heartbeats" : "its record is valid";
            String reason = leftMs > 0 ? heard : "its node was not heard within the lease";
            var score = new Offer.Score(0, 0, 1);
            offers.add(new Offer(remote.provider, health, reason, distance, Math.max(0, leftMs), false, score));
        }
        return offers;
    }

    void watch(long nowNs, Registry.Input.Watch watch) {
        if (watches.size() >= config.watches() && !watches.containsKey(watch.ticket())) {
            counters.add("registry.watchRefused");
            out.accept(new Registry.Output.Refused(watch.ticket(), false, "too many watches"));
            return;
        }
        watches.put(watch.ticket(), new Watch(watch.service()));
        if (maySee(nowNs, watch.service())) notice(nowNs, watch.service());
        nextWatchNs = nowNs;
    }

    void unwatch(long ticket) {
        watches.remove(ticket);
        if (watches.isEmpty()) nextWatchNs = Core.NEVER;
    }

    /** Our own offers may have changed: watchers are told at the end of this step. */
    void localsChanged() {
        localsChanged = true;
    }

    void tick(long nowNs) {
        if (localsChanged) {
            localsChanged = false;
            for (ServiceName service : watched(nowNs)) notice(nowNs, service);
        }
        for (var flight : List.copyOf(flights.entrySet())) {
            if (flight.getValue().endsNs > nowNs) continue;
            counters.add("registry.findTimedOut");
            flights.remove(flight.getKey());
            for (long ticket : flight.getValue().waiting) answer(nowNs, ticket, flight.getValue().service);
        }
        for (var location : List.copyOf(locations.entrySet())) {
            if (location.getValue().endsNs > nowNs) continue;
            counters.add("registry.findTimedOut");
            locations.remove(location.getKey());
            long asker = location.getValue().asker;
            if (location.getValue().endpoint == null) out.accept(new Registry.Output.EndpointsAt(asker, List.of()));
            else out.accept(new Registry.Output.Located(asker, null));
        }
        if (nowNs < nextWatchNs) return;
        nextWatchNs = nowNs + config.watchNs();
        for (ServiceName service : watched(nowNs)) {
            notice(nowNs, service);
            flight(nowNs, service);
        }
    }

    /** The watched services, without those that the policy hides: of these nothing changes, as if there were none. */
    private List<ServiceName> watched(long nowNs) {
        List<ServiceName> services = new ArrayList<>();
        for (Watch watch : watches.values()) {
            if (!services.contains(watch.service) && maySee(nowNs, watch.service)) services.add(watch.service);
        }
        return services;
    }

    private void notice(long nowNs, ServiceName service) {
        notice(service, offers(nowNs, service));
    }

    private void notice(ServiceName service, List<Offer> offers) {
        for (var entry : watches.entrySet()) {
            Watch watch = entry.getValue();
            if (!watch.service.equals(service)) continue;
            Map<Id, Offer> now = new LinkedHashMap<>();
            for (Offer offer : Selector.rank(offers)) {
                if (offer.health() == Health.PASS) now.put(offer.endpoint(), offer);
            }
            tell(entry.getKey(), watch, now);
            watch.seen = now;
        }
    }

    private void tell(long ticket, Watch watch, Map<Id, Offer> now) {
        for (Offer offer : now.values()) {
            Offer before = watch.seen.get(offer.endpoint());
            if (before == null) changed(ticket, watch, Registry.Change.JOINED, offer);
            else if (!before.provider().withLoad(0).equals(offer.provider().withLoad(0))) { // load is no news
                changed(ticket, watch, Registry.Change.CHANGED, offer);
            }
        }
        for (Offer before : watch.seen.values()) {
            if (!now.containsKey(before.endpoint())) changed(ticket, watch, Registry.Change.LEFT, before);
        }
    }

    private void changed(long ticket, Watch watch, Registry.Change change, Offer offer) {
        out.accept(new Registry.Output.Changed(ticket, watch.service, change, offer));
    }

    long deadlineNs() {
        long next = nextWatchNs;
        for (Flight flight : flights.values()) next = Math.min(next, flight.endsNs);
        for (Location location : locations.values()) next = Math.min(next, location.endsNs);
        return next;
    }

    List<ServiceName> services() {
        List<ServiceName> services = new ArrayList<>();
        cache.forEach((service, cached) -> {
            if (!cached.remotes.isEmpty()) services.add(service);
        });
        return services;
    }

    void check() {
        Invariant.check(cache.size() <= config.services(), "cached services within their limit");
        Invariant.check(flights.size() <= config.services(), "lookups within their limit");
        Invariant.check(locations.size() <= config.services(), "lookups of endpoints within their limit");
        Invariant.check(watches.size() <= config.watches(), "watches within their limit");
        Invariant.check(rtts.size() <= config.nodes(), "round-trip times within their limit");
    }
}
