package mcc.tunnel;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.vertx.core.Closeable;
import io.vertx.core.internal.ContextInternal;
import org.jspecify.annotations.Nullable;

/**
 * Closes its channel together with the verticle whose context it has, because that verticle's timers enforce how long the
 * policy allows it.
 */
abstract class Leashed extends ChannelInboundHandlerAdapter {
    final ContextInternal context;
    private @Nullable Closeable leash;

    Leashed(ContextInternal context) {
        this.context = context;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        Closeable leash = done -> {
            ctx.close();
            done.succeed();
        };
        this.leash = leash;
        if (!context.closeFuture().add(leash)) ctx.close(); // the verticle ended while a name was looked up
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (leash != null) context.removeCloseHook(leash);
    }
}
