package mcc.udp;

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
 * The node's UDP sockets as one. An answer leaves by the socket and from the address that the request came to, because a
 * stateful firewall, a NAT or a connected socket accepts it from no other. Where nothing came before, the kernel's routes
 * choose the address.
 */
public final class UdpSockets implements PacketSink {
    private static final int ROUTES_MAX = 4_096;
    /** The kernel is asked again after this long, as routes change. */
    private static final long ROUTES_NS = 30_000_000_000L;

    private final List<PacketSocket> sockets = new ArrayList<>();
    private final Counters counters;
    private final LocalEnds ends;
    private final Map<Address, PacketSocket> routes = new HashMap<>();
    private long routesNs;

    /** Starts without a socket. */
    public UdpSockets(Counters counters) {
        this.counters = counters;
        ends = new LocalEnds(counters);
    }

    /**
     * Binds one more socket, of the fastest kind. Blocks the caller, which must not be the packet loop.
     *
     * @param offload whether the kernel is to cut and join super-packets, where it can
     * @throws IOException if it cannot bind to the address
     */
    public void bind(PacketLoop loop, Address address, boolean offload, DatagramHandler handler) throws IOException {
        sockets.add(PacketSocket.bind(loop, address, offload, ends, counters, handler));
    }

    /** Returns the addresses that the sockets are bound to. */
    public List<Address> addresses() {
        return sockets.stream().map(PacketSocket::local).toList();
    }

    @Override
    public boolean ready() {
        for (PacketSocket socket : sockets) if (!socket.isWritable()) return false;
        return !sockets.isEmpty();
    }

    @Override
    public void send(Address to, byte[] buf, int offset, int length) {
        send(ANY, to, buf, offset, length, 0);
    }

    @Override
    public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        LocalEnds.End end = ends.get(local);
        PacketSocket socket = end != null && end.socket().local().isV4() == to.isV4() ? end.socket() : choose(to);
        if (socket == null) counters.add("udp.no-socket-for-family");
        else socket.send(local, to, buf, offset, length, ecn);
    }

    @Override
    public void cut() {
        for (PacketSocket socket : sockets) socket.cut();
    }

    /** Sends the batches. */
    public void flush() {
        for (PacketSocket socket : sockets) socket.flush();
    }

    /** Frees the ports. */
    public void close() {
        for (PacketSocket socket : sockets) socket.close();
    }

    /**
     * Chooses a socket for what is not an answer: the wildcard socket, else the one with the address that the kernel would
     * send from.
     */
    private @Nullable PacketSocket choose(Address to) {
        PacketSocket first = null;
        boolean several = false;
        for (PacketSocket socket : sockets) {
            if (socket.local().isV4() != to.isV4()) continue;
            if (socket.local().isUnspecified()) return socket;
            several |= first != null;
            if (first == null) first = socket;
        }
        return several && first != null ? byRoute(to, first) : first;
    }

    private PacketSocket byRoute(Address to, PacketSocket otherwise) {
        long nowNs = System.nanoTime();
        if (routes.size() >= ROUTES_MAX || nowNs - routesNs > ROUTES_NS) {
            routes.clear(); // a cache: it fills again
            routesNs = nowNs;
        }
        PacketSocket known = routes.get(to);
        if (known != null) return known;
        Address source = source(to);
        PacketSocket found = otherwise;
        for (PacketSocket socket : sockets) if (source != null && socket.local().sameIp(source)) found = socket;
        routes.put(to, found);
        return found;
    }

    /** Returns the address that the kernel would send from; null if it has no route. Connecting a UDP socket sends nothing. */
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
