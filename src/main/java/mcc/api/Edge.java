package mcc.api;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a connection's bytes and Vert.x: limits how long a client may take, and answers bytes that are not HTTP.
 * Vert.x itself would wait for ever, and close or answer without a body.
 *
 * <p>States: IDLE (no byte of a request has come, no answer is owed), HEAD, BODY, ANSWERED (an answer is owed), then REFUSED
 * or UPGRADED (a WebSocket). IDLE, HEAD and BODY have a time limit each; so has, in every state, a client that does not read
 * what is sent. A refused client is told why, after the answers that are still owed, and is then read from for a moment:
 * closing with unread bytes would destroy the answer (RFC 9112 section 9.6).
 */
final class Edge extends ChannelDuplexHandler {
    /** Longest pause between two requests: longer than common clients keep a connection. */
    static final long IDLE_MS = 75_000;

    /** Longest time from the first byte of a head to its last. */
    static final long HEAD_MS = 15_000;

    /** In this time {@link #BODY_BYTES} of a body must come, or its end. */
    static final long BODY_MS = 15_000;

    static final int BODY_BYTES = 16 * 1024;

    /** In this time a client must read something of what waits for it. */
    static final long UNREAD_MS = 60_000;

    /** For this long a refused client is still read from. */
    static final long LINGER_MS = 2_000;

    private enum Phase {
        IDLE,
        HEAD,
        BODY,
        ANSWERED,
        REFUSED,
        UPGRADED
    }

    private Phase phase = Phase.IDLE;
    private @Nullable Future<?> timer;
    private @Nullable Future<?> unread;
    /** Whether bytes came after the last complete request. */
    private boolean begun;
    /** Whether a request's head has come but not its end. */
    private boolean inBody;
    /** Requests whose answer has not ended. */
    private int owed;
    /** Whether an answer's head was sent but not its end. */
    private boolean answering;

    private boolean upgraded;
    private int bodyBytes;
    private @Nullable Problem refusal;
    private boolean refused;

    /** Sees the bytes before they are decoded: otherwise a head that never ends would go unnoticed. */
    private final class Bytes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (refused) {
                ReferenceCountUtil.release(message);
                return;
            }
            begun = true;
            ctx.fireChannelRead(message);
        }
    }

    /** Returns the handler that goes before the decoder. */
    ChannelInboundHandlerAdapter bytes() {
        return new Bytes();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        enter(ctx, Phase.IDLE, IDLE_MS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        cancel(timer);
        cancel(unread);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        cancel(timer);
        cancel(unread);
        ctx.fireChannelInactive();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (refusal != null) {
            ReferenceCountUtil.release(message);
            return;
        }
        Problem fault = message instanceof HttpObject http ? fault(http) : null;
        if (fault != null) {
            ReferenceCountUtil.release(message);
            refuse(ctx, fault);
            return;
        }
        if (message instanceof HttpRequest) {
            owed++;
            inBody = true;
            bodyBytes = 0;
        }
        if (message instanceof HttpContent content)
            bodyBytes += content.content().readableBytes();
        if (message instanceof LastHttpContent) inBody = false;
        begun = false; // later bytes of the same read are decoded at once; what is left over belongs to the next
        // request
        ctx.fireChannelRead(message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.fireChannelReadComplete();
        look(ctx);
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (refused) {
            ReferenceCountUtil.release(message);
            promise.tryFailure(new IllegalStateException("the client was refused"));
            return;
        }
        if (message instanceof HttpResponse response) {
            upgraded |= response.status().equals(HttpResponseStatus.SWITCHING_PROTOCOLS);
            answering = upgraded || response.status().codeClass() != HttpStatusClass.INFORMATIONAL;
        }
        ctx.write(message, promise);
        if (message instanceof LastHttpContent && answering) {
            answering = false;
            owed--;
            if (refusal == null) look(ctx);
            else if (owed == 0) tell(ctx, refusal);
        }
    }

    /** Enters the state that follows from what is known now. */
    private void look(ChannelHandlerContext ctx) {
        if (refusal != null) return;
        if (upgraded) enter(ctx, Phase.UPGRADED, 0);
        else if (inBody) enter(ctx, Phase.BODY, BODY_MS);
        else if (owed > 0) enter(ctx, Phase.ANSWERED, 0);
        else if (begun) enter(ctx, Phase.HEAD, HEAD_MS);
        else enter(ctx, Phase.IDLE, IDLE_MS);
    }

    private void enter(ChannelHandlerContext ctx, Phase next, long ms) {
        if (next == phase && timer != null) return;
        cancel(timer);
        phase = next;
        timer = ms == 0 ? null : ctx.executor().schedule(() -> late(ctx), ms, TimeUnit.MILLISECONDS);
    }

    private void late(ChannelHandlerContext ctx) {
        timer = null;
        switch (phase) {
            case BODY -> {
                boolean ours = !ctx.channel().config().isAutoRead(); // what we do not read cannot come
                if (ours || bodyBytes >= BODY_BYTES) {
                    bodyBytes = 0;
                    enter(ctx, Phase.BODY, BODY_MS);
                } else refuse(ctx, slow("the request's body came too slowly"));
            }
            case HEAD -> refuse(ctx, slow("the request's head was not whole within " + HEAD_MS / 1_000 + " s"));
            case IDLE, REFUSED -> ctx.close();
            case ANSWERED, UPGRADED -> {} // no time limit
        }
    }

    private static Problem slow(String detail) {
        return new Problem("request-timeout", detail, "send a request in one piece");
    }

    /** What is wrong with the bytes; null if nothing is. Vert.x does not check versions when it supports WebSockets. */
    private static @Nullable Problem fault(HttpObject http) {
        boolean old = http instanceof HttpRequest request
                && !request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && !request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        if (http.decoderResult().isSuccess() && !old) return null;
        return switch (http.decoderResult().cause()) {
            case TooLongHttpLineException _ ->
                new Problem("uri-too-long", "the request's first line is over 4 KB", "put long values into the body");
            case TooLongHttpHeaderException _ ->
                new Problem("headers-too-large", "the request's headers are over 16 KB", "send fewer or shorter ones");
            case null, default -> new Problem("validation", "this is not an HTTP/1.1 request", "see RFC 9112");
        };
    }

    /** Refuses the request that is arriving; those before it are answered first. */
    private void refuse(ChannelHandlerContext ctx, Problem problem) {
        if (refusal != null) return;
        refusal = problem;
        cancel(timer);
        boolean answered = inBody && (owed == 0 || answering && owed == 1); // entirely or in part
        if (inBody && !answered) owed--; // the refusal is its answer
        if (answered) end(ctx);
        else if (owed == 0) tell(ctx, problem);
    }

    /** Tells a client that there is no room for it. */
    void turnAway(ChannelHandlerContext ctx, Problem problem) {
        refusal = problem;
        tell(ctx, problem);
    }

    private void tell(ChannelHandlerContext ctx, Problem problem) {
        // Bypasses the encoder, which knows of no request that this could answer.
        ctx.pipeline().firstContext().write(answer(problem));
        end(ctx);
    }

    /** Sends what was written, and nothing after it. */
    private void end(ChannelHandlerContext ctx) {
        refused = true;
        enter(ctx, Phase.REFUSED, LINGER_MS);
        Channel channel = ctx.channel();
        channel.config().setAutoRead(true);
        ctx.pipeline().firstContext().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> {
            if (!done.isSuccess()) ctx.close();
            else if (channel instanceof DuplexChannel duplex) duplex.shutdownOutput();
        });
    }

    /** A problem as the bytes of a connection's last answer. */
    static ByteBuf answer(Problem problem) {
        byte[] body = Problems.toJson(problem, "").encode().getBytes(StandardCharsets.UTF_8);
        String head = "HTTP/1.1 " + HttpResponseStatus.valueOf(Problems.status(problem)) + "\r\n"
                + "Content-Type: application/problem+json\r\nContent-Length: " + body.length + "\r\n"
                + "Connection: close\r\n\r\n";
        return Unpooled.wrappedBuffer(head.getBytes(StandardCharsets.US_ASCII), body);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        cancel(unread);
        unread = ctx.channel().isWritable()
                ? null
                : ctx.executor().schedule(() -> ctx.close(), UNREAD_MS, TimeUnit.MILLISECONDS);
        ctx.fireChannelWritabilityChanged();
    }

    private static void cancel(@Nullable Future<?> timer) {
        if (timer != null) timer.cancel(false);
    }
}
