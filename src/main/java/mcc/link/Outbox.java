package mcc.link;

import java.util.ArrayDeque;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;

/** Datagrams that wait for the socket: handshakes and control frames. Limit: {@link #MAX}; what it refused is counted. */
final class Outbox {
    static final int MAX = 1024;

    record Outgoing(int local, Address to, Bytes datagram, boolean isShort, Ledger.Purpose purpose) {}

    private final ArrayDeque<Outgoing> waiting = new ArrayDeque<>();
    private final Counters counters;

    Outbox(Counters counters) {
        this.counters = counters;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    void add(int local, Address to, byte[] datagram, boolean isShort, Ledger.Purpose purpose) {
        if (waiting.size() < MAX) waiting.add(new Outgoing(local, to, Bytes.owning(datagram), isShort, purpose));
        else counters.add("link.outbox.dropped");
    }

    /** Lends what waits to {@code out}, oldest first, until it is full. */
    void transmit(long nowNs, Outbound outbound, PacketSink out) {
        while (out.ready() && !waiting.isEmpty()) {
            Outgoing o = waiting.removeFirst();
            byte[] bytes = o.datagram().toArray();
            outbound.is(o.purpose());
            if (o.isShort()) {
                outbound.sendShort(nowNs, out, o.local(), o.to(), bytes);
                continue;
            }
            boolean probe = bytes.length > PathMtu.BASE; // nothing else that waits is as long
            if (probe) out.cut();
            outbound.send(nowNs, out, o.local(), o.to(), bytes, bytes.length, 0);
            if (probe) out.cut();
        }
    }
}
