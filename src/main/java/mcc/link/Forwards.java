package mcc.link;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import mcc.wire.Relayed;
import org.jspecify.annotations.Nullable;

/**
 * The circuits of others that this node relays. A datagram that comes by one end, from an address that the peer at this end has
 * proved, leaves by the other, to the path in use there; only the circuit's number is changed. What is inside is sealed between
 * the two ends of the way, and this node has no key to it.
 *
 * <p>A circuit ends when nothing went through it for {@link #IDLE_NS}, or when one of its two links ends. Its rate is limited in
 * both directions together. A datagram with the right number from an unknown address costs one challenge to that address at
 * most: the peer's NAT may have made a new mapping.
 */
final class Forwards {
    /** How long a circuit that nobody uses is kept. */
    static final long IDLE_NS = 300_000_000_000L;
    /** One that was not used for so long gives way to another of the same asker. */
    static final long REST_NS = 5_000_000_000L;
    /** A limited circuit may send so much of a second's share at once. */
    private static final long BURST_NS = 100_000_000L;

    private static final class Circuit {
        final long bytesPerSecond;
        long usedNs;
        long freeNs;
        long bytes;

        Circuit(long bytesPerSecond, long nowNs) {
            this.bytesPerSecond = bytesPerSecond;
            usedNs = nowNs;
            freeNs = nowNs;
        }

        /** Whether the rate allows so many more bytes now. */
        boolean takes(long nowNs, int n) {
            if (bytesPerSecond > 0) {
                if (freeNs - nowNs > BURST_NS) return false;
                freeNs = Math.max(freeNs, nowNs) + n * 1_000_000_000L / bytesPerSecond;
            }
            usedNs = nowNs;
            bytes += n;
            return true;
        }
    }

    /** One end: whether it asked, who is there, which number it goes by, and which the other end has. */
    private record End(Circuit circuit, boolean asked, Id peer, long token, Id other, long otherToken) {}

    private final Links links;
    /** By number, in the order of use. */
    private final Map<Long, End> ends = new LinkedHashMap<>(16, 0.75f, true);

    private final Counter bytes;
    private final Counter packets;
    private final Counter stray;
    private final Counter limited;
    private final Counter dropped;

    Forwards(Links links, Counters counters) {
        this.links = links;
        bytes = counters.of("relay.bytes");
        packets = counters.of("relay.packets");
        stray = counters.of("relay.stray");
        limited = counters.of("relay.limited");
        dropped = counters.of("relay.dropped");
    }

    /** Binds a circuit, unless one of its ends has no link any longer. */
    void bind(long nowNs, LinkInput.Bind b) {
        if (links.find(b.peer()) == null || links.find(b.other()) == null) {
            links.output(new LinkOutput.Unbound(b.token(), b.otherToken(), 0));
            return;
        }
        Circuit circuit = new Circuit(b.bytesPerSecond(), nowNs);
        ends.put(b.token(), new End(circuit, true, b.peer(), b.token(), b.other(), b.otherToken()));
        ends.put(b.otherToken(), new End(circuit, false, b.other(), b.otherToken(), b.peer(), b.token()));
    }

    void unbind(long token) {
        End end = ends.get(token);
        if (end != null) end(end);
    }

    /** Forwards a relayed datagram, if its number is of a circuit here; false when it is not. */
    boolean forward(long nowNs, long token, byte[] buf, int offset, int length, Address from, int local, int ecn) {
        if (ends.isEmpty()) return false;
        End end = ends.get(token);
        if (end == null) return false;
        PacketSink out = links.relaying;
        Link source = links.find(end.peer);
        Link target = links.find(end.other);
        Path to = target == null ? null : target.path;
        if (source == null || out == null || to == null || to.remote.isCircuit()) {
            dropped.add();
            return true;
        }
        if (!Paths.isProven(source, local, from)) {
            stray.add();
            links.paths.knocked(nowNs, source, local, from, length);
            return true;
        }
        if (!end.circuit.takes(nowNs, length)) {
            limited.add();
            return true;
        }
        if (!out.ready()) {
            dropped.add();
            return true;
        }
        bytes.add(length);
        packets.add();
        ends.get(end.otherToken); // both ends of a circuit stand together in the order of use
        Relayed.putCircuit(buf, offset, end.otherToken);
        links.contacted.sent(nowNs, to.local, to.remote);
        links.ledger.is(Ledger.Purpose.RELAYED);
        links.ledger.sent(to.remote, length);
        out.send(to.local, to.remote, buf, offset, length, ecn);
        return true;
    }

    /** Ends the circuit of an asker that was used least recently, unless it is in use. */
    void spare(long nowNs, Id asker) {
        for (End end : ends.values()) {
            if (!end.asked || !end.peer.equals(asker)) continue;
            if (nowNs - end.circuit.usedNs >= REST_NS) end(end);
            return;
        }
    }

    /** A link ended: its circuits end with it. */
    void lost(Id peer) {
        if (ends.isEmpty()) return;
        List<End> over = new ArrayList<>();
        for (End end : ends.values()) if (end.peer.equals(peer)) over.add(end);
        for (End end : over) end(end);
    }

    void tick(long nowNs) {
        for (End end; (end = oldest()) != null && end.circuit.usedNs + IDLE_NS <= nowNs; ) end(end);
    }

    long deadlineNs() {
        End end = oldest();
        return end == null ? Core.NEVER : end.circuit.usedNs + IDLE_NS;
    }

    /** The end whose circuit was used least recently. */
    private @Nullable End oldest() {
        Iterator<End> it = ends.values().iterator();
        return it.hasNext() ? it.next() : null;
    }

    private void end(End end) {
        ends.remove(end.token);
        ends.remove(end.otherToken);
        links.output(new LinkOutput.Unbound(end.token, end.otherToken, end.circuit.bytes));
    }
}
