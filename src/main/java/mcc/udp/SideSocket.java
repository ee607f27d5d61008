package mcc.udp;

import io.vertx.core.Context;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/**
 * A UDP socket for what is no link: a few datagrams an hour, to routers or to a multicast group. A virtual thread reads it and
 * hands each datagram to the context of its owner.
 *
 * <p>Limit: {@link #WAITING_MAX} datagrams wait for the owner; further ones are dropped and counted.
 */
public final class SideSocket implements AutoCloseable {
    private static final int BYTES_MAX = 2_048;
    private static final int WAITING_MAX = 32;

    private final DatagramChannel channel;
    private final Context context;
    private final BiConsumer<Address, byte[]> taker;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong dropped = new AtomicLong();

    private SideSocket(DatagramChannel channel, Context context, BiConsumer<Address, byte[]> taker) {
        this.channel = channel;
        this.context = context;
        this.taker = taker;
    }

    /**
     * Binds a socket and begins to read it.
     *
     * @param at where; port 0 takes any free one
     * @param shared whether other programs may have the same port
     * @param taker is handed each datagram of at most 2,048 bytes, on the context; the bytes are its own
     * @throws IOException if the address cannot be had
     */
    public static SideSocket open(Context context, Address at, boolean shared, BiConsumer<Address, byte[]> taker)
            throws IOException {
        DatagramChannel channel =
                DatagramChannel.open(at.isV4() ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6);
        try {
            if (shared) {
                channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
                if (channel.supportedOptions().contains(StandardSocketOptions.SO_REUSEPORT)) {
                    channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
                }
            }
            channel.bind(socketAddress(at));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        SideSocket made = new SideSocket(channel, context, taker);
        Thread.ofVirtual().name("mcc-side-" + at.port()).start(made::read);
        return made;
    }

    /** Joins a multicast group on one interface. */
    public void join(Address group, NetworkInterface device) throws IOException {
        channel.join(InetAddress.getByAddress(group.ip()), device);
    }

    /** Sends a datagram to a multicast group, by one interface and no farther than its link. */
    public boolean send(NetworkInterface device, Address group, byte[] bytes) {
        try {
            channel.setOption(StandardSocketOptions.IP_MULTICAST_IF, device);
            channel.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 1);
        } catch (IOException _) {
            return false; // the interface is gone
        }
        return send(group, bytes);
    }

    /** Sends a datagram; returns whether the kernel took it. */
    public boolean send(Address to, byte[] bytes) {
        try {
            return channel.send(ByteBuffer.wrap(bytes), socketAddress(to)) == bytes.length;
        } catch (IOException _) {
            return false; // there is no way there now
        }
    }

    /** Datagrams that were dropped because too many waited. */
    public long dropped() {
        return dropped.get();
    }

    private static InetSocketAddress socketAddress(Address address) throws UnknownHostException {
        return new InetSocketAddress(InetAddress.getByAddress(address.ip()), address.port());
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocate(BYTES_MAX + 1);
        while (channel.isOpen()) {
            try {
                buffer.clear();
                if (!(channel.receive(buffer) instanceof InetSocketAddress from)) continue;
                Address address = Address.of(from.getAddress().getAddress(), from.getPort());
                buffer.flip();
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                if (bytes.length <= BYTES_MAX) offer(address, bytes);
            } catch (IOException _) {
                // closed, or an error that the network reported for an earlier datagram
            }
        }
    }

    private void offer(@Nullable Address from, byte[] bytes) {
        if (from == null) return;
        if (waiting.incrementAndGet() > WAITING_MAX) {
            waiting.decrementAndGet();
            dropped.incrementAndGet();
            return;
        }
        context.runOnContext(_ -> {
            waiting.decrementAndGet();
            if (channel.isOpen()) taker.accept(from, bytes);
        });
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // it is gone either way
        }
    }
}
