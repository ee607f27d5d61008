package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PongsTest {
    /** Answers each ping at once, as Vert.x does. */
    private static final class Answering extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.writeAndFlush(new PongWebSocketFrame(((PingWebSocketFrame) message).content()));
        }
    }

    private final EmbeddedChannel channel = new EmbeddedChannel(new Pongs(), new Answering());

    private PingWebSocketFrame ping(int number) {
        PingWebSocketFrame ping = new PingWebSocketFrame(Unpooled.buffer().writeInt(number));
        channel.writeInbound(ping);
        return ping;
    }

    private List<Integer> pongs() {
        channel.runPendingTasks();
        List<Integer> out = new ArrayList<>();
        for (PongWebSocketFrame each; (each = channel.readOutbound()) != null; ) {
            out.add(each.content().readInt());
            each.release();
        }
        return out;
    }

    private void writable(boolean now) {
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, now);
    }

    @Test
    void eachPingOfWhoReadsIsAnswered() {
        for (int i = 0; i < 3; i++) ping(i);
        assertThat(pongs()).containsExactly(0, 1, 2);
    }

    @Test
    void ofWhoDoesNotReadOnlyTheNewestIsKeptAndAnsweredLater() {
        writable(false);
        List<PingWebSocketFrame> pings = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) pings.add(ping(i));
        assertThat(pings.stream().filter(ping -> ping.refCnt() > 0).count())
                .as("pings held")
                .isEqualTo(1);
        assertThat(pongs()).isEmpty();
        writable(true);
        assertThat(pongs()).containsExactly(9_999);
        ping(10_000);
        assertThat(pongs()).containsExactly(10_000);
    }

    @Test
    void whatIsHeldGoesWithItsConnection() {
        writable(false);
        PingWebSocketFrame ping = ping(0);
        channel.close();
        channel.runPendingTasks();
        assertThat(ping.refCnt()).isZero();
    }
}
