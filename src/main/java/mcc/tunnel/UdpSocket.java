package mcc.tunnel;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.util.function.BiConsumer;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.udp.WildcardSocket;
import org.jspecify.annotations.Nullable;

/**
 * A UDP socket of this host, connected to one app, so that the host reports it when nobody listens there. Receives nothing
 * before {@link #start}. Up to 64 KiB that the host does not take at once wait; beyond that, datagrams are dropped and counted.
 */
final class UdpSocket implements FlowEnd {
    /** A listening socket, which sends each datagram to an address that the caller names. */
    record Listener(InetSocketAddress address, BiConsumer<InetSocketAddress, byte[]> out, Runnable end) {
        static Listener of(Channel channel, InetSocketAddress address, Counters counters) {
            return new Listener(
                    address,
                    (to, bytes) ->
                            UdpSocket.send(channel, new DatagramPacket(Unpooled.wrappedBuffer(bytes), to), counters),
                    channel::close);
        }

        void send(InetSocketAddress to, byte[] bytes) {
            out.accept(to, bytes);
        }

        void close() {
            end.run();
        }
    }

    private static final int DATAGRAM_BYTES = 65_536;
    private static final int BUFFER_BYTES = 1 << 20;

    private final Channel channel;
    private final Inbound inbound;

    private UdpSocket(Channel channel, Inbound inbound) {
        this.channel = channel;
        this.inbound = inbound;
    }

    /** Connects on the context's event loop. */
    static Future<UdpSocket> connect(Context context, InetSocketAddress to, Counters counters) {
        ContextInternal own = (ContextInternal) context;
        Promise<UdpSocket> promise = own.promise();
        Inbound inbound = new Inbound(own, counters);
        ChannelFuture connecting = bootstrap(own, to)
                .option(ChannelOption.AUTO_READ, false)
                .handler(inbound)
                .connect(to);
        connecting.addListener(done -> {
            if (done.isSuccess()) promise.complete(new UdpSocket(connecting.channel(), inbound));
            else promise.fail(done.cause());
        });
        return promise.future();
    }

    /** Listens on the context's event loop. On a wildcard address, answers leave from the address that was asked, if possible. */
    static Future<Listener> listen(
            Context context, InetSocketAddress at, Counters counters, BiConsumer<InetSocketAddress, byte[]> taker) {
        if (!at.getAddress().isAnyLocalAddress()) return listenAt(context, at, counters, taker);
        return WildcardSocket.bind(context, at, counters, taker)
                .map(socket -> new Listener(socket.address(), socket::send, socket::close))
                .recover(_ -> {
                    // or the port is taken, for which Netty has the clearer error
                    counters.add("tunnel.wildcard.refused");
                    return listenAt(context, at, counters, taker);
                });
    }

    private static Future<Listener> listenAt(
            Context context, InetSocketAddress at, Counters counters, BiConsumer<InetSocketAddress, byte[]> taker) {
        ContextInternal own = (ContextInternal) context;
        Promise<Listener> promise = own.promise();
        Inbound inbound = new Inbound(own, counters);
        inbound.taker = taker;
        ChannelFuture binding = bootstrap(own, at)
                .option(ChannelOption.SO_RCVBUF, BUFFER_BYTES)
                .handler(inbound)
                .bind(at);
        binding.addListener(done -> {
            if (done.isSuccess()) {
                Channel channel = binding.channel();
                promise.complete(Listener.of(channel, (InetSocketAddress) channel.localAddress(), counters));
            } else promise.fail(done.cause());
        });
        return promise.future();
    }

    private static Bootstrap bootstrap(ContextInternal context, InetSocketAddress at) {
        SocketProtocolFamily family =
                at.getAddress() instanceof Inet4Address ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
        boolean epoll = Epoll.isAvailable();
        return new Bootstrap()
                .group(context.nettyEventLoop())
                .channelFactory(() -> epoll ? new EpollDatagramChannel(family) : new NioDatagramChannel(family))
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(DATAGRAM_BYTES));
    }

    /** Runs a task on the event loop once it is closed. */
    void onClose(Runnable task) {
        channel.closeFuture().addListener(_ -> task.run());
    }

    @Override
    public void start(Handler handler) {
        inbound.handler = handler;
        channel.config().setAutoRead(true);
    }

    @Override
    public void send(byte[] datagram) {
        send(channel, Unpooled.wrappedBuffer(datagram), inbound.counters);
    }

    /** Sends, or drops and counts: if the host's queue is full, Netty itself would let any number wait. */
    private static void send(Channel channel, Object datagram, Counters counters) {
        if (channel.isWritable()) channel.writeAndFlush(datagram, channel.voidPromise());
        else counters.add("tunnel.flow.dropped");
    }

    @Override
    public @Nullable Id peer() {
        return null;
    }

    @Override
    public long backlogBytes() {
        return 0; // the host takes it at once
    }

    @Override
    public long silentNs(long nowNs) {
        return 0; // the host tells when nobody listens
    }

    @Override
    public void close(boolean broken) {
        inbound.handler = null;
        channel.close();
    }

    /** Ends it from this side, and tells its handler. */
    void abort() {
        Handler told = inbound.handler;
        close(true);
        if (told != null) told.onOver(true);
    }

    /** Tells the handler, on its context. */
    private static final class Inbound extends Leashed {
        private final Counters counters;
        private @Nullable Handler handler;
        private @Nullable BiConsumer<InetSocketAddress, byte[]> taker;

        Inbound(ContextInternal context, Counters counters) {
            super(context);
            this.counters = counters;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            DatagramPacket packet = (DatagramPacket) message;
            try {
                ByteBuf in = packet.content();
                byte[] bytes = new byte[in.readableBytes()];
                in.readBytes(bytes);
                Handler handler = this.handler;
                BiConsumer<InetSocketAddress, byte[]> taker = this.taker;
                if (handler != null) context.dispatch(bytes, handler::onDatagram);
                else if (taker != null) context.dispatch(() -> taker.accept(packet.sender(), bytes));
            } finally {
                packet.release();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (!(cause instanceof PortUnreachableException) || handler == null) {
                counters.add("tunnel.flow.socket-errors"); // such as a datagram too long for the path, which is lost
                return;
            }
            counters.add("tunnel.flow.unreachable");
            Handler told = handler;
            handler = null;
            ctx.close();
            context.dispatch(() -> told.onOver(true));
        }
    }
}
