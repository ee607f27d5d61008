package mcc.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.socksx.v5.DefaultSocks5CommandResponse;
import io.netty.handler.codec.socksx.v5.DefaultSocks5InitialResponse;
import io.netty.handler.codec.socksx.v5.Socks5AddressType;
import io.netty.handler.codec.socksx.v5.Socks5AuthMethod;
import io.netty.handler.codec.socksx.v5.Socks5CommandRequest;
import io.netty.handler.codec.socksx.v5.Socks5CommandRequestDecoder;
import io.netty.handler.codec.socksx.v5.Socks5CommandStatus;
import io.netty.handler.codec.socksx.v5.Socks5CommandType;
import io.netty.handler.codec.socksx.v5.Socks5InitialRequest;
import io.netty.handler.codec.socksx.v5.Socks5InitialRequestDecoder;
import io.netty.handler.codec.socksx.v5.Socks5ServerEncoder;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.Context;
import io.vertx.core.Future;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Function;

/**
 * The SOCKS5 proxy (RFC 1928): CONNECT to {@code name.org.mcc} reaches that service; everything else is refused, so that it
 * is nobody's way into other networks.
 */
final class Socks {
    private static final Splice.Meter UNCOUNTED = new Splice.Meter() {
        @Override
        public void sent(int bytes) {}

        @Override
        public void received(int bytes) {}

        @Override
        public void done(boolean broken) {}
    };

    private Socks() {}

    static Future<TcpSocket.Listener> listen(
            Context context, InetSocketAddress at, Function<Target, Future<Opening.Opened<TcpSocket>>> connect) {
        return TcpSocket.listen(context, at, socket -> {
            ChannelPipeline pipeline = socket.pipeline();
            pipeline.addFirst(
                    Socks5ServerEncoder.DEFAULT, new Socks5InitialRequestDecoder(), new Greeting(socket, connect));
            socket.resume();
        });
    }

    private static final class Greeting extends ChannelInboundHandlerAdapter {
        private final TcpSocket socket;
        private final Function<Target, Future<Opening.Opened<TcpSocket>>> connect;
        /** What the client sent behind its request without waiting for the reply: as much as one read takes. */
        private final Queue<ByteBuf> early = new ArrayDeque<>();

        private boolean asked;

        Greeting(TcpSocket socket, Function<Target, Future<Opening.Opened<TcpSocket>>> connect) {
            this.socket = socket;
            this.connect = connect;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            switch (message) {
                case Socks5InitialRequest greeting -> onGreeting(ctx, greeting);
                case Socks5CommandRequest request -> onRequest(ctx, request);
                case ByteBuf bytes when asked -> early.add(bytes);
                default -> {
                    ReferenceCountUtil.release(message);
                    ctx.close(); // not SOCKS5
                }
            }
        }

        private static void onGreeting(ChannelHandlerContext ctx, Socks5InitialRequest greeting) {
            if (greeting.decoderResult().isFailure() || !greeting.authMethods().contains(Socks5AuthMethod.NO_AUTH)) {
                ctx.writeAndFlush(new DefaultSocks5InitialResponse(Socks5AuthMethod.UNACCEPTED))
                        .addListener(_ -> ctx.close());
                return;
            }
            ctx.pipeline().replace(Socks5InitialRequestDecoder.class, null, new Socks5CommandRequestDecoder());
            ctx.writeAndFlush(new DefaultSocks5InitialResponse(Socks5AuthMethod.NO_AUTH));
        }

        private void onRequest(ChannelHandlerContext ctx, Socks5CommandRequest request) {
            if (request.decoderResult().isFailure()) {
                ctx.close();
                return;
            }
            if (!request.type().equals(Socks5CommandType.CONNECT)) {
                refuse(ctx, Socks5CommandStatus.COMMAND_UNSUPPORTED);
                return;
            }
            boolean byName = request.dstAddrType().equals(Socks5AddressType.DOMAIN);
            Target target = byName ? Names.parse(request.dstAddr()) : null;
            if (target == null) {
                refuse(ctx, Socks5CommandStatus.FORBIDDEN);
                return;
            }
            asked = true;
            socket.pause();
            socket.dispatch(() -> connect.apply(target).onComplete(done -> {
                if (done.failed()) refuse(ctx, Socks5CommandStatus.HOST_UNREACHABLE);
                else accept(ctx, done.result());
            }));
        }

        private void accept(ChannelHandlerContext ctx, Opening.Opened<TcpSocket> opened) {
            ctx.writeAndFlush(reply(Socks5CommandStatus.SUCCESS)).addListener(_ -> {
                ChannelPipeline pipeline = ctx.pipeline();
                if (ctx.channel().isActive()) { // else the pipeline is empty already, and to join is to close the way
                    pipeline.remove(Socks5CommandRequestDecoder.class);
                    pipeline.remove(Socks5ServerEncoder.class);
                    pipeline.remove(this);
                }
                TunnelVerticle.join(socket, opened.way(), UNCOUNTED);
                for (ByteBuf bytes = early.poll(); bytes != null; bytes = early.poll()) pipeline.fireChannelRead(bytes);
            });
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            early.forEach(ByteBuf::release);
            early.clear();
            ctx.fireChannelInactive();
        }

        private static void refuse(ChannelHandlerContext ctx, Socks5CommandStatus status) {
            ctx.writeAndFlush(reply(status)).addListener(_ -> ctx.close());
        }

        private static DefaultSocks5CommandResponse reply(Socks5CommandStatus status) {
            return new DefaultSocks5CommandResponse(status, Socks5AddressType.IPv4, "0.0.0.0", 0);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close(); // not SOCKS5, or gone
        }
    }
}
