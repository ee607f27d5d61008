package mcc.sim;

import java.util.Arrays;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.crypto.Sha256;
import mcc.dht.Dht;

/**
 * Everybody greets the first node by its address alone, joins, looks a random position up, and sends a few thousand bytes to a
 * random other node over a stream. In the end every byte is where it belongs, and nearly every lookup was right; at every
 * packet, no nonce has sealed twice.
 */
final class PacketsScenario implements Scenario {
    private static final long JOINING_NS = 20 * World.SECOND;
    private static final long SETTLED_NS = 60 * World.SECOND;
    private static final long SPREAD_NS = 20 * World.SECOND;
    private static final long END_NS = 60 * World.SECOND;
    private static final int SUCCESS_PERMILLE = 950;
    private static final int CONTENT_BYTES = 20_000;

    private record Sent(int from, int to, long stream, Bytes content) {}

    private final PacketWorld world;
    private final int count;
    private final Id[] targets;
    private final Sent[] sent;

    PacketsScenario(int nodes, long seed, Options options) {
        world = new PacketWorld(nodes, seed, options);
        count = nodes;
        targets = new Id[nodes];
        sent = new Sent[nodes];
    }

    @Override
    public Outcome run() {
        for (int i = 0; i < count; i++) {
            PacketHost host = world.hosts.get(i);
            long atNs = i == 0 ? 1 : World.SECOND + world.rng.below(JOINING_NS);
            world.at(atNs, () -> start(host));
        }
        for (int i = 0; i < count; i++) {
            PacketHost host = world.hosts.get(i);
            world.at(SETTLED_NS + world.rng.below(SPREAD_NS), () -> use(host));
        }
        world.runUntil(SETTLED_NS + SPREAD_NS + END_NS);
        checkStreams();
        int[] requests = new int[count];
        int right = 0;
        for (int i = 0; i < count; i++) {
            PacketHost host = world.hosts.get(i);
            Invariant.check(host.joined, "node " + i + " has joined");
            Dht.Output.Found found = host.found.get(0L);
            Invariant.check(found != null, "node " + i + "'s lookup has ended");
            if (found == null) continue;
            requests[i] = found.trace().requests();
            if (isNearest(host, targets[i], found)) right++;
        }
        int permille = (int) (right * 1_000L / count);
        Invariant.check(permille >= SUCCESS_PERMILLE, "only " + permille + " of 1000 lookups were right");
        Arrays.sort(requests);
        long sum = Arrays.stream(requests).asLongStream().sum();
        return new Outcome(
                count,
                permille,
                (int) (sum * 1_000 / count),
                requests[(count - 1) * 99 / 100],
                world.traceHash(),
                world.delivered(),
                world.nowNs() / World.MS);
    }

    private void start(PacketHost host) {
        host.start(world.nowNs(), world.epochMs(), host.index == 0 ? null : world.hosts.getFirst().at);
        world.touched(host);
    }

    private void use(PacketHost host) {
        int i = host.index;
        targets[i] = Id.random(world.rng);
        host.find(world.nowNs(), 0, targets[i]);
        int to = (i + 1 + world.rng.below(count - 1)) % count;
        byte[] content = world.rng.bytes(CONTENT_BYTES);
        long stream = host.send(world.nowNs(), world.hosts.get(to).contact(), content);
        sent[i] = new Sent(i, to, stream, Bytes.owning(content));
        world.touched(host);
    }

    private void checkStreams() {
        for (Sent s : sent) {
            byte[] got = world.hosts.get(s.to).received.get(world.hosts.get(s.from).id + "/" + s.stream);
            Invariant.check(
                    got != null && s.content.equals(Bytes.copyOf(got)), "every byte from " + s.from + " is at " + s.to);
        }
    }

    private boolean isNearest(PacketHost by, Id target, Dht.Output.Found found) {
        if (found.closest().isEmpty()) return false;
        Id best = Sha256.id(found.closest().getFirst().node().toBytes());
        for (PacketHost other : world.hosts) {
            if (other == by) continue;
            if (target.compareDistance(Sha256.id(other.id.toBytes()), best) < 0) return false;
        }
        return true;
    }
}
