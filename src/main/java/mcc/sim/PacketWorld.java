package mcc.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Rng;
import org.jspecify.annotations.Nullable;

/**
 * A network of datagrams in one thread and virtual time: latency that differs by pair and by packet, so that packets overtake
 * each other, loss, and now and then a packet twice. Real keys, so up to about 1,000 nodes.
 */
final class PacketWorld {
    /** Hosts that 198.18.0.0/15 can number here. */
    static final int HOSTS_MAX = 1_000;

    /** UDP payload that Ethernet carries by IPv4; what is longer is lost. */
    private static final int MTU_BYTES = 1_472;

    private static final int TWICE_PPM = 1_000;
    private static final long EPOCH_MS = 1_800_000_000_000L;

    private record Event(
            long atNs,
            long order,
            int host,
            int from,
            @Nullable Bytes datagram,
            @Nullable Runnable what) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int c = Long.compare(atNs, other.atNs);
            return c != 0 ? c : Long.compare(order, other.order);
        }
    }

    final List<PacketHost> hosts = new ArrayList<>();
    final Rng rng;
    private final Options options;
    private final Rng network;
    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    private final long[] dueNs;
    private long order;
    private long nowNs = 1;
    private long hash = Hash.START;
    private long delivered;

    PacketWorld(int count, long seed, Options options) {
        if (count > HOSTS_MAX) {
            throw new IllegalArgumentException(
                    "packets are simulated for at most " + HOSTS_MAX + " nodes; use lookups");
        }
        this.options = options;
        rng = Rng.seeded(seed);
        network = rng.split();
        dueNs = new long[count];
        for (int i = 0; i < count; i++) {
            hosts.add(new PacketHost(this, i, rng.split()));
            dueNs[i] = Core.NEVER;
        }
    }

    long nowNs() {
        return nowNs;
    }

    long epochMs() {
        return EPOCH_MS + nowNs / World.MS;
    }

    long delivered() {
        return delivered;
    }

    String traceHash() {
        return String.format("%016x", hash);
    }

    void at(long atNs, Runnable what) {
        queue.add(new Event(atNs, order++, -1, -1, null, what));
    }

    /** A host did something: its deadline may be another. */
    void touched(PacketHost host) {
        long due = host.deadlineNs();
        if (due >= dueNs[host.index]) return;
        dueNs[host.index] = due;
        queue.add(new Event(Math.max(due, nowNs), order++, host.index, -1, null, null));
    }

    /** Takes a datagram on its way, or loses it. */
    void carry(PacketHost from, Address to, byte[] datagram) {
        int target = to.v4Bits() & 0xffff;
        if (target >= hosts.size() || datagram.length > MTU_BYTES || network.chance(options.lossPpm())) return;
        int copies = network.chance(TWICE_PPM) ? 2 : 1;
        Bytes bytes = Bytes.owning(datagram);
        for (int i = 0; i < copies; i++) {
            long latency = latencyMs(from.index, target) * World.MS;
            long jitter = network.below(latency / 10 + 1);
            queue.add(new Event(nowNs + latency + jitter, order++, target, from.index, bytes, null));
        }
    }

    /** The same both ways, and all through the run. */
    private long latencyMs(int a, int b) {
        long pair = Hash.mix(Hash.mix(Hash.START, Math.min(a, b)), Math.max(a, b)) >>> 1;
        return options.minLatencyMs() + pair % (options.maxLatencyMs() - options.minLatencyMs() + 1);
    }

    void runUntil(long endNs) {
        for (Event e; (e = queue.peek()) != null && e.atNs <= endNs; ) {
            queue.remove();
            nowNs = Math.max(nowNs, e.atNs);
            step(e);
        }
        nowNs = Math.max(nowNs, endNs);
    }

    private void step(Event e) {
        if (e.what != null) {
            e.what.run();
            return;
        }
        PacketHost host = hosts.get(e.host);
        if (e.datagram == null) {
            dueNs[e.host] = Core.NEVER;
            host.tick(nowNs);
        } else {
            byte[] bytes = e.datagram.toArray();
            delivered++;
            hash = Hash.mix(Hash.mix(Hash.mix(hash, nowNs), (long) e.from << 32 | e.host), bytes.length);
            for (int i = 0; i + 8 <= bytes.length; i += 61) hash = Hash.mix(hash, bytes[i] << 8 | bytes[i + 7]);
            host.receive(nowNs, bytes, hosts.get(e.from).at);
        }
        touched(host);
    }
}
