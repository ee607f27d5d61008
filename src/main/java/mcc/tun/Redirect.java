package mcc.tun;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * Redirects packets to an endpoint's address to this node's own listener for it, and the listener's answers back, by rewriting
 * addresses and ports. So the host itself has no endpoint's address, and no socket of the node uses an app's port: an app can
 * bind its port on every address of the host whenever it wants.
 *
 * <p>All listeners share one address; their ports identify endpoint and port, so no state is kept per flow. The host's own
 * programs can use endpoints too: what they send returns to the host with the mirror as its source, an address that belongs to
 * nobody and stands for this node's, because a host accepts no packet from outside with its own address as source.
 *
 * <p>Checksums are adjusted, not recomputed (RFC 1624 equation 3), and packets quoted in ICMP errors are rewritten too (RFC
 * 5508 section 4). The caller limits the number of ways; outbound fragmented packets are remembered, {@link #FRAGMENTS_MAX} at
 * a time.
 */
public final class Redirect {
    /** Fragmented datagrams of the listeners that are remembered at a time: fragments of a datagram follow one another. */
    static final int FRAGMENTS_MAX = 64;

    private static final int FROM = 8;
    private static final int TO = 24;
    private static final int HEADER = 40;

    /** What became of a packet of the host. */
    public enum Verdict {
        /** Unchanged: not from a listener, nor to an endpoint here. */
        OTHER,
        /** Rewritten, to be sent to a peer. */
        PEER,
        /** Rewritten, to be returned to the host. */
        HOST,
        /** To be dropped: it belongs to nothing. */
        NOBODY
    }

    /**
     * The listener for an endpoint's port.
     *
     * @param listenerPort the listener's port
     */
    public record Way(InnerAddress endpoint, boolean udp, int port, int listenerPort) {
        private int protocol() {
            return udp ? Ip.UDP : Ip.TCP;
        }

        private int key() {
            return Redirect.key(udp, port);
        }

        private int listenerKey() {
            return Redirect.key(udp, listenerPort);
        }
    }

    private static int key(boolean udp, int port) {
        return (udp ? 1 << 16 : 0) | port;
    }

    private final InnerAddress self;
    private final InnerAddress listeners;
    private final InnerAddress mirror;
    private final Ip ip = new Ip();
    private final Ip quoted = new Ip();
    private List<Way> byEndpoint = List.of();
    private List<Way> byPort = List.of();
    /** Of fragmented packets that were sent: destination and packet ID, and their ways. */
    private final long[] fragments = new long[FRAGMENTS_MAX * 3];

    private final @Nullable Way[] fragmentWays = new Way[FRAGMENTS_MAX];
    private int nextFragment;

    /** @param self this node's own address */
    public Redirect(String network, Id node, InnerAddress self) {
        this.self = self;
        listeners = listenerAddress(network, node);
        mirror = derived(network, node, 2);
    }

    /** An address that belongs to nobody: of an ID that no key and no endpoint has. */
    private static InnerAddress derived(String network, Id node, int number) {
        return InnerAddress.of(network, new Id(~node.w0(), node.w1(), node.w2(), node.w3() ^ number));
    }

    /** The address of a node's listeners for its endpoints. */
    public static InnerAddress listenerAddress(String network, Id node) {
        return derived(network, node, 1);
    }

    /** Sets all ways; if two have the same endpoint and port, or the same listener, the first one counts. */
    public void ways(List<Way> all) {
        List<Way> endpoints = new ArrayList<>(all);
        endpoints.sort(Comparator.comparingLong((Way w) -> w.endpoint.high())
                .thenComparingLong(w -> w.endpoint.low())
                .thenComparingInt(Way::key));
        List<Way> ports = new ArrayList<>(all);
        ports.sort(Comparator.comparingInt(Way::listenerKey));
        byEndpoint = endpoints;
        byPort = ports;
    }

    /** The index of the first way that is not before this port of this address. */
    private int place(long high, long low, int key) {
        int from = 0;
        int to = byEndpoint.size();
        while (from < to) {
            int mid = (from + to) >>> 1;
            Way way = byEndpoint.get(mid);
            InnerAddress at = way.endpoint;
            boolean less = at.high() != high ? at.high() < high : at.low() != low ? at.low() < low : way.key() < key;
            if (less) from = mid + 1;
            else to = mid;
        }
        return from;
    }

    private boolean isEndpoint(long high, long low) {
        int at = place(high, low, 0);
        return at < byEndpoint.size() && isOf(high, low, byEndpoint.get(at).endpoint);
    }

    /** Whether the endpoint at an address has any port of a protocol. */
    private boolean speaks(long high, long low, boolean udp) {
        int at = place(high, low, key(udp, 0));
        if (at == byEndpoint.size()) return false;
        Way way = byEndpoint.get(at);
        return way.udp == udp && isOf(high, low, way.endpoint);
    }

    private @Nullable Way to(long high, long low, boolean udp, int port) {
        int at = place(high, low, key(udp, port));
        if (at == byEndpoint.size()) return null;
        Way way = byEndpoint.get(at);
        return way.udp == udp && way.port == port && isOf(high, low, way.endpoint) ? way : null;
    }

    private @Nullable Way at(boolean udp, int port) {
        int key = key(udp, port);
        int from = 0;
        int to = byPort.size();
        while (from < to) {
            int mid = (from + to) >>> 1;
            if (byPort.get(mid).listenerKey() < key) from = mid + 1;
            else to = mid;
        }
        return from < byPort.size() && byPort.get(from).listenerKey() == key ? byPort.get(from) : null;
    }

    /**
     * Redirects the parsed packet, which goes to an endpoint, to its listener; false, with nothing changed, if it cannot.
     *
     * @param from the new source; null keeps it
     */
    private boolean leads(byte[] b, int at, @Nullable InnerAddress from, boolean partial) {
        if (ip.protocol != Ip.TCP && ip.protocol != Ip.UDP) return false;
        boolean udp = ip.protocol == Ip.UDP;
        Way way = ip.hasPorts ? to(ip.toHigh, ip.toLow, udp, ip.toPort) : null;
        if (way == null && (ip.hasPorts || !speaks(ip.toHigh, ip.toLow, udp))) return false;
        int addresses = put(b, at + TO, listeners) + (from == null ? 0 : put(b, at + FROM, from));
        if (way != null) sum(b, addresses, port(b, ip.transport + 2, way.listenerPort), partial);
        return true;
    }

    // ---- to the host ------------------------------------------------------------------------------------------------

    /**
     * Rewrites an admitted packet or super-packet for the host; false if it goes to an endpoint without a listener.
     *
     * @param partial whether its checksum is only that of the pseudo-header
     */
    public boolean enters(byte[] b, int at, int length, boolean partial) {
        if (byEndpoint.isEmpty() || length < HEADER || Octets.u8(b, at) >>> 4 != 6) return true;
        if (!isEndpoint(Octets.i64(b, at + TO), Octets.i64(b, at + TO + 8))) return true;
        if (!ip.parse(b, at, length)) return false;
        return ip.protocol == Ip.ICMP6 ? entersError(b, at) : leads(b, at, null, partial);
    }

    /** Turns an error about a packet of the endpoint into one about a packet of the listener. */
    private boolean entersError(byte[] b, int at) {
        int quote = quote(b);
        if (quote < 0 || quoted.fromHigh != ip.toHigh || quoted.fromLow != ip.toLow) return false;
        Way way = to(quoted.fromHigh, quoted.fromLow, quoted.protocol == Ip.UDP, quoted.fromPort);
        if (way == null || way.protocol() != quoted.protocol) return false;
        int change = put(b, at + TO, listeners) + put(b, quote + FROM, listeners);
        change += port(b, quoted.transport, way.listenerPort);
        Inet4.adjust(b, ip.transport + 2, change);
        return true;
    }

    /**
     * Parses the packet that an error quotes; returns its index, or a negative number if it is no error, or quotes nothing
     * known.
     */
    private int quote(byte[] b) {
        if (!ip.hasPorts || !Icmp.isError(false, Octets.u8(b, ip.transport))) return -1;
        int at = ip.transport + 8;
        return quoted.parseHead(b, at, ip.transportLength - 8) && !quoted.v4 ? at : -1;
    }

    // ---- from the host ----------------------------------------------------------------------------------------------

    /**
     * Rewrites a packet or super-packet of the host: an answer of a listener, or a packet of a local program to an endpoint
     * here.
     *
     * @param partial as for {@link #enters}
     */
    public Verdict leaves(byte[] b, int at, int length, boolean partial) {
        if (byEndpoint.isEmpty() || length < HEADER || Octets.u8(b, at) >>> 4 != 6) return Verdict.OTHER;
        boolean answer = isOf(Octets.i64(b, at + FROM), Octets.i64(b, at + FROM + 8), listeners);
        if (!answer && !isEndpoint(Octets.i64(b, at + TO), Octets.i64(b, at + TO + 8))) return Verdict.OTHER;
        if (!ip.parse(b, at, length)) return Verdict.NOBODY;
        return answer ? answer(b, at, partial) : returns(b, at, partial);
    }

    private Verdict answer(byte[] b, int at, boolean partial) {
        boolean home = isOf(ip.toHigh, ip.toLow, mirror);
        int quote = ip.protocol == Ip.ICMP6 ? quote(b) : 0;
        Way way = quote != 0 ? quote < 0 ? null : at(quoted.protocol == Ip.UDP, quoted.toPort) : wayOfAnswer();
        if (way == null || quote > 0 && quoted.protocol != way.protocol()) return Verdict.NOBODY;
        int change = put(b, at + FROM, way.endpoint);
        if (home) change += put(b, at + TO, self);
        if (quote > 0) {
            change += put(b, quote + TO, way.endpoint) + port(b, quoted.transport + 2, way.port);
            if (home) change += put(b, quote + FROM, self);
            Inet4.adjust(b, ip.transport + 2, change);
        } else if (ip.hasPorts) {
            sum(b, change, port(b, ip.transport, way.port), partial);
        }
        return home ? Verdict.HOST : Verdict.PEER;
    }

    private @Nullable Way wayOfAnswer() {
        if (ip.protocol != Ip.TCP && ip.protocol != Ip.UDP) return null;
        if (!ip.hasPorts) return wayOfFragment();
        Way way = at(ip.protocol == Ip.UDP, ip.fromPort);
        if (way == null || !ip.fragment) return way;
        int slot = nextFragment;
        nextFragment = (slot + 1) % FRAGMENTS_MAX;
        fragments[slot * 3] = ip.toHigh;
        fragments[slot * 3 + 1] = ip.toLow;
        fragments[slot * 3 + 2] = ip.fragmentId;
        fragmentWays[slot] = way;
        return way;
    }

    /** The way of a later fragment: of the newest packet with its ID. */
    private @Nullable Way wayOfFragment() {
        for (int i = 1; i <= FRAGMENTS_MAX; i++) {
            int slot = (nextFragment - i + FRAGMENTS_MAX) % FRAGMENTS_MAX;
            boolean same = fragments[slot * 3] == ip.toHigh
                    && fragments[slot * 3 + 1] == ip.toLow
                    && fragments[slot * 3 + 2] == ip.fragmentId;
            if (same) return fragmentWays[slot];
        }
        return null;
    }

    /** A program on this host sends to an endpoint here. */
    private Verdict returns(byte[] b, int at, boolean partial) {
        boolean own = isOf(ip.fromHigh, ip.fromLow, self);
        return own && leads(b, at, mirror, partial) ? Verdict.HOST : Verdict.NOBODY;
    }

    // ---- both -------------------------------------------------------------------------------------------------------

    private static boolean isOf(long high, long low, InnerAddress address) {
        return high == address.high() && low == address.low();
    }

    /** Writes an address; returns the change of the checksum. */
    private static int put(byte[] b, int at, InnerAddress address) {
        long old = Octets.sum(b, at, 16);
        Octets.put64(b, at, address.high());
        Octets.put64(b, at + 8, address.low());
        return (int) (Octets.sum(b, at, 16) - old)
                + 8 * 0xffff; // for each of eight words the inverted old value plus the new one
    }

    private static int port(byte[] b, int at, int port) {
        int old = Octets.u16(b, at);
        Octets.put16(b, at, port);
        return port + (~old & 0xffff);
    }

    /** Updates the transport checksum; a partial one, which is not inverted, does not cover the ports. */
    private void sum(byte[] b, int addresses, int ports, boolean partial) {
        int field = ip.transport + (ip.protocol == Ip.TCP ? 16 : 6);
        if (partial) {
            Octets.put16(b, field, Octets.fold(Octets.u16(b, field) + (long) addresses));
            return;
        }
        Inet4.adjust(b, field, addresses + ports);
        if (ip.protocol == Ip.UDP && Octets.u16(b, field) == 0) Octets.put16(b, field, 0xffff); // RFC 8200 section 8.1
    }
}
