package mcc.registry;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.dht.Holding;
import mcc.dht.Place;
import mcc.wire.Contact;
import mcc.wire.Provider;
import org.jspecify.annotations.Nullable;

/** Who offers what: this node's registrations and their health, and the providers that lookups found in the network. */
public final class Registry implements Core<Registry.Input, Registry.Output> {
    /** Inputs of the registry. */
    public sealed interface Input {
        /** The deadline has come. */
        record Tick() implements Input {}

        /** The policy from now on: services that are known, looked up or watched are judged again. */
        record NewPolicy(PolicyEpoch epoch) implements Input {}

        /** The wall clock; to be told again where it was set. */
        record Clock(long epochMs) implements Input {}

        /** Offer a service, or replace the registration of the same ID; answered by {@link Output.Registered}. */
        record Register(long ticket, Registration registration) implements Input {}

        /** Withdraw a registration; answered by {@link Output.Deregistered}. */
        record Deregister(long ticket, String id) implements Input {}

        /** A heartbeat of an app; answered by {@link Output.Heartbeaten}. */
        record Heartbeat(long ticket, String id) implements Input {}

        /** An app's load, 0 to 1,000; others are told when it changes by a tenth or more, or to 0, every 5 s at most. */
        record Load(String id, int loadPermille) implements Input {}

        /** The result of {@link Output.RunCheck} number {@code run}. */
        record Checked(String id, long run, boolean ok, String detail) implements Input {}

        /** Withdraw all registrations from the network, but keep them; answered by {@link Output.Drained}. */
        record Drain(long ticket) implements Input {}

        /** Registrations of an earlier run, which are on disk already. */
        record Restore(List<Registration> registrations) implements Input {
            /** Copies the list. */
            public Restore {
                registrations = List.copyOf(registrations);
            }
        }

        /** The DHT was started again: it holds no record of ours, and no lookup of ours is under way. */
        record DhtStarted() implements Input {}

        /** The relays by which this node is reached where its addresses do not answer; at most two. */
        record SelfRelays(List<Contact> relays) implements Input {
            /** Copies the list. */
            public SelfRelays {
                relays = List.copyOf(relays);
            }
        }

        /** The addresses at which this node is reached now; at most four. */
        record SelfAddresses(List<Address> addresses) implements Input {
            /** Copies the list. */
            public SelfAddresses {
                addresses = List.copyOf(addresses);
            }
        }

        /** The round-trip times to a node now. */
        record PeerRtt(Id node, Offer.Distance distance) implements Input {}

        /**
         * Who offers a service? Answered by {@link Output.Providers}.
         *
         * @param maxAgeMs how old a result may be that has a usable provider: it is returned at once, and looked up again in
         *     the background; 0 for the result of a lookup made now or a moment ago
         */
        record Resolve(long ticket, ServiceName service, long maxAgeMs) implements Input {
            /** By a lookup made now or a moment ago. */
            public Resolve(long ticket, ServiceName service) {
                this(ticket, service, 0);
            }
        }

        /** What is the endpoint of that ID an instance of? Answered by {@link Output.Located}. */
        record Locate(long ticket, Id endpoint) implements Input {}

        /** Which endpoints have records under the key of an address? Answered by {@link Output.EndpointsAt}. */
        record At(long ticket, Id key) implements Input {}

        /** Report the usable providers and all changes among them, until {@link Unwatch}. */
        record Watch(long ticket, ServiceName service) implements Input {}

        /** End a {@link Watch}. */
        record Unwatch(long ticket) implements Input {}

        /** The result of {@link Output.Find}. */
        record Found(long ticket, List<Holding> records) implements Input {
            /** Copies the list. */
            public Found {
                records = List.copyOf(records);
            }
        }

        /** The result of {@link Output.Put} or {@link Output.Remove}. */
        record Stored(long ticket, int replicas, int of) implements Input {}
    }

    /** What the registry asks of its host and of the DHT. */
    public sealed interface Output {
        /** Find the live records under a key. */
        record Find(long ticket, Id key, int limit) implements Output {}

        /** Keep a live record in the network. */
        record Put(long ticket, Id key, Id slot, Bytes body, long leaseMs) implements Output {}

        /** Withdraw a record. */
        record Remove(long ticket, Id key, Id slot) implements Output {}

        /** This registry was started and has put these: all other records, of an earlier one, are to be withdrawn. */
        record Retain(List<Place> places) implements Output {
            /** Copies the list. */
            public Retain {
                places = List.copyOf(places);
            }
        }

        /** Check an app, and report the result by {@link Input.Checked} with the same {@code run}. */
        record RunCheck(
                String id, long run, Registration.CheckType type, String host, int port, String path, long timeoutMs)
                implements Output {}

        /** The registration was taken. */
        record Registered(long ticket, LocalView registration, boolean created) implements Output {}

        /** The registration was not taken: a limit is reached, or the node is draining. */
        record Refused(long ticket, boolean draining, String reason) implements Output {}

        /** The registration is gone. */
        record Deregistered(long ticket, boolean existed) implements Output {}

        /** The heartbeat was noted, where the registration is known. */
        record Heartbeaten(long ticket, boolean known) implements Output {}

        /** Everything is withdrawn, or the time for it is over. */
        record Drained(long ticket) implements Output {}

        /**
         * Who offers a service.
         *
         * @param items all, ranked, usable ones first
         * @param picks the usable ones in the order for one new connection: the first is drawn, the others are fallbacks
         */
        record Providers(long ticket, ServiceName service, List<Offer> items, List<Offer> picks) implements Output {
            /** Copies the lists. */
            public Providers {
                items = List.copyOf(items);
                picks = List.copyOf(picks);
            }
        }

        /** The endpoint is an instance of {@code service}; null when nobody in the network offers it. */
        record Located(long ticket, @Nullable ServiceName service) implements Output {}

        /** The endpoints at a key, of services that this node may see. */
        record EndpointsAt(long ticket, List<Provider> providers) implements Output {
            /** Copies the list. */
            public EndpointsAt {
                providers = List.copyOf(providers);
            }
        }

        /** A watched service has a new usable provider, one less, or one that changed. */
        record Changed(long ticket, ServiceName service, Change change, Offer offer) implements Output {}

        /** A new policy hid this many services from this node. */
        record PolicyEnded(long epoch, int services) implements Output {}

        /** The health of a registration of ours changed. */
        record HealthChanged(String id, ServiceName service, Health health, String reason) implements Output {}
    }

    /** What happened to a watched provider. */
    public enum Change {
        JOINED,
        LEFT,
        CHANGED
    }

    /**
     * One registration of ours.
     *
     * @param replicas how many nodes hold it; 0 while unknown or withdrawn
     */
    public record LocalView(
            Registration registration, Id endpoint, Health health, String reason, int loadPermille, int replicas) {}

    private final RegistryConfig config;
    private final Counters counters;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final LocalRegistrations locals;
    private final Directory directory;
    private long nowNs;

    /** Makes the registry of node {@code self}. */
    public Registry(RegistryConfig config, Subject self, Rng rng, Counters counters) {
        this.config = config;
        this.counters = counters;
        Tickets tickets = new Tickets(rng);
        locals = new LocalRegistrations(config, self.node(), outputs::add, tickets);
        directory = new Directory(config, self, locals, rng, counters, outputs::add, tickets);
    }

    @Override
    public void handle(long now, Input input) {
        nowNs = now;
        switch (input) {
            case Input.Tick _ -> {}
            case Input.NewPolicy p -> directory.govern(now, p.epoch());
            case Input.Clock clock -> directory.clock(now, clock.epochMs());
            case Input.Register register -> register(register);
            case Input.Deregister deregister -> {
                boolean existed = locals.deregister(deregister.id());
                outputs.add(new Output.Deregistered(deregister.ticket(), existed));
                directory.localsChanged();
            }
            case Input.Heartbeat heartbeat -> {
                boolean known = locals.heartbeat(nowNs, heartbeat.id());
                outputs.add(new Output.Heartbeaten(heartbeat.ticket(), known));
                directory.localsChanged();
            }
            case Input.Load load -> locals.load(nowNs, load.id(), load.loadPermille());
            case Input.Checked checked -> {
                locals.checked(nowNs, checked);
                directory.localsChanged();
            }
            case Input.Drain drain -> locals.drain(nowNs, drain.ticket());
            case Input.Restore restore -> restore(restore.registrations());
            case Input.DhtStarted _ -> {
                locals.dhtStarted();
                directory.dhtStarted();
            }
            case Input.SelfRelays relays -> locals.relays(relays.relays());
            case Input.SelfAddresses addresses -> locals.addresses(addresses.addresses());
            case Input.PeerRtt rtt -> directory.rtt(rtt.node(), rtt.distance());
            case Input.Resolve resolve -> directory.resolve(nowNs, resolve);
            case Input.Locate locate -> directory.locate(nowNs, locate);
            case Input.At at -> directory.at(nowNs, at);
            case Input.Watch watch -> directory.watch(nowNs, watch);
            case Input.Unwatch unwatch -> directory.unwatch(unwatch.ticket());
            case Input.Found found -> directory.found(nowNs, found);
            case Input.Stored stored -> locals.stored(stored);
        }
        if (locals.tick(nowNs)) directory.localsChanged();
        directory.tick(nowNs);
    }

    private void register(Input.Register register) {
        Registration registration = register.registration();
        Output.Refused refused = refusal(register.ticket(), registration.id(), 0);
        if (refused != null) {
            counters.add("registry.refused");
            outputs.add(refused);
            return;
        }
        boolean created = locals.register(nowNs, registration);
        LocalView view = locals.view(registration.id());
        if (view != null) outputs.add(new Output.Registered(register.ticket(), view, created));
        directory.localsChanged();
    }

    /**
     * Why a registration of that ID would be refused now; null where it would be taken.
     *
     * @param coming how many others with new IDs are about to be registered
     */
    public Output.@Nullable Refused refusal(long ticket, String id, int coming) {
        if (locals.hasRoomFor(id, coming)) return null;
        boolean draining = locals.isDraining();
        String reason = draining ? "the node drains: it offers nothing more" : "there are too many registrations";
        return new Output.Refused(ticket, draining, reason);
    }

    private void restore(List<Registration> registrations) {
        for (Registration registration : registrations) {
            if (locals.hasRoomFor(registration.id(), 0)) locals.register(nowNs, registration);
            else counters.add("registry.refused");
        }
        outputs.add(new Output.Retain(locals.offered()));
        directory.localsChanged();
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        return Math.min(locals.deadlineNs(), directory.deadlineNs());
    }

    /** Returns our registrations in the order in which they were made. A copy. */
    public List<LocalView> registrations() {
        return locals.views();
    }

    /** Returns one registration of ours; null when there is none of that ID. */
    public @Nullable LocalView registration(String id) {
        return locals.view(id);
    }

    /** Returns the services that this node offers or looked up lately, each once. A copy. */
    public List<ServiceName> services() {
        LinkedHashMap<ServiceName, Boolean> out = new LinkedHashMap<>();
        for (LocalView view : locals.views()) out.put(view.registration().service(), true);
        for (ServiceName service : directory.services()) out.put(service, true);
        return List.copyOf(new ArrayList<>(out.keySet()));
    }

    /** Throws {@link mcc.core.Invariant.Broken} unless all that must always hold does; for the simulator and tests. */
    public void check() {
        mcc.core.Invariant.check(locals.views().size() <= config.registrations(), "registrations within their limit");
        directory.check();
    }
}
