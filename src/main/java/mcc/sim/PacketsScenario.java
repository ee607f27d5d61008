package mcc.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.dht.Dht;

/**
 * With real keys and bytes: every node joins knowing addresses only, looks up a random position, sends a random other node
 * 20,000 bytes over a stream, and packets of a virtual interface beside it. In the end all bytes have arrived and nearly every
 * lookup was right. Meanwhile no nonce is used twice, what is read is a prefix of what was written, and a packet arrives
 * unchanged and once.
 */
final class PacketsScenario implements Scenario {
    private static final long SETTLE_NS = 40 * World.SECOND;
    private static final long SPREAD_NS = 20 * World.SECOND;
    private static final long END_NS = 60 * World.SECOND;
    private static final int SUCCESS_PERMILLE = 950;
    /** Least share of sealed packets that must arrive, at the default loss or less. */
    private static final int PACKETS_PERMILLE = 950;

    private static final int CONTENT_BYTES = 20_000;
    private static final int PACKETS = 20;

    private record Asked(SimNode by, Id target, long atNs) {}

    private final World world;
    private final Nearest nearest;
    private final Map<Long, Asked> open = new LinkedHashMap<>();
    private final List<Traffic.Transfer> transfers = new ArrayList<>();
    private final int[] requests;
    private int right;
    private int done;

    PacketsScenario(int nodes, long seed, Options options) {
        if (options.fidelity() != Options.Fidelity.PACKETS) {
            throw new IllegalArgumentException("streams and packets need real links; leave --fidelity out");
        }
        world = new World(nodes, seed, options.withoutChurn(), this::heard);
        nearest = new Nearest(world.nodes);
        requests = new int[nodes];
    }

    @Override
    public Outcome run() {
        world.checkAlways();
        long joinedNs = world.startAll() + SETTLE_NS;
        world.cutSome(joinedNs - SETTLE_NS, joinedNs + SPREAD_NS);
        for (SimNode node : world.nodes) {
            world.at(joinedNs + world.rng.below(SPREAD_NS), () -> use(node));
        }
        long judgedNs = joinedNs + SPREAD_NS + END_NS;
        world.runUntil(judgedNs);
        int whole = 0;
        for (Traffic.Transfer each : transfers) {
            if (!wasThere(each.from) || !wasThere(each.to)) continue;
            whole++;
            Invariant.check(each.isWhole(), "every byte from " + each.from.index + " is at " + each.to.index);
        }
        Invariant.check(whole > 0 && done > 0, "something was sent and looked up");
        for (SimNode node : world.nodes) {
            Invariant.check(!node.isSettled(Long.MAX_VALUE) || node.joinedNs <= judgedNs, "everybody has joined");
        }
        for (Asked asked : open.values()) Invariant.check(!asked.by.isHonest(), "every lookup has ended");
        boolean ordinary = world.options.lossPpm() <= Options.defaults().lossPpm();
        int packets = world.traffic.arrivedPermille();
        Invariant.check(!ordinary || packets >= PACKETS_PERMILLE, "only " + packets + " of 1000 packets arrived");
        int permille = (int) (right * 1_000L / done);
        Invariant.check(permille >= SUCCESS_PERMILLE, "only " + permille + " of 1000 lookups were right");
        return outcome(permille);
    }

    private Outcome outcome(int permille) {
        int[] sorted = Arrays.copyOf(requests, done);
        Arrays.sort(sorted);
        long sum = Arrays.stream(sorted).asLongStream().sum();
        return new Outcome(
                done,
                permille,
                (int) (sum * 1_000 / done),
                sorted[(done - 1) * 99 / 100],
                world.traceHash(),
                world.delivered(),
                world.nowNs() / World.MS);
    }

    private static boolean wasThere(SimNode node) {
        return node.isHonest() && node.backNs == Long.MIN_VALUE;
    }

    private void use(SimNode node) {
        if (!node.isHonest()) return;
        long ticket = node.index;
        Id target = Id.random(world.rng);
        open.put(ticket, new Asked(node, target, world.nowNs()));
        world.input(node, new Dht.Input.FindNode(ticket, target));
        SimNode to;
        do {
            to = world.anyHonest();
        } while (to == node && world.nodes.size() > 1);
        var transfer = new Traffic.Transfer(node, to, to.contact, world.rng.bytes(CONTENT_BYTES));
        transfers.add(transfer);
        world.input(node, new RealLinks.Use.Send(transfer));
        SimNode peer = to;
        for (int i = 0; i < PACKETS; i++) {
            world.at(
                    world.nowNs() + World.SECOND + 50 * World.MS * i,
                    () -> world.input(
                            node, new RealLinks.Use.Packet(peer.contact, world.traffic.packet(node, world.rng))));
        }
    }

    private void heard(SimNode node, Object output) {
        if (!(output instanceof Dht.Output.Found found)) return;
        Asked asked = open.remove(found.ticket().number());
        if (asked == null || node.cut) return;
        requests[done++] = found.trace().requests();
        if (nearest.finds(node, asked.target, asked.atNs, found.closest())) right++;
    }
}
