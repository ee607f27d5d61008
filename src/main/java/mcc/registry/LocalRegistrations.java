package mcc.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Id;
import mcc.dht.Place;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.Provider;
import org.jspecify.annotations.Nullable;

/** This node's registrations: checked, offered in the network while healthy, withdrawn when not. */
final class LocalRegistrations {
    /** The least time between two changes of the load that are told: each stores records again. */
    private static final long LOAD_NS = 5 * RegistryConfig.SECOND;

    private final RegistryConfig config;
    private final Id self;
    private final Consumer<Registry.Output> out;
    private final Tickets tickets;
    private final LinkedHashMap<String, LocalRegistration> all = new LinkedHashMap<>();
    private final LinkedHashMap<String, Integer> replicas = new LinkedHashMap<>();
    /** The registration that each ticket belongs to; at most four per registration. */
    private final LinkedHashMap<Long, String> storing = new LinkedHashMap<>();
    /** Withdrawals that a drain waits for. */
    private final List<Long> draining = new ArrayList<>();

    /** Our addresses; null while unknown, when nothing is offered, as nobody could reach us. */
    private @Nullable List<Address> addresses;
    /** Relays by which we are reached. */
    private List<Contact> relays = List.of();

    private @Nullable Long drainTicket;
    private long drainNs = Core.NEVER;
    private boolean stopping;

    LocalRegistrations(RegistryConfig config, Id self, Consumer<Registry.Output> out, Tickets tickets) {
        this.config = config;
        this.self = self;
        this.out = out;
        this.tickets = tickets;
    }

    boolean isDraining() {
        return stopping;
    }

    boolean hasRoomFor(String id, int coming) {
        return !stopping && (all.containsKey(id) || all.size() + coming < config.registrations());
    }

    /** Returns whether it is new. */
    boolean register(long nowNs, Registration registration) {
        LocalRegistration old = all.get(registration.id());
        if (old != null && old.registration.equals(registration)) return false;
        if (old != null && !old.registration.service().equals(registration.service())) withdraw(old);
        LocalRegistration local = new LocalRegistration(registration, registration.endpoint(self), nowNs, old);
        all.put(registration.id(), local);
        if (local.health == Health.PASS) offer(local);
        return old == null;
    }

    boolean deregister(String id) {
        LocalRegistration local = all.remove(id);
        if (local == null) return false;
        withdraw(local);
        replicas.remove(id);
        return true;
    }

    boolean heartbeat(long nowNs, String id) {
        LocalRegistration local = all.get(id);
        if (local == null) return false;
        if (local.registration.check().type() != Registration.CheckType.TTL) return true;
        local.dueNs = nowNs + local.registration.check().intervalMs() * RegistryConfig.MS;
        judge(local, true, "heartbeat");
        return true;
    }

    void load(long nowNs, String id, int loadPermille) {
        LocalRegistration local = all.get(id);
        if (local == null) return;
        local.loadPermille = Math.clamp(loadPermille, 0, 1_000);
        tellLoad(nowNs, local);
    }

    private void tellLoad(long nowNs, LocalRegistration local) {
        if (stopping || local.loadDueNs() > nowNs) return;
        local.tellNs = nowNs + LOAD_NS;
        offer(local);
    }

    void checked(long nowNs, Registry.Input.Checked checked) {
        LocalRegistration local = all.get(checked.id());
        if (local == null || !local.running || local.run != checked.run()) return;
        ended(nowNs, local, checked.ok(), checked.detail());
    }

    private void ended(long nowNs, LocalRegistration local, boolean ok, String detail) {
        Registration.Check check = local.registration.check();
        // The interval counts from the check's beginning, so that a slow app is not checked less often.
        long beganNs = local.dueNs - check.timeoutMs() * RegistryConfig.MS - LocalRegistration.GRACE_NS;
        local.dueNs = Math.max(nowNs, beganNs + check.intervalMs() * RegistryConfig.MS);
        judge(local, ok, detail);
    }

    private void judge(LocalRegistration local, boolean ok, String detail) {
        if (!local.checked(ok, detail)) return;
        Registration r = local.registration;
        out.accept(new Registry.Output.HealthChanged(r.id(), r.service(), local.health, detail));
        if (local.health == Health.PASS) offer(local);
        else withdraw(local);
    }

    void drain(long nowNs, long ticket) {
        stopping = true;
        if (drainTicket != null) out.accept(new Registry.Output.Drained(drainTicket)); // the later one waits for both
        drainTicket = ticket;
        drainNs = nowNs + config.drainNs();
        for (LocalRegistration local : all.values()) {
            if (local.health == Health.PASS) draining.addAll(withdraw(local));
            local.dueNs = Core.NEVER;
        }
        drained(draining.isEmpty());
    }

    private void drained(boolean done) {
        Long ticket = drainTicket;
        if (!done || ticket == null) return;
        drainTicket = null;
        drainNs = Core.NEVER;
        draining.clear();
        out.accept(new Registry.Output.Drained(ticket));
    }

    void addresses(List<Address> now) {
        List<Address> few = now.subList(0, Math.min(now.size(), Limits.CONTACT_ADDRESSES));
        if (few.equals(addresses)) return;
        addresses = List.copyOf(few);
        for (LocalRegistration local : all.values()) {
            if (local.health == Health.PASS) offer(local);
        }
    }

    void relays(List<Contact> now) {
        if (now.equals(relays)) return;
        relays = List.copyOf(now);
        for (LocalRegistration local : all.values()) {
            if (local.health == Health.PASS) offer(local);
        }
    }

    /** The DHT was started again: pending stores and withdrawals are void, and what is healthy is offered again. */
    void dhtStarted() {
        storing.clear();
        replicas.clear();
        drained(true);
        for (LocalRegistration local : all.values()) {
            if (local.health == Health.PASS) offer(local);
        }
    }

    /** The keys and slots of the records of what is offered. */
    List<Place> offered() {
        List<Place> places = new ArrayList<>();
        for (LocalRegistration local : all.values()) {
            if (stopping || local.health != Health.PASS) continue;
            places.add(new Place(serviceKey(local), local.endpoint));
            places.add(new Place(Registration.key(local.endpoint), local.endpoint));
        }
        return places;
    }

    void stored(Registry.Input.Stored stored) {
        String id = storing.remove(stored.ticket());
        if (id != null && all.containsKey(id)) replicas.put(id, stored.replicas());
        if (draining.remove(stored.ticket())) drained(draining.isEmpty());
    }

    /** Does what is due; returns whether a health may have changed. */
    boolean tick(long nowNs) {
        if (drainNs <= nowNs) drained(true);
        boolean changed = false;
        for (LocalRegistration local : all.values()) {
            tellLoad(nowNs, local);
            if (local.dueNs > nowNs) continue;
            Registration.Check check = local.registration.check();
            switch (check.type()) {
                case NONE -> local.dueNs = Core.NEVER;
                case TTL -> {
                    local.dueNs = nowNs + check.intervalMs() * RegistryConfig.MS;
                    judge(local, false, "no heartbeat for " + check.intervalMs() + " ms");
                    changed = true;
                }
                case TCP, HTTP -> {
                    if (local.running) ended(nowNs, local, false, "the check was not answered");
                    if (local.dueNs <= nowNs) run(nowNs, local);
                    changed = true;
                }
            }
        }
        return changed;
    }

    private void run(long nowNs, LocalRegistration local) {
        Registration r = local.registration;
        local.running = true;
        local.run++;
        local.dueNs = nowNs + r.check().timeoutMs() * RegistryConfig.MS + LocalRegistration.GRACE_NS;
        out.accept(new Registry.Output.RunCheck(
                r.id(),
                local.run,
                r.check().type(),
                r.host(),
                r.checkPort(),
                r.check().path(),
                r.check().timeoutMs()));
    }

    long deadlineNs() {
        long next = drainNs;
        for (LocalRegistration local : all.values()) {
            next = Math.min(next, local.dueNs);
            if (!stopping) next = Math.min(next, local.loadDueNs());
        }
        return next;
    }

    private void offer(LocalRegistration local) {
        if (stopping) return;
        local.toldPermille = local.loadPermille; // told now, or as soon as there are addresses
        if (addresses == null) return;
        long leaseMs = local.registration.leaseMs();
        Bytes body = provider(local).encode();
        out.accept(new Registry.Output.Put(ticket(local), serviceKey(local), local.endpoint, body, leaseMs));
        Id key = Registration.key(local.endpoint);
        out.accept(new Registry.Output.Put(tickets.next(), key, local.endpoint, body, leaseMs));
    }

    /** Withdraws a registration's records; returns the tickets of these requests. */
    private List<Long> withdraw(LocalRegistration local) {
        long byService = ticket(local);
        long byEndpoint = tickets.next();
        out.accept(new Registry.Output.Remove(byService, serviceKey(local), local.endpoint));
        out.accept(new Registry.Output.Remove(byEndpoint, Registration.key(local.endpoint), local.endpoint));
        return List.of(byService, byEndpoint);
    }

    private Id serviceKey(LocalRegistration local) {
        return local.registration.service().key(config.network());
    }

    private long ticket(LocalRegistration local) {
        if (storing.size() >= 4 * config.registrations()) storing.pollFirstEntry();
        long ticket = tickets.next();
        storing.put(ticket, local.registration.id());
        return ticket;
    }

    private Provider provider(LocalRegistration local) {
        Registration r = local.registration;
        Provider nowhere = new Provider(
                local.endpoint,
                self,
                r.digest(),
                List.of(),
                r.protocol(),
                r.ports(),
                r.weight(),
                local.loadPermille,
                r.tags(),
                r.meta(),
                r.service().org(),
                r.service().name());
        return nowhere.at(addresses == null ? List.of() : addresses, relays);
    }

    /** Our own offers of a service. */
    List<Offer> offers(ServiceName service) {
        List<Offer> found = new ArrayList<>();
        for (LocalRegistration local : all.values()) {
            if (!local.registration.service().equals(service) || stopping) continue;
            long leaseMs = local.registration.leaseMs();
            var score = new Offer.Score(0, 0, 1);
            found.add(new Offer(provider(local), local.health, local.reason, null, leaseMs, true, score));
        }
        return found;
    }

    /** The service of one of our endpoints; null when it is none of ours. */
    @Nullable
    ServiceName service(Id endpoint) {
        for (LocalRegistration local : all.values())
            if (local.endpoint.equals(endpoint)) return local.registration.service();
        return null;
    }

    boolean isOwn(Id node) {
        return self.equals(node);
    }

    Registry.@Nullable LocalView view(String id) {
        LocalRegistration local = all.get(id);
        return local == null ? null : view(local);
    }

    List<Registry.LocalView> views() {
        List<Registry.LocalView> views = new ArrayList<>(all.size());
        for (LocalRegistration local : all.values()) views.add(view(local));
        return List.copyOf(views);
    }

    private Registry.LocalView view(LocalRegistration local) {
        Registration r = local.registration;
        if (stopping) {
            String reason = "withdrawn: the node drains";
            return new Registry.LocalView(r, local.endpoint, Health.FAILING, reason, local.loadPermille, 0);
        }
        int held = replicas.getOrDefault(r.id(), 0);
        return new Registry.LocalView(r, local.endpoint, local.health, local.reason, local.loadPermille, held);
    }
}
