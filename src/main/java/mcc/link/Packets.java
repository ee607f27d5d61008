package mcc.link;

import mcc.consortium.Subject;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import mcc.session.Session;
import mcc.wire.Contact;
import mcc.wire.Transport;
import org.jspecify.annotations.Nullable;

/**
 * Packets of the virtual interface, sealed one by one beside the streams: no acknowledgement, order or congestion window,
 * because the flows inside have their own (RFC 8085 section 3.1.11).
 */
public final class Packets {
    /** Receives the packets of peers, which are decrypted straight into its array. */
    public interface Handler {
        /** The array that packets are opened into. */
        byte[] buffer();

        /** Where a packet of {@code peer} with at most {@code max} bytes may be written; negative when it is too long. */
        int place(Id peer, int max);

        /**
         * A packet was written there; with a negative {@code length} it was not authentic, and is to be ignored.
         *
         * @param ecn the ECN mark that its datagram arrived with
         */
        void opened(long nowNs, Id peer, byte kind, int length, int ecn);
    }

    /** While packets are sent to it, a peer that was not heard for this long is probed. */
    private static final long SILENCE_NS = 5_000_000_000L;

    private final Links links;
    private final Counter unwanted;
    private final Counter lostParts;
    private final Counter malformedParts;
    private final byte[] sealed = new byte[2048];
    private final byte[] part = new byte[Parts.PART_MAX];
    private @Nullable Handler handler;
    private @Nullable Link last;

    Packets(Links links, Counters counters) {
        this.links = links;
        unwanted = counters.of("link.packet.unwanted");
        lostParts = counters.of("link.part.lost");
        malformedParts = counters.of("link.part.malformed");
    }

    /** Hands packets to this handler from now on; without one they are dropped. */
    public void handler(Handler handler) {
        this.handler = handler;
    }

    /** The longest packet that the path to a peer carries, in bytes. */
    public int max(Id peer) {
        Link link = find(peer);
        Path path = link == null ? null : link.path;
        return Math.min(PathMtu.INNER, path == null ? PathMtu.INNER : path.mtu.believed()) - Transport.OVERHEAD_BYTES;
    }

    /** Who a peer proved to be; null without a link on which it did. */
    public @Nullable Subject subject(Id peer) {
        Link link = find(peer);
        return link == null ? null : link.subject;
    }

    /** Begins a handshake with a peer if there is no session; false when that is impossible or not allowed. */
    public boolean connect(long nowNs, Contact to) {
        Link link = links.link(nowNs, to);
        if (link == null) return false;
        link.packetsWanted = true;
        if (!link.canSend(nowNs)) links.initiator.begin(nowNs, link);
        links.schedule(link);
        return !link.gone;
    }

    /** Whether packets for this peer can be sealed now. */
    public boolean canSend(long nowNs, Id peer) {
        Link link = find(peer);
        return link != null && link.canSend(nowNs);
    }

    /** Seals a packet and lends it to {@code out}; false without keys. */
    public boolean send(long nowNs, Id peer, byte kind, byte[] b, int offset, int length, PacketSink out) {
        Link link = find(peer);
        if (link == null || link.path == null || link.current == null || !link.current.isAlive(nowNs)) return false;
        seal(nowNs, link, link.current, link.path, kind, b, offset, length, ecn(b, offset), out);
        sent(nowNs, link, link.current, link.path);
        return true;
    }

    private void seal(
            long nowNs,
            Link link,
            Session session,
            Path path,
            byte kind,
            byte[] b,
            int offset,
            int length,
            int ecn,
            PacketSink out) {
        int n = session.seal(kind, b, offset, length, sealed, 0);
        link.txBytes += n;
        links.ledger.is(Ledger.Purpose.TRAFFIC);
        links.outbound.send(nowNs, out, path.local, path.remote, sealed, n, ecn);
    }

    /** The ECN mark of a packet, which its datagram gets too (RFC 6040 section 4.1). */
    private static int ecn(byte[] b, int offset) {
        return (b[offset] >>> 4 == 4 ? b[offset + 1] : b[offset + 1] >>> 4) & 3;
    }

    private void sent(long nowNs, Link link, Session session, Path path) {
        link.sentNs = nowNs;
        session.used(nowNs);
        if (session.isDue(nowNs)) links.initiator.begin(nowNs, link);
        if (path.mtu.isDue(nowNs)) links.paths.beginMtu(nowNs, link, path);
        if (nowNs - link.heardNs > SILENCE_NS && link.expectingNs == Core.NEVER && links.paths.probe(nowNs, link)) {
            links.expect(nowNs, link);
            links.schedule(link);
        }
    }

    /**
     * Seals a packet that is too long for the path in two halves of equal size, which one super-packet carries; otherwise like
     * {@link #send}.
     *
     * @param length at most twice what {@link #max} says, less two
     */
    public boolean sendParts(long nowNs, Id peer, boolean needsCsum, byte[] b, int offset, int length, PacketSink out) {
        Link link = find(peer);
        if (link == null || link.path == null || link.current == null || !link.current.isAlive(nowNs)) return false;
        int half = (length + 1) / 2;
        for (int i = 0; i < 2; i++) {
            int n = i == 0 ? half : length - half;
            part[0] = (byte) ((needsCsum ? Parts.NEEDS_CSUM : 0) | (i == 0 ? 0 : Parts.SECOND));
            System.arraycopy(b, offset + i * half, part, 1, n);
            seal(nowNs, link, link.current, link.path, Transport.PACKET_PART, part, 0, n + 1, ecn(b, offset), out);
        }
        sent(nowNs, link, link.current, link.path); // only now: the counters of both halves must be consecutive
        return true;
    }

    private @Nullable Link find(Id peer) {
        Link known = last;
        if (known != null && !known.gone && known.peer.equals(peer)) return known;
        last = links.find(peer);
        return last;
    }

    /** Opens a datagram straight into the handler's array; negative when it is not authentic or a replay. */
    int receive(long nowNs, Link link, Session session, byte[] buf, int offset, int length) {
        Handler handler = this.handler;
        if (handler == null || !session.isAlive(nowNs)) {
            unwanted.add();
            return -1;
        }
        if (Transport.kind(buf, offset) == Transport.PACKET_PART) {
            if (length - Transport.OVERHEAD_BYTES > part.length) {
                malformedParts.add();
                return -1;
            }
            int n = links.inbound.counted(session.open(buf, offset, length, part, 0));
            if (n >= 0) copied(nowNs, link, buf, offset, part, n);
            return n;
        }
        int at = handler.place(link.peer, length - Transport.OVERHEAD_BYTES);
        if (at < 0) {
            unwanted.add();
            return -1;
        }
        int n = links.inbound.counted(session.open(buf, offset, length, handler.buffer(), at));
        handler.opened(nowNs, link.peer, Transport.kind(buf, offset), n, links.arrivedEcn);
        if (n >= 0) heard(nowNs, link, length);
        return n;
    }

    /** Hands over a packet, or a part of one, that was opened elsewhere from the datagram at {@code offset}. */
    void copied(long nowNs, Link link, byte[] buf, int offset, byte[] plain, int n) {
        heard(nowNs, link, n);
        byte kind = Transport.kind(buf, offset);
        if (kind != Transport.PACKET_PART) {
            handOver(nowNs, link, kind, plain, n, links.arrivedEcn);
            return;
        }
        int receiver = Transport.receiver(buf, offset);
        switch (link.parts.take(receiver, Transport.counter(buf, offset), plain, n, links.arrivedEcn)) {
            case Parts.Result.Whole whole ->
                handOver(nowNs, link, whole.kind(), whole.packet(), whole.packet().length, whole.ecn());
            case Parts.Result.Waits waits -> {
                if (waits.evicted()) lostParts.add();
            }
            case Parts.Result.Malformed _ -> malformedParts.add();
        }
    }

    private void handOver(long nowNs, Link link, byte kind, byte[] plain, int n, int ecn) {
        Handler handler = this.handler;
        int at = handler == null ? -1 : handler.place(link.peer, n);
        if (handler == null || at < 0) {
            unwanted.add();
            return;
        }
        System.arraycopy(plain, 0, handler.buffer(), at, n);
        handler.opened(nowNs, link.peer, kind, n, ecn);
    }

    private static void heard(long nowNs, Link link, int bytes) {
        link.heard(nowNs, bytes);
        link.remoteHeard = true;
        if (link.current != null) link.current.used(nowNs);
    }
}
