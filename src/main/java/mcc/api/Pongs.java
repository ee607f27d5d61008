package mcc.api;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * Answers pings of a WebSocket no faster than its client reads. Vert.x would answer each at once, and answers that the client
 * does not read would fill memory. Meanwhile only the newest ping is kept, as RFC 6455 section 5.5.3 allows.
 */
final class Pongs extends ChannelInboundHandlerAdapter {
    private @Nullable PingWebSocketFrame newest;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof PingWebSocketFrame ping && !ctx.channel().isWritable()) {
            ReferenceCountUtil.release(newest);
            newest = ping;
        } else {
            ctx.fireChannelRead(message);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        ctx.fireChannelWritabilityChanged();
        if (newest != null && ctx.channel().isWritable())
            ctx.executor().execute(() -> answer(ctx)); // not within a flush
    }

    private void answer(ChannelHandlerContext ctx) {
        PingWebSocketFrame ping = newest;
        newest = null;
        if (ping == null) return;
        ctx.fireChannelRead(ping);
        ctx.fireChannelReadComplete();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        ReferenceCountUtil.release(newest);
        newest = null;
    }
}
