package mcc.udp;

import io.vertx.core.Context;
import io.vertx.core.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.sys.SysError;
import org.jspecify.annotations.Nullable;

/**
 * A UDP port on every address of this host, for programs: a client is answered from the address that it last sent to, because
 * a connected client, or a firewall before it, accepts an answer from no other. Closed when the verticle of its context ends.
 *
 * <p>At most {@link #CLIENTS_MAX} clients are remembered, the least recently used one gives way; the kernel then chooses the
 * address to answer it from.
 */
public final class WildcardSocket {
    static final int CLIENTS_MAX = 8_192;

    private final Map<Address, Integer> clients = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Address, Integer> eldest) {
            return size() > CLIENTS_MAX;
        }
    };
    private final LocalEnds ends;
    private final PacketLoop loop;
    private final BiConsumer<InetSocketAddress, byte[]> taker;
    private @Nullable PacketSocket socket;

    private WildcardSocket(PacketLoop loop, Counters counters, BiConsumer<InetSocketAddress, byte[]> taker) {
        this.loop = loop;
        this.taker = taker;
        ends = new LocalEnds(counters);
    }

    /**
     * Binds; fails if the system has no such sockets, or refuses.
     *
     * @param context one of the packet loop
     * @param taker gets each datagram and its sender, on the loop
     */
    public static Future<WildcardSocket> bind(
            Context context, InetSocketAddress at, Counters counters, BiConsumer<InetSocketAddress, byte[]> taker) {
        Address address = Address.of(at.getAddress().getAddress(), at.getPort());
        if (address == null || !PacketLoop.canWatch()) return Future.failedFuture("not on this system");
        WildcardSocket made = new WildcardSocket(new PacketLoop(context), counters, taker);
        // Registering with the loop blocks.
        return context.<WildcardSocket>executeBlocking(() -> made.open(address, counters))
                .onSuccess(open -> PacketLoop.atEnd(context, open::close));
    }

    private WildcardSocket open(Address address, Counters counters) throws SysError {
        socket = LinuxSocket.bindForPrograms(loop, address, ends, counters, new Inbound());
        return this;
    }

    /** The bound address and port. */
    public InetSocketAddress address() {
        if (socket == null) throw new IllegalStateException("not bound");
        return toInet(socket.local());
    }

    /** Sends a datagram; one that the kernel does not take at once is dropped and counted. */
    public void send(InetSocketAddress to, byte[] datagram) {
        Address client = Address.of(to.getAddress().getAddress(), to.getPort());
        PacketSocket socket = this.socket;
        if (client == null || socket == null) return;
        socket.send(clients.getOrDefault(client, LocalEnds.ANY), client, datagram, 0, datagram.length, 0);
        socket.flush();
    }

    /** Frees the port. */
    public void close() {
        PacketSocket socket = this.socket;
        this.socket = null;
        if (socket != null) socket.close();
    }

    private static InetSocketAddress toInet(Address address) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address.ip()), address.port());
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has 4 or 16 bytes", e);
        }
    }

    private final class Inbound implements DatagramHandler {
        @Override
        public void onDatagram(byte[] buf, int offset, int length, Address from, int local, int ecn) {
            clients.put(from, local);
            taker.accept(toInet(from), Arrays.copyOfRange(buf, offset, offset + length));
        }

        @Override
        public void onTurn() {}

        @Override
        public void onFailure(Throwable cause) {
            loop.failed(cause);
        }
    }
}
