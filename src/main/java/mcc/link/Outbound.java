package mcc.link;

import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.session.Session;
import mcc.wire.Frames;
import mcc.wire.Transport;
import mcc.wire.pb.Control;
import org.jspecify.annotations.Nullable;

/** What goes out: builds and seals the packets of a link, as its pacer, its window and the sink allow. */
final class Outbound {
    /** Packets that one link may send before the next link's turn. */
    private static final int BURST = 48;

    private final Links links;
    private final byte[] plain;
    private final byte[] sealed = new byte[PathMtu.TOP];
    private final Counter txBytes;
    private final Counter txPackets;

    Outbound(Links links, byte[] plain, Counters counters) {
        this.links = links;
        this.plain = plain;
        txBytes = counters.of("udp.tx.bytes");
        txPackets = counters.of("udp.tx.packets");
    }

    /** Sends what one link has, up to {@link #BURST} packets; true when there may be more. */
    boolean transmit(long nowNs, Link link, PacketSink out) {
        Session session = link.current;
        Path path = link.path;
        if (session == null || path == null || !session.isAlive(nowNs)) {
            if (link.wantsKeys()) links.initiator.begin(nowNs, link);
            return false;
        }
        while (!link.controls.isEmpty() && out.ready()) {
            byte[] control = link.controls.removeFirst();
            sealAndSend(nowNs, link, session, out, path, control, control.length);
        }
        int max = links.paths.datagramBytes(nowNs, link, path) - Transport.OVERHEAD_BYTES;
        for (int i = 0; i < BURST; i++) {
            if (!out.ready()) return true;
            int n = link.connection.transmit(nowNs, plain, 0, max);
            if (n == 0) return false;
            boolean bulk =
                    n > PathMtu.BASE / 2 && link.streams() > 0; // messages are never longer than what fits anyway
            if (bulk && path.mtu.isDue(nowNs)) links.paths.beginMtu(nowNs, link, path);
            sealAndSend(nowNs, link, session, out, path, plain, n);
            session.used(nowNs);
            if (session.isDue(nowNs)) links.initiator.begin(nowNs, link);
        }
        return true;
    }

    private void sealAndSend(
            long nowNs, Link link, Session session, PacketSink out, Path path, byte[] frames, int length) {
        links.ledger.is(link, frames, length);
        int n = session.seal(Transport.FRAMES, frames, 0, length, sealed, 0);
        link.sentNs = nowNs;
        link.txBytes += n;
        send(nowNs, out, path.local, path.remote, sealed, n, 0);
    }

    /** What is sent next is for this. */
    void is(Ledger.Purpose purpose) {
        links.ledger.is(purpose);
    }

    void send(long nowNs, PacketSink out, int local, Address to, byte[] bytes, int length, int ecn) {
        txBytes.add(length);
        txPackets.add();
        if (to.isCircuit()) {
            links.circuits.send(nowNs, out, to, bytes, length, ecn);
            return;
        }
        links.contacted.sent(nowNs, local, to);
        links.ledger.sent(to, length);
        out.send(local, to, bytes, 0, length, ecn);
    }

    void sendShort(long nowNs, PacketSink out, int local, Address to, byte[] bytes) {
        txBytes.add(bytes.length);
        txPackets.add();
        links.contacted.sent(nowNs, local, to);
        links.ledger.sent(to, bytes.length);
        out.sendShort(local, to, bytes, 0, bytes.length);
    }

    /** The length of the datagram that {@link #sendControl} makes. */
    static int controlBytes(Control.Builder control) {
        return Frames.control(control.build().toByteArray()).length + Transport.OVERHEAD_BYTES;
    }

    void sendControl(long nowNs, Link link, int local, Address to, Control.Builder control) {
        byte[] frames = Frames.control(control.build().toByteArray());
        byte[] datagram = sealControl(nowNs, link, frames);
        if (datagram != null) links.post(local, to, datagram, links.ledger.of(link, frames, frames.length));
    }

    /** The same for what is not to get far. */
    void sendShortControl(long nowNs, Link link, int local, Address to, Control.Builder control) {
        byte[] datagram =
                sealControl(nowNs, link, Frames.control(control.build().toByteArray()));
        if (datagram != null) links.postShort(local, to, datagram);
    }

    private byte @Nullable [] sealControl(long nowNs, Link link, byte[] frames) {
        Session session = link.current;
        if (session == null || !session.isAlive(nowNs)) return null;
        byte[] datagram = new byte[frames.length + Transport.OVERHEAD_BYTES];
        session.seal(Transport.FRAMES, frames, 0, frames.length, datagram, 0);
        link.txBytes += datagram.length;
        link.sentNs = nowNs;
        return datagram;
    }
}
