package mcc.sim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Core;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/**
 * Nodes join while much goes wrong: some lie, some receive only from peers that they sent to lately, some announce addresses
 * where they no longer are, bootstrap addresses are dead, and many nodes are cut off, the first one among them. Then the nodes
 * that were cut off come back; liars stay. Three minutes later all must be well again: every node is in the network, lookups
 * find the nearest nodes, resolutions find all providers of a service, and every provider that was found answers a node that
 * never met it.
 */
final class FaultsScenario implements Scenario {
    private static final long SETTLE_NS = 30 * World.SECOND;
    private static final long TROUBLE_NS = 120 * World.SECOND;
    private static final long HEALING_NS = 180 * World.SECOND;
    private static final long SPREAD_NS = 30 * World.SECOND;
    private static final long END_NS = 20 * World.SECOND;
    private static final long LEASE_MS = 30_000;
    private static final int PROVIDERS = 3;
    private static final int SUCCESS_PERMILLE = 980;
    private static final int REACHED_PERMILLE = 950;

    private record Asked(SimNode by, Id target, long atNs) {}

    private record Offered(ServiceName service, Id endpoint, SimNode by) {}

    private final World world;
    private final Nearest nearest;
    private final Trouble trouble;
    private final List<Offered> offered = new ArrayList<>();
    private final Map<Long, Asked> lookups = new HashMap<>(); // Looked up, never iterated.
    private final Map<Long, SimNode> resolving = new HashMap<>(); // Looked up, never iterated.
    private final Map<Long, SimNode> pinged = new HashMap<>(); // Looked up, never iterated.
    private final Tally found = new Tally("lookups were right");
    private final Tally complete = new Tally("resolutions were complete");
    private final Tally reached = new Tally("providers that were named answered");
    private long ticket;

    /** What happens once all have joined. */
    enum Trouble {
        /** Many nodes are cut off, and come back. */
        CUT_OFF,
        /** They do not come back, although the scenario believes it: the run must fail. */
        CUT_OFF_FOR_GOOD,
        /** Every core of every node is restarted once, at some moment. */
        RESTARTS
    }

    /** How many of those asked went well. */
    private static final class Tally {
        final String what;
        int asked;
        int well;

        Tally(String what) {
            this.what = what;
        }

        int permille() {
            return asked == 0 ? 0 : (int) (well * 1_000L / asked);
        }

        void check(int least) {
            Invariant.check(permille() >= least, "only " + permille() + " of 1000 " + what);
        }
    }

    FaultsScenario(int nodes, long seed, Options options, Trouble trouble) {
        this.trouble = trouble;
        world = new World(nodes, seed, options, this::heard);
        nearest = new Nearest(world.nodes);
    }

    @Override
    public Outcome run() {
        world.checkAlways();
        long joinedNs = world.startAll() + SETTLE_NS;
        int services = Math.max(1, world.nodes.size() / 20);
        for (int i = 0; i < services; i++) {
            ServiceName service = new ServiceName(ServiceName.OPEN, "service-" + i);
            world.liars.spoil(service.key(World.NETWORK));
            for (int j = 0; j < PROVIDERS; j++) world.at(joinedNs + 20 * World.MS * i, () -> register(service));
        }
        long troubleNs = joinedNs + 20 * World.MS * services;
        world.at(troubleNs, () -> {
            if (trouble == Trouble.RESTARTS) restart(troubleNs);
            else cutOff(troubleNs);
        });
        long judgedNs = troubleNs + TROUBLE_NS + HEALING_NS;
        int judged = Math.max(200, world.nodes.size());
        for (int i = 0; i < judged; i++) {
            long atNs = judgedNs + SPREAD_NS / judged * i;
            world.at(atNs, this::lookUp);
            world.at(atNs, this::resolve);
        }
        world.at(judgedNs, this::checkMembers);
        world.runUntil(judgedNs + SPREAD_NS + END_NS);
        found.check(SUCCESS_PERMILLE);
        complete.check(SUCCESS_PERMILLE);
        reached.check(REACHED_PERMILLE);
        return new Outcome(
                found.asked, found.permille(), 0, 0, world.traceHash(), world.delivered(), world.nowNs() / World.MS);
    }

    /** Cuts off the first node, by which the others joined, and some more; all of them are back in time. */
    private void cutOff(long atNs) {
        for (SimNode node : world.nodes) {
            boolean hit = node.index == 0
                    || world.rng.below(1_000) < world.options.faults().cutOffPermille();
            if (!hit || !node.up) continue;
            long beginNs = atNs + world.rng.below(TROUBLE_NS / 4);
            long forNs = TROUBLE_NS / 4 + world.rng.below(TROUBLE_NS / 2);
            world.at(beginNs, () -> world.cut(node, forNs));
            if (trouble == Trouble.CUT_OFF_FOR_GOOD) world.at(beginNs, () -> node.deaf = true);
        }
    }

    private void restart(long atNs) {
        for (SimNode node : world.nodes) {
            for (int mailbox = 0; mailbox < Mail.MAILBOXES; mailbox++) {
                int each = mailbox;
                world.at(atNs + world.rng.below(TROUBLE_NS), () -> world.restart(node, each));
            }
        }
    }

    private void checkMembers() {
        for (SimNode node : world.nodes) {
            if (!node.isHonest()) continue;
            boolean member =
                    node.joinedNs != Core.NEVER && node.cores.dht.status().contacts() > 0;
            Invariant.check(member, "once healed, everybody is in the network");
        }
    }

    private void register(ServiceName service) {
        SimNode node = world.anyHonest();
        var registration = SimNode.app("app-" + ticket++, service, List.of(), LEASE_MS);
        offered.add(new Offered(service, registration.endpoint(node.id), node));
        world.register(node, ticket, registration);
    }

    private void lookUp() {
        SimNode node = world.anyHonest();
        Id target = Id.random(world.rng);
        found.asked++;
        lookups.put(++ticket, new Asked(node, target, world.nowNs()));
        world.input(node, new Dht.Input.FindNode(ticket, target));
    }

    private void resolve() {
        SimNode node = world.anyHonest();
        ServiceName service = offered.get(world.rng.below(offered.size())).service;
        complete.asked++;
        resolving.put(++ticket, node);
        world.input(node, new Registry.Input.Resolve(ticket, service));
    }

    private void heard(SimNode node, Object output) {
        switch (output) {
            case Dht.Output.Found o -> found(o);
            case Registry.Output.Providers o -> resolved(o);
            case LinkOutput.Answered o -> {
                if (pinged.remove(o.call()) != null) reached.well++;
            }
            default -> {}
        }
    }

    private void found(Dht.Output.Found o) {
        Asked asked = lookups.remove(o.ticket().number());
        if (asked != null && nearest.finds(asked.by, asked.target, asked.atNs, o.closest())) found.well++;
    }

    private void resolved(Registry.Output.Providers o) {
        SimNode by = resolving.remove(o.ticket());
        if (by == null) return;
        boolean all = true;
        for (Offered each : offered) {
            if (!each.service.equals(o.service())) continue;
            Offer offer = offer(o.items(), each.endpoint);
            if (offer == null) all = false;
            else greet(by, each.by, offer);
        }
        if (all) complete.well++;
    }

    private static @Nullable Offer offer(List<Offer> items, Id endpoint) {
        for (Offer offer : items) {
            if (offer.health() == Health.PASS && offer.endpoint().equals(endpoint)) return offer;
        }
        return null;
    }

    /** Pings a provider that was found, at the addresses in its record. */
    private void greet(SimNode by, SimNode provider, Offer offer) {
        if (by == provider || !by.isHonest()) return;
        reached.asked++;
        long call = world.nextCall();
        pinged.put(call, provider);
        world.input(by, new LinkInput.Ask(offer.contact(), call, new Message.Ping()));
    }
}
