package mcc.udp;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.sys.UdpDescriptor;
import mcc.wire.Transport;
import org.jspecify.annotations.Nullable;

/** A UDP socket by Netty, one datagram at a time, for systems where {@link LinuxSocket} does not work. */
final class NettySocket implements PacketSocket {
    private static final int BUFFER_BYTES = 4 << 20;
    private static final int SENDERS_MAX = 4096;
    private static final int DATAGRAM_MAX = Transport.BOX_MAX_BYTES + Transport.HEADER_BYTES;

    private final Channel channel;
    private final Address local;
    private final LocalEnds ends;
    /** The number of all that comes to this socket; {@link LocalEnds#ANY} where {@link #ends} tells. */
    private final int number;

    private final byte[] receive = new byte[DATAGRAM_MAX];
    private final Map<Address, InetSocketAddress> remotes = new HashMap<>();
    private @Nullable InetSocketAddress lastSender;
    private @Nullable Address lastFrom;

    private NettySocket(Channel channel, Address local, LocalEnds ends, int number) {
        this.channel = channel;
        this.local = local;
        this.ends = ends;
        this.number = number;
    }

    /**
     * Binds; blocks the caller, which must not be the packet loop.
     *
     * @throws IOException if it cannot bind to the address
     */
    static NettySocket bind(
            PacketLoop loop, Address address, LocalEnds ends, Counters counters, DatagramHandler handler)
            throws IOException {
        return bind(loop, address, ends, LocalEnds.ANY, counters, handler);
    }

    /** The same for an ephemeral end of that number. */
    static NettySocket bind(
            PacketLoop loop, Address address, LocalEnds ends, int number, Counters counters, DatagramHandler handler)
            throws IOException {
        Inbound inbound = new Inbound(handler, counters);
        boolean epoll = Epoll.isAvailable();
        SocketProtocolFamily family = address.isV4() ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
        Bootstrap bootstrap = new Bootstrap()
                .group(loop.group())
                .channelFactory(() -> epoll ? new EpollDatagramChannel(family) : nio(family))
                .option(ChannelOption.SO_RCVBUF, BUFFER_BYTES)
                .option(ChannelOption.SO_SNDBUF, BUFFER_BYTES)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1 << 19, 1 << 20))
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(DATAGRAM_MAX))
                .handler(inbound);
        Channel channel;
        try {
            var bound = bootstrap.bind(new InetSocketAddress(InetAddress.getByAddress(address.ip()), address.port()));
            channel = bound.awaitUninterruptibly().channel();
            Throwable cause = bound.cause();
            if (cause != null) {
                throw cause instanceof IOException e ? e : new IOException(cause.getMessage(), cause);
            }
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has 4 or 16 bytes", e);
        }
        InetSocketAddress at = (InetSocketAddress) channel.localAddress();
        Address local = Address.of(address.ip(), at.getPort());
        NettySocket socket = new NettySocket(channel, local == null ? address : local, ends, number);
        inbound.socket = socket;
        return socket;
    }

    private static NioDatagramChannel nio(SocketProtocolFamily family) {
        return new NioDatagramChannel(family);
    }

    @Override
    public Address local() {
        return local;
    }

    @Override
    public boolean isWritable() {
        return channel.isWritable();
    }

    @Override
    public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        ByteBuf bytes = channel.alloc().directBuffer(length).writeBytes(buf, offset, length);
        channel.write(new DatagramPacket(bytes, remote(to)), channel.voidPromise());
    }

    @Override
    public void sendShort(int local, Address to, byte[] buf, int offset, int length) {
        if (!(channel instanceof EpollDatagramChannel epoll) || !epoll.isActive()) return;
        channel.flush();
        UdpDescriptor.endAfter(epoll.fd().intValue(), this.local.isV4(), SHORT_HOPS);
        send(local, to, buf, offset, length, 0);
        channel.flush();
        UdpDescriptor.endAfter(epoll.fd().intValue(), this.local.isV4(), 0);
    }

    @Override
    public void cut() {} // nothing is joined here

    @Override
    public void flush() {
        channel.flush();
    }

    private InetSocketAddress remote(Address to) {
        InetSocketAddress known = remotes.get(to);
        if (known != null) return known;
        if (remotes.size() >= SENDERS_MAX) remotes.clear(); // a cache: it fills again
        try {
            InetSocketAddress made = new InetSocketAddress(InetAddress.getByAddress(to.ip()), to.port());
            remotes.put(to, made);
            return made;
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has 4 or 16 bytes", e);
        }
    }

    private int end() {
        if (number != LocalEnds.ANY) return number;
        return local.isUnspecified() ? LocalEnds.ANY : ends.number(this, local.high(), local.low(), 0);
    }

    private @Nullable Address from(InetSocketAddress sender) {
        if (sender.equals(lastSender)) return lastFrom;
        lastSender = sender;
        lastFrom = Address.of(sender.getAddress().getAddress(), sender.getPort());
        return lastFrom;
    }

    @Override
    public void close() {
        channel.close();
    }

    private static final class Inbound extends ChannelInboundHandlerAdapter {
        private final DatagramHandler handler;
        private final Counters.Counter errors;
        private @Nullable NettySocket socket;

        Inbound(DatagramHandler handler, Counters counters) {
            this.handler = handler;
            errors = counters.of("udp.errors");
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            DatagramPacket packet = (DatagramPacket) message;
            NettySocket socket = this.socket;
            try {
                if (socket == null) return;
                ByteBuf bytes = packet.content();
                int length = bytes.readableBytes();
                Address from = socket.from(packet.sender());
                if (from == null) return;
                bytes.readBytes(socket.receive, 0, length);
                handler.onDatagram(socket.receive, 0, length, from, socket.end(), 0);
            } finally {
                packet.release();
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            handler.onTurn();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (ctx.channel().isWritable()) handler.onTurn();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof IOException) errors.add(); // an ICMP error of one peer; the links notice silence
            else handler.onFailure(cause);
        }
    }
}
