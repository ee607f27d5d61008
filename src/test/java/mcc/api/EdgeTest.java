package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The time that a connection's client has, in virtual time. */
class EdgeTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String PUT = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n";

    /** Answers when it is told to. */
    private final class App extends ChannelInboundHandlerAdapter {
        int heads;
        int ends;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof HttpRequest) heads++;
            if (message instanceof LastHttpContent) ends++;
            ReferenceCountUtil.release(message);
        }
    }

    private final App app = new App();
    private final EmbeddedChannel channel = new EmbeddedChannel();

    @BeforeEach
    void make() {
        channel.freezeTime();
        Edge edge = new Edge();
        channel.pipeline().addLast(edge.bytes(), new HttpRequestDecoder(), new HttpResponseEncoder(), edge, app);
    }

    private void send(String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
    }

    private void answer() {
        var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        response.headers().set("Content-Length", 0);
        channel.writeAndFlush(response);
    }

    private void pass(long ms) {
        channel.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        channel.runPendingTasks();
    }

    private String sent() {
        StringBuilder out = new StringBuilder();
        for (ByteBuf each; (each = channel.readOutbound()) != null; each.release()) {
            out.append(each.toString(StandardCharsets.UTF_8));
        }
        return out.toString();
    }

    @Test
    void anIdleConnectionEndsWithoutAWord() {
        pass(Edge.IDLE_MS - 1);
        assertThat(channel.isOpen()).isTrue();
        send(GET);
        answer();
        sent();
        pass(Edge.IDLE_MS - 1);
        assertThat(channel.isOpen()).isTrue();
        pass(1);
        assertThat(channel.isOpen()).isFalse();
        assertThat(sent()).isEmpty();
    }

    @Test
    void aHeadThatTricklesIsRefusedHoweverOftenAByteComes() {
        for (int i = 0; i < 15; i++) {
            send(GET.substring(i, i + 1));
            if (i < 14) pass(1_000);
        }
        assertThat(sent()).isEmpty();
        pass(1_000);
        assertThat(sent()).startsWith("HTTP/1.1 408 ").contains("request-timeout", "Connection: close");
        send(GET);
        assertThat(app.heads).as("no longer read").isZero();
        pass(Edge.LINGER_MS);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aBodyHasToComeOn() {
        send(PUT);
        for (int i = 0; i < 3; i++) {
            send("x".repeat(Edge.BODY_BYTES));
            pass(Edge.BODY_MS);
            assertThat(sent()).isEmpty();
        }
        send("x");
        pass(Edge.BODY_MS);
        assertThat(sent()).startsWith("HTTP/1.1 408 ");
        answer();
        assertThat(sent()).as("what comes too late is not sent").isEmpty();
    }

    @Test
    void aBodyThatWeDoNotReadMayStand() {
        send(PUT);
        channel.config().setAutoRead(false);
        pass(10 * Edge.BODY_MS);
        assertThat(sent()).isEmpty();
        channel.config().setAutoRead(true);
        pass(Edge.BODY_MS);
        assertThat(sent()).startsWith("HTTP/1.1 408 ");
    }

    @Test
    void anAnswerMayTakeAsLongAsItTakes() {
        send(GET);
        pass(10 * Edge.IDLE_MS);
        assertThat(channel.isOpen()).isTrue();
        answer();
        assertThat(sent()).startsWith("HTTP/1.1 200 ");
        pass(Edge.IDLE_MS);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void whatIsNoHttpIsRefusedBehindTheAnswersThatAreOwed() {
        send(GET + GET + "nonsense\r\n\r\n");
        assertThat(sent()).isEmpty();
        answer();
        assertThat(sent()).contains("200").doesNotContain("400");
        answer();
        assertThat(sent()).containsSubsequence("HTTP/1.1 200 ", "HTTP/1.1 400 ");
    }

    @Test
    void aRequestWithItsAnswerGetsNoSecondOne() {
        send(PUT);
        answer();
        sent();
        pass(Edge.BODY_MS);
        assertThat(sent()).isEmpty();
        pass(Edge.LINGER_MS);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void whoReadsNothingIsCutOff() {
        send(GET);
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        channel.runPendingTasks();
        pass(Edge.UNREAD_MS - 1);
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, true);
        channel.runPendingTasks();
        pass(Edge.UNREAD_MS);
        assertThat(channel.isOpen()).as("it read").isTrue();
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        channel.runPendingTasks();
        pass(Edge.UNREAD_MS);
        assertThat(channel.isOpen()).isFalse();
    }
}
