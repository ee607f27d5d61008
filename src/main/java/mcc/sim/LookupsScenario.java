package mcc.sim;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import mcc.core.Core;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.dht.Dht;

/**
 * All nodes join; then as many lookups follow as there are nodes, at least 1,000, from random nodes for random targets. A
 * lookup is right if its first answer is the nearest to the target among the nodes that had joined when it began and are up
 * when it ends.
 */
final class LookupsScenario implements Scenario {
    private static final long SETTLE_NS = 30 * World.SECOND;
    private static final long SPREAD_NS = 60 * World.SECOND;
    private static final long END_NS = 30 * World.SECOND;
    private static final int SUCCESS_PERMILLE = 990;
    private static final int DEFAULT_LOSS_PPM = 10_000;

    private record Asked(SimNode by, Id target, long atNs, int life) {}

    private final World world;
    private final Nearest nearest;
    private final Map<Long, Asked> open = new HashMap<>(); // Looked up, never iterated.
    private final int[] requests;
    private int done;
    private int right;
    private int orphaned;

    LookupsScenario(int nodes, long seed, Options options) {
        world = new World(nodes, seed, options, this::heard);
        nearest = new Nearest(world.nodes);
        requests = new int[Math.max(nodes, 1_000)];
    }

    @Override
    public Outcome run() {
        world.checkAlways();
        long joinedNs = world.startAll() + SETTLE_NS;
        world.cutSome(joinedNs - SETTLE_NS, joinedNs + SPREAD_NS);
        for (int i = 0; i < requests.length; i++) {
            long ticket = i;
            world.at(joinedNs + SPREAD_NS / requests.length * i, () -> ask(ticket));
        }
        world.runUntil(joinedNs + SPREAD_NS + END_NS);
        int judged = done;
        Invariant.check(judged + orphaned + open.size() >= requests.length, "every lookup is accounted for");
        Invariant.check(judged > 0, "some lookup ended");
        int permille = (int) (right * 1_000L / judged);
        boolean ordinary = world.options.lossPpm() <= DEFAULT_LOSS_PPM;
        Invariant.check(!ordinary || permille >= SUCCESS_PERMILLE, "only " + permille + " of 1000 lookups were right");
        int[] sorted = Arrays.copyOf(requests, judged);
        Arrays.sort(sorted);
        long sum = Arrays.stream(sorted).asLongStream().sum();
        return new Outcome(
                judged,
                permille,
                (int) (sum * 1_000 / judged),
                sorted[(judged - 1) * 99 / 100],
                world.traceHash(),
                world.delivered(),
                world.nowNs() / World.MS);
    }

    private void ask(long ticket) {
        SimNode node;
        do {
            node = world.anyHonest();
        } while (node.joinedNs == Core.NEVER);
        Id target = Id.random(world.rng);
        open.put(ticket, new Asked(node, target, world.nowNs(), node.life));
        world.input(node, new Dht.Input.FindNode(ticket, target));
    }

    private void heard(SimNode node, Object output) {
        if (!(output instanceof Dht.Output.Found found)) return;
        Asked asked = open.remove(found.ticket().number());
        if (asked == null || asked.life != node.life || node.cut) {
            orphaned++;
            return;
        }
        requests[done++] = found.trace().requests();
        if (nearest.finds(node, asked.target, asked.atNs, found.closest())) right++;
    }
}
