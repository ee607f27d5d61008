package mcc.tunnel;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.FastThreadLocal;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.ContextInternal;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.channels.spi.SelectorProvider;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/** A connection that is a channel of Netty, for hosts other than Linux. */
final class NettyTcpSocket extends TcpSocket {
    /** Unlike Netty's default allocator, it also pools buffers as long as a chunk. */
    private static final ByteBufAllocator POOL = PooledByteBufAllocator.DEFAULT;

    /** The array that all sockets of an event loop read into, one after another. */
    private static final FastThreadLocal<byte[]> CHUNK = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[CHUNK_BYTES];
        }
    };

    private static final WriteBufferWaterMark WATER = new WriteBufferWaterMark(WAITING_BYTES / 2, WAITING_BYTES);

    /** A listening socket. */
    private record Bound(Channel channel, InetSocketAddress address) implements TcpSocket.Listener {
        @Override
        public void close() {
            channel.close();
        }

        @Override
        public void onClose(Runnable task) {
            channel.closeFuture().addListener(_ -> task.run());
        }
    }

    private final Channel channel;
    private final Inbound inbound;

    private NettyTcpSocket(Channel channel, Inbound inbound) {
        this.channel = channel;
        this.inbound = inbound;
    }

    static Future<TcpSocket> connect(
            ContextInternal own, InetSocketAddress to, int timeoutMs, @Nullable Keepalive keepalive) {
        Promise<TcpSocket> promise = own.promise();
        Inbound inbound = new Inbound(own);
        Bootstrap bootstrap = new Bootstrap();
        options(keepalive).forEach((option, value) -> bootstrap.option(option, value));
        ChannelFuture connecting = bootstrap
                .group(own.nettyEventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMs)
                .handler(inbound)
                .connect(to);
        connecting.addListener(done -> {
            if (done.isSuccess()) promise.complete(new NettyTcpSocket(connecting.channel(), inbound));
            else promise.fail(done.cause());
        });
        return promise.future();
    }

    static Future<TcpSocket.Listener> listen(
            ContextInternal own, InetSocketAddress at, @Nullable Keepalive keepalive, Consumer<TcpSocket> taker) {
        Promise<TcpSocket.Listener> promise = own.promise();
        EventLoop loop = own.nettyEventLoop();
        // Without a family the socket would be of IPv6, on which 0.0.0.0 means every address of both families.
        SocketProtocolFamily family =
                at.getAddress() instanceof Inet4Address ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
        ServerBootstrap bootstrap = new ServerBootstrap();
        options(keepalive).forEach((option, value) -> bootstrap.childOption(option, value));
        ChannelFuture binding = bootstrap
                .group(loop, loop)
                .channelFactory(() -> new NioServerSocketChannel(SelectorProvider.provider(), family))
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .handler(new Leashed(own) {})
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel child) {
                        Inbound inbound = new Inbound(own);
                        child.pipeline().addLast(inbound);
                        own.dispatch(new NettyTcpSocket(child, inbound), taker::accept);
                    }
                })
                .bind(at);
        binding.addListener(done -> {
            if (done.isSuccess()) {
                Channel channel = binding.channel();
                promise.complete(new Bound(channel, (InetSocketAddress) channel.localAddress()));
            } else promise.fail(done.cause());
        });
        return promise.future();
    }

    @SuppressWarnings("unchecked") // each option stands beside a value of its type
    private static Map<ChannelOption<Object>, Object> options(@Nullable Keepalive keepalive) {
        Map<ChannelOption<?>, Object> out = new LinkedHashMap<>();
        out.put(ChannelOption.ALLOW_HALF_CLOSURE, true);
        out.put(ChannelOption.ALLOCATOR, POOL);
        out.put(ChannelOption.AUTO_READ, false);
        out.put(ChannelOption.TCP_NODELAY, true);
        out.put(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER);
        out.put(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(512, 4096, CHUNK_BYTES));
        if (keepalive != null) {
            out.put(ChannelOption.SO_KEEPALIVE, true);
            out.put(of(ExtendedSocketOptions.TCP_KEEPIDLE), keepalive.idleSeconds());
            out.put(of(ExtendedSocketOptions.TCP_KEEPINTERVAL), keepalive.betweenSeconds());
            out.put(of(ExtendedSocketOptions.TCP_KEEPCOUNT), keepalive.probes());
        }
        return (Map<ChannelOption<Object>, Object>) (Map<?, ?>) out;
    }

    private static ChannelOption<Integer> of(SocketOption<Integer> option) {
        return NioChannelOption.of(option);
    }

    @Override
    void onClose(Runnable task) {
        channel.closeFuture().addListener(_ -> task.run());
    }

    @Override
    InetSocketAddress remote() {
        return (InetSocketAddress) channel.remoteAddress();
    }

    @Override
    @Nullable
    Keepalive keepalive() {
        if (!Boolean.TRUE.equals(channel.config().getOption(ChannelOption.SO_KEEPALIVE))) return null;
        return new Keepalive(
                channel.config().getOption(of(ExtendedSocketOptions.TCP_KEEPIDLE)),
                channel.config().getOption(of(ExtendedSocketOptions.TCP_KEEPINTERVAL)),
                channel.config().getOption(of(ExtendedSocketOptions.TCP_KEEPCOUNT)));
    }

    @Override
    InetSocketAddress local() {
        return (InetSocketAddress) channel.localAddress();
    }

    @Override
    void start(Handler handler) {
        inbound.start(handler);
        if (!inbound.closed) resume();
    }

    @Override
    void pause() {
        channel.config().setAutoRead(false);
    }

    @Override
    void resume() {
        channel.config().setAutoRead(true);
    }

    @Override
    void bound(int bytes) {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(bytes / 2, bytes));
        int most = Math.min(bytes, CHUNK_BYTES);
        channel.config().setRecvByteBufAllocator(new AdaptiveRecvByteBufAllocator(512, Math.min(4096, most), most));
    }

    @Override
    void write(byte[] bytes, int length) {
        channel.write(channel.alloc().directBuffer(length).writeBytes(bytes, 0, length), channel.voidPromise());
    }

    @Override
    void flush() {
        channel.flush();
    }

    @Override
    boolean isWritable() {
        return channel.isWritable();
    }

    @Override
    void end() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> {
            if (channel instanceof DuplexChannel duplex && channel.isActive()) duplex.shutdownOutput();
        });
    }

    @Override
    void closeAfterWrites() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> channel.close());
    }

    @Override
    void abort() {
        if (channel.isActive()) channel.config().setOption(ChannelOption.SO_LINGER, 0);
        channel.close();
    }

    /**
     * Tells the handler what happens, on its context; what happens before there is a handler is kept for it.
     *
     * <p>No more is kept than the bytes of one read: Netty reads unasked only once, when an event was meant for a connection
     * that ended earlier in the same batch of events and whose descriptor a new connection has already.
     */
    private static final class Inbound extends Leashed {
        private @Nullable Handler handler;
        private final List<Consumer<Handler>> early = new ArrayList<>();
        private boolean closed;

        Inbound(ContextInternal context) {
            super(context);
        }

        void start(Handler handler) {
            this.handler = handler;
            early.forEach(this::tell);
            early.clear();
        }

        private void tell(Consumer<Handler> event) {
            Handler handler = this.handler;
            if (handler == null) early.add(event);
            else context.dispatch(handler, event::accept);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf in = (ByteBuf) message;
            try {
                if (handler == null) {
                    byte[] kept = ByteBufUtil.getBytes(in);
                    tell(handler -> handler.onData(kept, kept.length));
                    return;
                }
                byte[] chunk = CHUNK.get();
                int length = in.readableBytes();
                in.readBytes(chunk, 0, length);
                tell(handler -> handler.onData(chunk, length));
            } finally {
                in.release();
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event == ChannelInputShutdownReadComplete.INSTANCE) tell(Handler::onEnd);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (ctx.channel().isWritable()) tell(Handler::onWritable);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (closed) return;
            closed = true;
            tell(Handler::onClosed);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close(); // a reset by the other side: onClosed tells it
        }
    }
}
