package mcc.link;

import com.google.protobuf.ByteString;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.link.LinkInput.Probe.Kind;
import mcc.wire.Capabilities;
import mcc.wire.Frames;
import mcc.wire.Handshakes;
import mcc.wire.pb.Control;
import mcc.wire.pb.EchoAnswer;

/**
 * Sealed datagrams beside the paths, by which a node learns what NATs do: an echo asks a peer from where it came, a dial-back is
 * what a peer was asked to send. They come from addresses and ports that nobody means to use, so no path is made of them.
 */
final class Probes {
    /** Echoes of one peer that are answered per second, and at once after a pause. */
    private static final int ECHOES_PER_SECOND = 4;

    static final int ECHOES_AT_ONCE = 16;
    private static final int PEERS = 4_096;
    /** Makes an echo as long as the longest answer. */
    private static final ByteString PADDING = ByteString.copyFrom(new byte[32]);

    private final Links links;
    private final byte[] plain;
    private final Counters counters;
    private final RateLimit<Id> echoes = new RateLimit<>(ECHOES_PER_SECOND, ECHOES_AT_ONCE, PEERS);

    Probes(Links links, byte[] plain, Counters counters) {
        this.links = links;
        this.plain = plain;
        this.counters = counters;
    }

    void send(long nowNs, LinkInput.Probe p) {
        Link link = links.find(p.peer());
        boolean echo = p.kind() == Kind.ECHO;
        boolean knows = link != null && (link.capabilities & Capabilities.PROBES) != 0;
        if (link == null || link.path == null || !link.canSend(nowNs) || !knows) {
            counters.add("link.probe.refused");
            return;
        }
        Control.Builder control = Control.newBuilder();
        if (echo) control.setEcho(p.nonce()).setPadding(PADDING);
        else control.setDialBack(p.nonce());
        counters.add(echo ? "link.probe.echoes" : "link.probe.dial-backs");
        int local = p.local() == PacketSink.ANY ? link.path.local : p.local();
        links.outbound.sendControl(nowNs, link, local, p.to(), control);
    }

    /** Whether an opened packet is one of these: known by the first byte of its control frame. */
    static boolean isOne(byte[] plain, int n) {
        if (!Frames.isControl(plain, 0, n)) return false;
        int at = Frames.controlOffset(plain, 0, n);
        if (at < 0 || at >= n) return false;
        int field = plain[at] >>> 3;
        return field == Control.ECHO_FIELD_NUMBER
                || field == Control.ECHO_ANSWER_FIELD_NUMBER
                || field == Control.DIAL_BACK_FIELD_NUMBER;
    }

    /** Takes an opened packet if it is one of these: then nothing else is made of it. */
    boolean take(long nowNs, Link link, int n, Address from, int datagramBytes) {
        if (!isOne(plain, n)) return false;
        int at = Frames.controlOffset(plain, 0, n);
        Control control = Handshakes.control(plain, at, n - at);
        link.rxBytes += datagramBytes;
        if (control == null
                || from.isStandIn()) { // what a relay or a carrier brings says nothing about this node's addresses
            counters.add("link.datagram.malformed");
            return true;
        }
        switch (control.getKindCase()) {
            case ECHO -> echo(nowNs, link, control.getEcho(), from, datagramBytes);
            case ECHO_ANSWER -> {
                EchoAnswer answer = control.getEchoAnswer();
                Address self = Handshakes.address(answer.getObserved());
                if (self != null) {
                    links.output(new LinkOutput.Echoed(link.peer, links.arrivedLocal, answer.getNonce(), self));
                }
            }
            case DIAL_BACK ->
                links.output(new LinkOutput.DialledBack(link.peer, from, links.arrivedLocal, control.getDialBack()));
            case PATH_CHALLENGE,
                    PATH_RESPONSE,
                    OBSERVED,
                    KEEPALIVE,
                    CLOSE,
                    MTU_PROBE,
                    MTU_RESPONSE,
                    CAPABILITIES,
                    KIND_NOT_SET -> counters.add("link.datagram.malformed");
        }
        return true;
    }

    private void echo(long nowNs, Link link, long nonce, Address from, int datagramBytes) {
        Control.Builder answer = Control.newBuilder()
                .setEchoAnswer(EchoAnswer.newBuilder().setNonce(nonce).setObserved(Handshakes.endpoint(from)));
        boolean paid = Outbound.controlBytes(answer) <= datagramBytes;
        if (!paid || !echoes.take(nowNs, link.peer)) {
            counters.add(paid ? "link.probe.limited" : "link.probe.unpaid");
            return;
        }
        counters.add("link.probe.echoed");
        links.outbound.sendControl(nowNs, link, links.arrivedLocal, from, answer);
    }
}
