package mcc.api;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a connection whose client pipelines more requests (RFC 9112 section 9.3.2) than Netty keeps, which is 128. Netty throws
 * for each further request, and Vert.x, while the last one is unanswered, only logs that.
 */
final class Pipelining extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(Pipelining.class);

    private boolean ended;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (ended) ReferenceCountUtil.release(message);
        else ctx.fireChannelRead(message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!isOverLimit(cause)) {
            ctx.fireExceptionCaught(cause);
            return;
        }
        if (ended) return;
        ended = true;
        LOG.debug(
                "{} sent too many requests ahead and was cut off", ctx.channel().remoteAddress());
        ctx.close();
    }

    private static boolean isOverLimit(Throwable e) {
        for (Throwable each = e; each != null; each = each.getCause()) {
            if (String.valueOf(each.getMessage()).startsWith("maxPipelineDepth")) return true;
        }
        return false;
    }
}
