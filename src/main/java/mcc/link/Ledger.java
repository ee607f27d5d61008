package mcc.link;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.wire.Frames;
import mcc.wire.FramesReader;

/**
 * What this node's datagrams are for, in bytes of IP: payload, UDP header and IP header. The one place that counts them; a
 * datagram counts once, by the first purpose that it has, and one in a circuit as the datagram to or from the relay.
 */
final class Ledger {
    /** What a datagram is for. */
    enum Purpose {
        /** Handshakes, and all that cannot be opened. */
        HANDSHAKE,
        /** Keeping and trying paths. */
        PATH,
        /** Keeping the way to a relay where this node has a place, and asking for places and circuits. */
        RELAY,
        /** Finding out what NAT is before this node or a peer. */
        NAT,
        /** Finding nodes, and pings. */
        DHT,
        /** Finding, placing and keeping records. */
        RECORD,
        /** Streams, packets of the virtual interface, and acknowledgements. */
        TRAFFIC,
        /** What this node relays for others. */
        RELAYED
    }

    /** Headers of UDP and IPv4, and of UDP and IPv6 (RFC 768, RFC 791, RFC 8200). */
    static final int V4_BYTES = 28;

    static final int V6_BYTES = 48;

    private final Links links;
    private final Map<Purpose, Counter> sent = new EnumMap<>(Purpose.class);
    private final Map<Purpose, Counter> received = new EnumMap<>(Purpose.class);
    private final FramesReader reader = new FramesReader();
    /** What the datagram being handled is for. */
    private Purpose now = Purpose.HANDSHAKE;

    Ledger(Links links, Counters counters) {
        this.links = links;
        for (Purpose each : Purpose.values()) {
            String name = each.name().toLowerCase(Locale.ROOT);
            sent.put(each, counters.of("link.ip.tx." + name));
            received.put(each, counters.of("link.ip.rx." + name));
        }
    }

    /** What is handled next is for this, as far as is known. */
    void is(Purpose purpose) {
        now = purpose;
    }

    /** What is handled next has this content, opened or not yet sealed. */
    void is(Link link, byte[] plain, int n) {
        now = of(link, plain, n);
    }

    /** A datagram leaves; what goes to a circuit leaves as a datagram to its relay, and counts then. */
    void sent(Address to, int bytes) {
        if (!to.isCircuit()) count(sent, bytes + headers(to));
    }

    /** A datagram has come and was handled. */
    void received(Address from, int bytes) {
        if (!from.isCircuit()) count(received, bytes + headers(from));
    }

    private void count(Map<Purpose, Counter> direction, int bytes) {
        Counter counter = direction.get(now);
        if (counter != null) counter.add(bytes);
    }

    private static int headers(Address address) {
        return address.isV4() ? V4_BYTES : V6_BYTES;
    }

    Purpose of(Link link, byte[] plain, int n) {
        if (Frames.isControl(plain, 0, n)) {
            if (Probes.isOne(plain, n)) return Purpose.NAT;
            return links.circuits.isWelcome(link.peer) ? Purpose.RELAY : Purpose.PATH;
        }
        if (link.wantedStreams() > 0) return Purpose.TRAFFIC;
        reader.begin(plain, 0, n);
        while (reader.next()) {
            if (reader.kind() == Frames.MESSAGE) return ofMessage(plain, reader.dataAt(), reader.dataLength());
        }
        return Purpose.TRAFFIC;
    }

    /** By the field of the body: the only one that is no number. */
    private static Purpose ofMessage(byte[] plain, int at, int length) {
        int end = at + length;
        while (at < end && (plain[at] & 7) == 0) at = afterNumber(plain, afterNumber(plain, at, end), end);
        if (at >= end) return Purpose.HANDSHAKE;
        int tag = plain[at] & 0x7f;
        if (plain[at] < 0 && at + 1 < end) tag |= plain[at + 1] << 7;
        return switch (tag >>> 3) {
            case 2, 3, 4, 5 -> Purpose.DHT;
            case 6, 7, 8, 9, 10, 11 -> Purpose.RECORD;
            case 12, 13 -> Purpose.NAT;
            case 20, 21, 22, 23 -> Purpose.RELAY;
            default -> Purpose.PATH;
        };
    }

    private static int afterNumber(byte[] plain, int at, int end) {
        while (at < end && plain[at] < 0) at++;
        return at + 1;
    }
}
