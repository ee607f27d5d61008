package mcc.sim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Invariant;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.Registry;
import mcc.registry.ServiceName;

/**
 * Nodes offer services and others find them; then a third of the providers die without a word and another third withdraw. A
 * resolution is right if it returns every provider that is still there. None may ever return a provider as usable that died
 * longer ago than its lease, or that withdrew longer ago than a few round trips.
 */
final class RegistryScenario implements Scenario {
    private static final long LEASE_MS = 30_000;
    /** Allowance for an answer on its way, and for how long it is used again. */
    private static final long SKEW_NS = 5 * World.SECOND;

    private static final int PROVIDERS = 3;
    private static final int SUCCESS_PERMILLE = 990;

    /** One provider: {@code goneNs} ends the time in which it may be returned; it must be a moment after {@code sinceNs}. */
    private static final class Offered {
        final SimNode node;
        final ServiceName service;
        final String id;
        long sinceNs;
        long goneNs = Long.MAX_VALUE;
        boolean died;

        Offered(SimNode node, ServiceName service, String id, long sinceNs) {
            this.node = node;
            this.service = service;
            this.id = id;
            this.sinceNs = sinceNs;
        }
    }

    private record Asked(SimNode by, long atNs) {}

    private final World world;
    private final Map<ServiceName, List<Offered>> offered = new LinkedHashMap<>();
    private final Map<Long, Asked> open = new HashMap<>(); // Looked up, never iterated.
    private long ticket;
    private int done;
    private int right;

    RegistryScenario(int nodes, long seed, Options options) {
        world = new World(nodes, seed, options.withoutChurn(), this::heard);
    }

    @Override
    public Outcome run() {
        world.checkAlways();
        long atNs = world.startAll() + 30 * World.SECOND;
        world.cutSome(atNs, atNs + 180 * World.SECOND);
        int services = Math.max(1, world.nodes.size() / 20);
        for (int i = 0; i < services; i++) {
            ServiceName service = new ServiceName(ServiceName.OPEN, "service-" + i);
            offered.put(service, new ArrayList<>());
            world.liars.spoil(service.key(World.NETWORK));
            for (int j = 0; j < PROVIDERS; j++) world.at(atNs + 20 * World.MS * i, () -> register(service));
        }
        long registeredNs = atNs + 20 * World.MS * services;
        int resolutions = Math.max(1_000, world.nodes.size());
        long spreadNs = 180 * World.SECOND;
        for (int i = 0; i < resolutions; i++) {
            world.at(registeredNs + 10 * World.SECOND + spreadNs / resolutions * i, this::resolve);
        }
        world.at(registeredNs + 60 * World.SECOND, this::end);
        world.runUntil(registeredNs + spreadNs + 30 * World.SECOND);
        Invariant.check(done > 0, "some resolution ended");
        int permille = (int) (right * 1_000L / done);
        Invariant.check(permille >= SUCCESS_PERMILLE, "only " + permille + " of 1000 resolutions were complete");
        return new Outcome(done, permille, 0, 0, world.traceHash(), world.delivered(), world.nowNs() / World.MS);
    }

    private void register(ServiceName service) {
        SimNode node = world.anyHonest();
        String id = "app-" + ticket++;
        var registration = SimNode.app(id, service, List.of("sim"), LEASE_MS);
        offered.getOrDefault(service, List.of()).add(new Offered(node, service, id, world.nowNs()));
        world.input(node, new Registry.Input.Register(ticket, registration));
    }

    /** Of each service the first provider dies, the second withdraws and the third stays. */
    private void end() {
        for (List<Offered> list : offered.values()) {
            SimNode dying = list.getFirst().node;
            if (dying.up) world.kill(dying);
        }
        for (List<Offered> list : offered.values()) {
            for (Offered o : list) {
                if (!o.node.up) {
                    o.goneNs = world.nowNs();
                    o.died = true;
                }
            }
            Offered leaving = list.get(1);
            if (leaving.died) continue;
            leaving.goneNs = world.nowNs();
            world.input(leaving.node, new Registry.Input.Deregister(ticket++, leaving.id));
        }
    }

    private void resolve() {
        List<ServiceName> services = List.copyOf(offered.keySet());
        ServiceName service = services.get(world.rng.below(services.size()));
        SimNode node = world.anyHonest();
        open.put(ticket, new Asked(node, world.nowNs()));
        world.input(node, new Registry.Input.Resolve(ticket++, service));
    }

    private void heard(SimNode node, Object output) {
        if (!(output instanceof Registry.Output.Providers providers)) return;
        Asked asked = open.remove(providers.ticket());
        if (asked == null || !node.isSettled(asked.atNs)) return;
        long askedNs = asked.atNs;
        done++;
        boolean complete = true;
        for (Offered o : offered.getOrDefault(providers.service(), List.of())) {
            boolean named = isNamed(providers.items(), o);
            long graceNs = (o.died ? LEASE_MS * World.MS : 0) + SKEW_NS;
            boolean expired = o.goneNs < askedNs - graceNs;
            Invariant.check(!named || !expired, "a provider is named only while its lease lasts");
            boolean stands = o.goneNs == Long.MAX_VALUE && o.node.isSettled(askedNs - SKEW_NS);
            if (!named && stands && o.sinceNs < askedNs - SKEW_NS) complete = false;
        }
        if (complete) right++;
    }

    private static boolean isNamed(List<Offer> items, Offered o) {
        for (Offer offer : items) {
            boolean usable = offer.health() == Health.PASS;
            if (usable && offer.endpoint().equals(endpoint(o))) return true;
        }
        return false;
    }

    private static mcc.core.Id endpoint(Offered o) {
        return SimNode.app(o.id, o.service, List.of(), LEASE_MS).endpoint(o.node.id);
    }
}
