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
import mcc.wire.Provider;
import org.jspecify.annotations.Nullable;

/** Who offers what: our own registrations with their health, and the providers that others found in the network. */
public final class Registry implements Core<Registry.Input, Registry.Output> {
    /** What may happen to the registry. */
    public sealed interface Input {
        /** The deadline has come. */
        record Tick() implements Input {}

        /** The policy from now on: what is known, looked for and watched is judged again. */
        record NewPolicy(PolicyEpoch epoch) implements Input {}

        /** The wall clock; to be told again where it was set. */
        record Clock(long epochMs) implements Input {}

        /** Offer a service, or replace the registration of the same ID; answered by {@link Output.Registered}. */
        record Register(long ticket, Registration registration) implements Input {}

        /** Offer it no longer; answered by {@link Output.Deregistered}. */
        record Deregister(long ticket, String id) implements Input {}

        /** The app lives; answered by {@link Output.Heartbeaten}. */
        record Heartbeat(long ticket, String id) implements Input {}

        /** How busy the app is, 0 to 1,000; told to others when it changed by a tenth or more, or to 0, every 5 s at most. */
        record Load(String id, int loadPermille) implements Input {}

        /** The end of {@link Output.RunCheck} number {@code run}. */
        record Checked(String id, long run, boolean ok, String detail) implements Input {}

        /** Withdraw everything from the network, forget nothing; answered by {@link Output.Drained}. */
        record Drain(long ticket) implements Input {}

        /** Registrations of an earlier life; not persisted again. */
        record Restore(List<Registration> registrations) implements Input {
            /** Copies the list. */
            public Restore {
                registrations = List.copyOf(registrations);
            }
        }

        /** The DHT begins anew: nothing of ours is offered there, and nothing is being looked up. */
        record DhtStarted() implements Input {}

        /** Where this node is reached now; at most four. */
        record SelfAddresses(List<Address> addresses) implements Input {
            /** Copies the list. */
            public SelfAddresses {
                addresses = List.copyOf(addresses);
            }
        }

        /** How far a node is now. */
        record PeerRtt(Id node, Offer.Distance distance) implements Input {}

        /**
         * Who offers a service? Answered by {@link Output.Providers}.
         *
         * @param maxAgeMs what was found so long ago will do, if it was anything: it is told at once and looked up again
         *     behind the asker's back; 0 for what is known of the moment
         */
        record Resolve(long ticket, ServiceName service, long maxAgeMs) implements Input {
            /** Of the moment. */
            public Resolve(long ticket, ServiceName service) {
                this(ticket, service, 0);
            }
        }

        /** What is the endpoint of that ID an instance of? Answered by {@link Output.Located}. */
        record Locate(long ticket, Id endpoint) implements Input {}

        /** Which endpoints stand at a key that an address leads to? Answered by {@link Output.Standing}. */
        record At(long ticket, Id key) implements Input {}

        /** Tell what changes among the usable providers, beginning with those there are, until {@link Unwatch}. */
        record Watch(long ticket, ServiceName service) implements Input {}

        /** Stop telling. */
        record Unwatch(long ticket) implements Input {}

        /** The end of {@link Output.Find}. */
        record Found(long ticket, List<Holding> records) implements Input {
            /** Copies the list. */
            public Found {
                records = List.copyOf(records);
            }
        }

        /** The end of {@link Output.Put} or {@link Output.Remove}. */
        record Stored(long ticket, int replicas, int of) implements Input {}
    }

    /** What the registry asks of its host and of the DHT. */
    public sealed interface Output {
        /** Find the live records under a key. */
        record Find(long ticket, Id key, int limit) implements Output {}

        /** Keep a live record in the network. */
        record Put(long ticket, Id key, Id slot, Bytes body, long leaseMs) implements Output {}

        /** Withdraw it. */
        record Remove(long ticket, Id key, Id slot) implements Output {}

        /** This registry begins, and has put these: what an earlier one put besides is offered by nobody any more. */
        record Retain(List<Place> places) implements Output {
            /** Copies the list. */
            public Retain {
                places = List.copyOf(places);
            }
        }

        /** Look whether an app is well, and say so by {@link Input.Checked} with the same {@code run}. */
        record RunCheck(
                String id, long run, Registration.CheckType type, String host, int port, String path, long timeoutMs)
                implements Output {}

        /** It is offered. */
        record Registered(long ticket, LocalView registration, boolean created) implements Output {}

        /** A limit is reached, or the node is draining. */
        record Refused(long ticket, boolean draining, String reason) implements Output {}

        /** It is not offered any more. */
        record Deregistered(long ticket, boolean existed) implements Output {}

        /** The heartbeat was noted, where the registration is known. */
        record Heartbeaten(long ticket, boolean known) implements Output {}

        /** Everything is withdrawn, or the time for it is over. */
        record Drained(long ticket) implements Output {}

        /**
         * Who offers a service.
         *
         * @param items ranked, the usable first
         * @param picks the usable in the order for one new connection: the first is drawn, the others are fallbacks
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
        record Standing(long ticket, List<Provider> providers) implements Output {
            /** Copies the list. */
            public Standing {
                providers = List.copyOf(providers);
            }
        }

        /** A watched service has another usable provider, one less, or one that differs. */
        record Changed(long ticket, ServiceName service, Change change, Offer offer) implements Output {}

        /** A new epoch of the policy took so many services out of this node's sight. */
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

    private final Config config;
    private final Counters counters;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final Locals locals;
    private final Directory directory;
    private long nowNs;

    /** Makes the registry of node {@code self}. */
    public Registry(Config config, Subject self, Rng rng, Counters counters) {
        this.config = config;
        this.counters = counters;
        Tickets tickets = new Tickets(rng);
        locals = new Locals(config, self.node(), outputs::add, tickets);
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
     * What would come of a registration of that ID now: null where it would be taken.
     *
     * @param coming how many others, of new IDs, are about to be registered
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

    /** Returns the services that this node offers or lately looked for, each once. A copy. */
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
