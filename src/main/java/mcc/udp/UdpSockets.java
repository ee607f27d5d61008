package mcc.udp;

import io.vertx.core.Context;
import io.vertx.core.Future;
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
    /** Ephemeral ends at a time, at most, those that are being opened included. */
    public static final int EPHEMERAL_MAX = 1_024;

    /**
     * An ephemeral end: a socket with a port of its own, and so with NAT mappings of its own.
     *
     * @param number what {@link #send} and {@link DatagramHandler#onDatagram} call it; never used again
     * @param local where it is bound
     */
    public record Ephemeral(int number, Address local) {}

    private static final int ROUTES_MAX = 4_096;
    /** The kernel is asked again after this long, as routes change. */
    private static final long ROUTES_NS = 30_000_000_000L;

    private final List<PacketSocket> sockets = new ArrayList<>();
    private final Counters counters;
    private final LocalEnds ends;
    private final Map<Address, PacketSocket> routes = new HashMap<>();
    private long routesNs;
    private final Map<Integer, PacketSocket> ephemeral = new HashMap<>(); // looked up, never iterated but to close all
    /** Ephemeral ends that were sent from since the last flush. */
    private final List<PacketSocket> touched = new ArrayList<>();

    private int nextEphemeral = EPHEMERAL;
    private int opening;
    private boolean closed;

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

    /**
     * Opens an ephemeral end: a port of the kernel's choice, at the IP address of the first socket of that family. To be
     * called on the loop; fails where there are too many, no such socket, or the system refuses.
     *
     * @param context one of the loop
     */
    public Future<Ephemeral> open(Context context, PacketLoop loop, boolean v4, DatagramHandler handler) {
        Address like = null;
        for (PacketSocket each : sockets) if (like == null && each.local().isV4() == v4) like = each.local();
        if (like == null || closed || ephemeral.size() + opening >= EPHEMERAL_MAX) {
            counters.add("udp.ephemeral.refused");
            return Future.failedFuture("no ephemeral end");
        }
        Address at = new Address(like.high(), like.low(), 0);
        int number = nextEphemeral++;
        opening++;
        return context.<PacketSocket>executeBlocking(
                        () -> NettySocket.bind(loop, at, ends, number, counters, handler), false)
                .onComplete(_ -> opening--)
                .onFailure(_ -> counters.add("udp.ephemeral.failed"))
                .compose(socket -> {
                    if (closed) {
                        socket.close();
                        return Future.failedFuture("closed meanwhile");
                    }
                    ephemeral.put(number, socket);
                    counters.add("udp.ephemeral.opened");
                    return Future.succeededFuture(new Ephemeral(number, socket.local()));
                });
    }

    /** Closes an ephemeral end. */
    public void close(int number) {
        PacketSocket socket = ephemeral.remove(number);
        if (socket == null) return;
        counters.add("udp.ephemeral.closed");
        socket.close();
    }

    /** Returns the addresses that the sockets are bound to, without ephemeral ends. */
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
    public void sendShort(int local, Address to, byte[] buf, int offset, int length) {
        PacketSocket socket = PacketSink.isEphemeral(local) ? ephemeral.get(local) : main(local, to);
        if (socket == null || socket.local().isV4() != to.isV4()) counters.add("udp.no-socket-for-family");
        else socket.sendShort(PacketSink.isEphemeral(local) ? LocalEnds.ANY : local, to, buf, offset, length);
    }

    @Override
    public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        if (PacketSink.isEphemeral(local)) {
            sendEphemeral(local, to, buf, offset, length, ecn);
            return;
        }
        PacketSocket socket = main(local, to);
        if (socket == null) counters.add("udp.no-socket-for-family");
        else socket.send(local, to, buf, offset, length, ecn);
    }

    private @Nullable PacketSocket main(int local, Address to) {
        LocalEnds.End end = ends.get(local);
        return end != null && end.socket().local().isV4() == to.isV4() ? end.socket() : choose(to);
    }

    /** From another end it would be another path: what was meant for an end that was closed is dropped. */
    @SuppressWarnings("ReferenceEquality") // the same socket, not an equal one
    private void sendEphemeral(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        PacketSocket socket = ephemeral.get(local);
        if (socket == null || socket.local().isV4() != to.isV4()) {
            counters.add("udp.ephemeral.gone");
            return;
        }
        socket.send(LocalEnds.ANY, to, buf, offset, length, ecn);
        if (touched.isEmpty() || !touched.getLast().equals(socket)) touched.add(socket);
    }

    @Override
    public void cut() {
        for (PacketSocket socket : sockets) socket.cut();
    }

    /** Sends the batches. */
    public void flush() {
        for (PacketSocket socket : sockets) socket.flush();
        for (PacketSocket socket : touched) socket.flush();
        touched.clear();
    }

    /** Frees the ports. */
    public void close() {
        closed = true;
        for (PacketSocket socket : sockets) socket.close();
        ephemeral.values().forEach(PacketSocket::close);
        ephemeral.clear();
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
