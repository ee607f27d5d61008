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
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.FastThreadLocal;
import io.vertx.core.Context;
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

/**
 * One TCP connection of this host, on one event loop, with both directions closed apart. It ends with the verticle whose
 * context it has, whose timers hold it to what the policy allowed.
 *
 * <p>Reads nothing before {@link #start} and nothing while paused.
 */
final class TcpSocket {
    /** What happens on a socket; on its event loop. */
    interface Handler {
        /** @param bytes lent, from 0 to {@code length}: what is to be kept must be copied */
        void onData(byte[] bytes, int length);

        /** The other side will send no more; it may still receive. */
        void onEnd();

        /** The socket takes bytes again. */
        void onWritable();

        /** The connection is gone, in both directions; once. */
        void onClosed();
    }

    /** A listening socket. */
    record Listener(Channel channel, InetSocketAddress address) {
        void close() {
            channel.close();
        }

        /** Runs a task on the event loop once it is closed. */
        void onClose(Runnable task) {
            channel.closeFuture().addListener(_ -> task.run());
        }
    }

    private static final int CHUNK_BYTES = 65_536;
    /** Questions without an answer after which the other side is gone. */
    private static final int PROBES = 6;
    /** Unlike Netty's other one, it also pools what is as long as a chunk. */
    private static final ByteBufAllocator POOL = PooledByteBufAllocator.DEFAULT;

    /** What a loop's sockets read into, in turn. */
    private static final FastThreadLocal<byte[]> CHUNK = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[CHUNK_BYTES];
        }
    };

    private static final WriteBufferWaterMark WATER = new WriteBufferWaterMark(128 * 1024, 256 * 1024);

    private final Channel channel;
    private final Inbound inbound;

    private TcpSocket(Channel channel, Inbound inbound) {
        this.channel = channel;
        this.inbound = inbound;
    }

    /**
     * Connects on the context's event loop.
     *
     * @param keepaliveSeconds as for {@link #listen}
     */
    static Future<TcpSocket> connect(Context context, InetSocketAddress to, int timeoutMs, int keepaliveSeconds) {
        ContextInternal own = (ContextInternal) context;
        Promise<TcpSocket> promise = own.promise();
        Inbound inbound = new Inbound(own);
        Bootstrap bootstrap = new Bootstrap();
        options(keepaliveSeconds).forEach((option, value) -> bootstrap.option(option, value));
        ChannelFuture connecting = bootstrap
                .group(own.nettyEventLoop())
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMs)
                .handler(inbound)
                .connect(to);
        connecting.addListener(done -> {
            if (done.isSuccess()) promise.complete(new TcpSocket(connecting.channel(), inbound));
            else promise.fail(done.cause());
        });
        return promise.future();
    }

    /**
     * Listens on the context's event loop; every connection is handed over before it reads.
     *
     * @param keepaliveSeconds after so long a silence the other side is asked whether it is there, and is taken for gone when
     *     it does not answer for as long again (RFC 9293 section 3.8.4); 0 for never
     */
    static Future<Listener> listen(
            Context context, InetSocketAddress at, int keepaliveSeconds, Consumer<TcpSocket> taker) {
        ContextInternal own = (ContextInternal) context;
        Promise<Listener> promise = own.promise();
        EventLoop loop = own.nettyEventLoop();
        // Without a family the socket is of IPv6, and 0.0.0.0 becomes every address of either.
        SocketProtocolFamily family =
                at.getAddress() instanceof Inet4Address ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
        ServerBootstrap bootstrap = new ServerBootstrap();
        options(keepaliveSeconds).forEach((option, value) -> bootstrap.childOption(option, value));
        ChannelFuture binding = bootstrap
                .group(loop, loop)
                .channelFactory(() -> Epoll.isAvailable()
                        ? new EpollServerSocketChannel(family)
                        : new NioServerSocketChannel(SelectorProvider.provider(), family))
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel child) {
                        Inbound inbound = new Inbound(own);
                        child.pipeline().addLast(inbound);
                        own.dispatch(new TcpSocket(child, inbound), taker::accept);
                    }
                })
                .bind(at);
        binding.addListener(done -> {
            if (done.isSuccess()) {
                Channel channel = binding.channel();
                promise.complete(new Listener(channel, (InetSocketAddress) channel.localAddress()));
            } else promise.fail(done.cause());
        });
        return promise.future();
    }

    @SuppressWarnings("unchecked") // each option stands beside a value of its type
    private static Map<ChannelOption<Object>, Object> options(int keepaliveSeconds) {
        Map<ChannelOption<?>, Object> out = new LinkedHashMap<>();
        out.put(ChannelOption.ALLOW_HALF_CLOSURE, true);
        out.put(ChannelOption.ALLOCATOR, POOL);
        out.put(ChannelOption.AUTO_READ, false);
        out.put(ChannelOption.TCP_NODELAY, true);
        out.put(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER);
        out.put(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(512, 4096, CHUNK_BYTES));
        if (keepaliveSeconds > 0) {
            boolean epoll = Epoll.isAvailable();
            out.put(ChannelOption.SO_KEEPALIVE, true);
            out.put(epoll ? EpollChannelOption.TCP_KEEPIDLE : of(ExtendedSocketOptions.TCP_KEEPIDLE), keepaliveSeconds);
            int between = Math.max(1, keepaliveSeconds / PROBES);
            out.put(epoll ? EpollChannelOption.TCP_KEEPINTVL : of(ExtendedSocketOptions.TCP_KEEPINTERVAL), between);
            out.put(epoll ? EpollChannelOption.TCP_KEEPCNT : of(ExtendedSocketOptions.TCP_KEEPCOUNT), PROBES);
        }
        return (Map<ChannelOption<Object>, Object>) (Map<?, ?>) out;
    }

    private static ChannelOption<Integer> of(SocketOption<Integer> option) {
        return NioChannelOption.of(option);
    }

    /** Runs a task on the event loop once the connection is gone. */
    void onClose(Runnable task) {
        channel.closeFuture().addListener(_ -> task.run());
    }

    /** The address of the other side, as the host tells it. */
    InetSocketAddress remote() {
        return (InetSocketAddress) channel.remoteAddress();
    }

    /** How the host was told to treat it. */
    <T> @Nullable T option(ChannelOption<T> option) {
        return channel.config().getOption(option);
    }

    /** Its own address. */
    InetSocketAddress local() {
        return (InetSocketAddress) channel.localAddress();
    }

    /** Begins to read. */
    void start(Handler handler) {
        inbound.start(handler);
        if (!inbound.closed) resume();
    }

    void pause() {
        channel.config().setAutoRead(false);
    }

    void resume() {
        channel.config().setAutoRead(true);
    }

    /** Lets about so many bytes wait for each side that is slower than the other. */
    void bound(int bytes) {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(bytes / 2, bytes));
        int most = Math.min(bytes, CHUNK_BYTES);
        channel.config().setRecvByteBufAllocator(new AdaptiveRecvByteBufAllocator(512, Math.min(4096, most), most));
    }

    /** Sends the first bytes of an array with the next {@link #flush}. */
    void write(byte[] bytes, int length) {
        channel.write(channel.alloc().directBuffer(length).writeBytes(bytes, 0, length), channel.voidPromise());
    }

    void flush() {
        channel.flush();
    }

    boolean isWritable() {
        return channel.isWritable();
    }

    /** Sends no more; goes on receiving. */
    void end() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> {
            if (channel instanceof DuplexChannel duplex && channel.isActive()) duplex.shutdownOutput();
        });
    }

    /** Closes after what was written has left. */
    void closeAfterWrites() {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> channel.close());
    }

    /** Closes at once, with a reset where bytes were lost. */
    void abort() {
        if (channel.isActive()) channel.config().setOption(ChannelOption.SO_LINGER, 0);
        channel.close();
    }

    /**
     * Tells the handler, on its context; what comes before there is one is kept for it.
     *
     * <p>Netty reads once unasked where an event of its batch was meant for a connection that an earlier event of it ended,
     * and whose descriptor a new connection has already. So no more is kept than one read takes.
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
