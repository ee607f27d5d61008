package mcc.node;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.link.PacketSink;
import org.jspecify.annotations.Nullable;

/**
 * The node's UDP sockets as one: an answer leaves by the socket and from the address that was asked, because a stateful
 * firewall, a NAT or a connected socket takes it from no other. What is sent first leaves from where the kernel's routes say.
 */
final class UdpSockets implements PacketSink {
    private static final int ROUTES_MAX = 4_096;
    /** Routes change: what the kernel said is asked again after this long. */
    private static final long ROUTES_NS = 30_000_000_000L;

    private final List<UdpSocket> sockets = new ArrayList<>();
    private final Counters counters;
    private final LocalEnds ends;
    private final Map<Address, UdpSocket> routes = new HashMap<>();
    private long routesNs;

    UdpSockets(Counters counters) {
        this.counters = counters;
        ends = new LocalEnds(counters);
    }

    /** As {@link UdpSocket#bind}. */
    void bind(PacketLoop loop, Address address, boolean offload, UdpSocket.Handler handler) {
        sockets.add(UdpSocket.bind(loop, address, offload, ends, counters, handler));
    }

    /** The addresses to which the sockets are bound. */
    List<Address> addresses() {
        return sockets.stream().map(UdpSocket::local).toList();
    }

    @Override
    public boolean ready() {
        for (UdpSocket socket : sockets) if (!socket.isWritable()) return false;
        return !sockets.isEmpty();
    }

    @Override
    public void send(Address to, byte[] buf, int offset, int length) {
        send(ANY, to, buf, offset, length, 0);
    }

    @Override
    public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        LocalEnds.End end = ends.get(local);
        UdpSocket socket = end != null && end.socket().local().isV4() == to.isV4() ? end.socket() : choose(to);
        if (socket == null) counters.add("udp.no-socket-for-family");
        else socket.send(local, to, buf, offset, length, ecn);
    }

    @Override
    public void cut() {
        for (UdpSocket socket : sockets) socket.cut();
    }

    void flush() {
        for (UdpSocket socket : sockets) socket.flush();
    }

    void close() {
        for (UdpSocket socket : sockets) socket.close();
    }

    /** The socket for what is no answer: that of every address, else that of the address which the kernel would send from. */
    private @Nullable UdpSocket choose(Address to) {
        UdpSocket first = null;
        boolean several = false;
        for (UdpSocket socket : sockets) {
            if (socket.local().isV4() != to.isV4()) continue;
            if (socket.local().isUnspecified()) return socket;
            several |= first != null;
            if (first == null) first = socket;
        }
        return several && first != null ? byRoute(to, first) : first;
    }

    private UdpSocket byRoute(Address to, UdpSocket otherwise) {
        long nowNs = System.nanoTime();
        if (routes.size() >= ROUTES_MAX || nowNs - routesNs > ROUTES_NS) {
            routes.clear(); // a cache: it fills again
            routesNs = nowNs;
        }
        UdpSocket known = routes.get(to);
        if (known != null) return known;
        Address source = source(to);
        UdpSocket found = otherwise;
        for (UdpSocket socket : sockets) if (source != null && socket.local().sameIp(source)) found = socket;
        routes.put(to, found);
        return found;
    }

    /** The address that the kernel would send from; null where it has no route. To connect a UDP socket sends nothing. */
    private static @Nullable Address source(Address to) {
        var family = to.isV4() ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
        try (DatagramChannel probe = DatagramChannel.open(family)) {
            probe.connect(new InetSocketAddress(InetAddress.getByAddress(to.ip()), to.port()));
            InetSocketAddress at = (InetSocketAddress) probe.getLocalAddress();
            return Address.of(at.getAddress().getAddress(), at.getPort());
        } catch (IOException | RuntimeException _) {
            return null;
        }
    }
}
