package mcc.link;

import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.link.LinkOutput.Reason;
import mcc.session.Session;
import mcc.stream.Event;
import mcc.wire.Frames;
import mcc.wire.FramesReader;
import mcc.wire.Handshakes;
import mcc.wire.Transport;
import mcc.wire.pb.Control;
import mcc.wire.pb.Datagram;

/**
 * What comes in, from a datagram to outputs: reads its header, finds its keys, checks the replay window, notes the path, and
 * hands the frames to the connection, whose events become outputs.
 */
final class Inbound {
    private static final int CE = 3;

    private final Links links;
    private final byte[] plain;
    private final Counters counters;
    private final Counter malformed;
    private final Counter unknown;
    private final Counter forged;
    private final Counter replayed;

    Inbound(Links links, byte[] plain, Counters counters) {
        this.links = links;
        this.plain = plain;
        this.counters = counters;
        malformed = counters.of("link.datagram.malformed");
        unknown = counters.of("link.datagram.unknown-receiver");
        forged = counters.of("link.datagram.forged");
        replayed = counters.of("link.datagram.replayed");
    }

    void onTransport(long nowNs, byte[] buf, int offset, int length, Address from) {
        if (!Transport.isWellFormed(buf, offset, length) || length - Transport.OVERHEAD_BYTES > plain.length) {
            malformed.add();
            return;
        }
        switch (links.slots.find(Transport.receiver(buf, offset))) {
            case Slot.Established(Link link, Session session) ->
                onSealed(nowNs, link, session, buf, offset, length, from);
            case Slot.Responding(Responder.Pending pending)
            when pending.session != null -> {
                int n = open(pending.session, buf, offset, length, nowNs);
                if (n < 0 || isEarlyProbe(buf, offset, n)) return;
                Link link = links.responder.promote(nowNs, pending, from);
                if (link != null) onOpened(nowNs, link, n, buf, offset, from, length);
            }
            case Slot.Dialing(Dial dial)
            when dial.link != null && dial.session != null -> {
                int n = open(dial.session, buf, offset, length, nowNs);
                if (n < 0 || isEarlyProbe(buf, offset, n)) return;
                Link link = dial.link;
                links.dialer.confirmed(nowNs, dial, from);
                onOpened(nowNs, link, n, buf, offset, from, length);
            }
            case null, default -> unknown.add();
        }
    }

    private void onSealed(long nowNs, Link link, Session session, byte[] buf, int offset, int length, Address from) {
        boolean frames = Transport.kind(buf, offset) == Transport.FRAMES;
        int n = frames
                ? open(session, buf, offset, length, nowNs)
                : links.packets.receive(nowNs, link, session, buf, offset, length);
        if (n >= 0 && frames) links.ledger.is(link, plain, n);
        else if (n >= 0) links.ledger.is(Ledger.Purpose.TRAFFIC);
        if (n < 0 || frames && links.probes.take(nowNs, link, n, from, length)) return;
        boolean newest = session == link.current && session.isNewest(buf, offset);
        links.paths.heard(nowNs, link, links.arrivedLocal, from, length, newest);
        if (frames) onFrames(nowNs, link, n, from, length);
    }

    private void onOpened(long nowNs, Link link, int n, byte[] buf, int offset, Address from, int datagramBytes) {
        if (Transport.kind(buf, offset) == Transport.FRAMES) onFrames(nowNs, link, n, from, datagramBytes);
        else links.packets.copied(nowNs, link, buf, offset, plain, n);
    }

    /** A probe proves no path, so it cannot confirm a handshake either. */
    private boolean isEarlyProbe(byte[] buf, int offset, int n) {
        boolean early = Transport.kind(buf, offset) == Transport.FRAMES && Probes.isOne(plain, n);
        if (early) counters.add("link.probe.early");
        return early;
    }

    /** Opens a packet into {@link #plain}; returns its length, negative when it is not authentic or a replay. */
    private int open(Session session, byte[] buf, int offset, int length, long nowNs) {
        if (!session.isAlive(nowNs)) {
            unknown.add();
            return -1;
        }
        return counted(session.open(buf, offset, length, plain, 0));
    }

    int counted(int n) {
        if (n == Session.FORGED) forged.add();
        else if (n == Session.REPLAYED) replayed.add();
        return n;
    }

    private void onFrames(long nowNs, Link link, int n, Address from, int datagramBytes) {
        link.heard(nowNs, datagramBytes);
        link.remoteHeard |= !Frames.isBareMessage(plain, 0, n);
        if (Frames.isControl(plain, 0, n)) {
            onControl(nowNs, link, n, from);
        } else if (Frames.isBareMessage(plain, 0, n)) {
            onBareMessage(nowNs, link, n);
        } else if (link.connection.receive(nowNs, plain, 0, n, links.arrivedEcn == CE)) {
            if (link.current != null) link.current.used(nowNs);
        }
        drain(nowNs, link);
        links.touch(link);
    }

    private void onBareMessage(long nowNs, Link link, int n) {
        FramesReader reader = new FramesReader();
        reader.begin(plain, 0, n);
        if (reader.next() && reader.kind() == Frames.MESSAGE) links.requests.onMessage(nowNs, link, reader.message());
        else malformed.add();
    }

    private void onControl(long nowNs, Link link, int n, Address from) {
        int at = Frames.controlOffset(plain, 0, n);
        Control control = at < 0 ? null : Handshakes.control(plain, at, n - at);
        if (control == null) {
            malformed.add();
            return;
        }
        switch (control.getKindCase()) {
            case PATH_CHALLENGE -> links.paths.challenged(nowNs, link, links.arrivedLocal, from, control);
            case MTU_PROBE -> links.outbound.sendControl(nowNs, link, links.arrivedLocal, from, Paths.answer(control));
            case MTU_RESPONSE -> links.paths.mtuAnswered(nowNs, link, control.getMtuResponse());
            case PATH_RESPONSE -> links.paths.answered(nowNs, link, control.getPathResponse());
            case OBSERVED -> {
                Address self = Handshakes.address(control.getObserved());
                if (self != null) links.observed(link.peer, from, self);
            }
            case CAPABILITIES -> {
                link.capabilities = control.getCapabilities();
                links.output(new LinkOutput.Offers(link.subject(), from, link.capabilities));
            }
            case CLOSE -> links.forget(link, Reason.CLOSED);
            case KEEPALIVE, ECHO, ECHO_ANSWER, DIAL_BACK, KIND_NOT_SET -> {}
        }
    }

    void onHandshake(long nowNs, byte[] buf, int offset, int length, Address from) {
        Datagram d = Handshakes.datagram(buf, offset, length);
        if (d == null) {
            malformed.add();
            return;
        }
        switch (d.getKindCase()) {
            case INITIATION -> links.responder.onInitiation(nowNs, d.getInitiation(), false, from, length);
            case XX_INITIATION -> links.responder.onInitiation(nowNs, d.getXxInitiation(), true, from, length);
            case RESPONSE -> {
                if (links.slots.find(d.getResponse().getReceiver()) instanceof Slot.Initiating(Link link)) {
                    links.initiator.onResponse(nowNs, link, d.getResponse(), from, length);
                } else unknown.add();
            }
            case XX_RESPONSE -> {
                if (links.slots.find(d.getXxResponse().getReceiver()) instanceof Slot.Dialing(Dial dial)) {
                    links.dialer.onResponse(nowNs, dial, d.getXxResponse(), from);
                } else unknown.add();
            }
            case XX_FINAL -> {
                switch (links.slots.find(d.getXxFinal().getReceiver())) {
                    case Slot.Responding(Responder.Pending pending) ->
                        links.responder.onFinal(nowNs, pending, d.getXxFinal(), from);
                    // A repetition, because the confirmation was lost: confirm again, to the address in use.
                    case Slot.Established(Link link, Session _)
                    when link.path != null -> links.control(link, Paths.observed(link.path.remote));
                    case null, default -> unknown.add();
                }
            }
            case COOKIE -> {
                switch (links.slots.find(d.getCookie().getReceiver())) {
                    case Slot.Initiating(Link link) -> links.initiator.onCookie(nowNs, link, d.getCookie(), from);
                    case Slot.Dialing(Dial dial) -> links.dialer.onCookie(nowNs, dial, d.getCookie());
                    case null, default -> unknown.add();
                }
            }
            case FRAMES, PACKET, PACKET_NEEDS_CSUM, PACKET_PART, RELAYED, KIND_NOT_SET -> malformed.add();
        }
    }

    /** Turns the connection's events into outputs. */
    void drain(long nowNs, Link link) {
        for (Event event; (event = link.connection.poll()) != null; ) {
            switch (event) {
                case Event.Message m -> links.requests.onMessage(nowNs, link, m.bytes());
                case Event.Datagram e -> links.output(new LinkOutput.StreamDatagram(e.stream(), e.data()));
                case Event.Opened e -> links.output(new LinkOutput.StreamOpened(link.subject(), e.stream()));
                case Event.Readable e -> links.output(new LinkOutput.StreamReadable(link.peer, e.stream()));
                case Event.Writable e -> links.output(new LinkOutput.StreamWritable(e.stream()));
                case Event.Reset e -> links.output(new LinkOutput.StreamReset(e.stream(), e.code()));
                case Event.Finished e -> links.output(new LinkOutput.StreamFinished(e.stream()));
                case Event.Broken _ -> {
                    counters.add("link.peer.broken");
                    links.forget(link, Reason.REFUSED);
                    return;
                }
            }
        }
    }
}
