package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.core.Rng;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Sockets on an event loop without epoll, as on hosts other than Linux. */
class NettyTcpSocketTest {
    private static final int PATIENCE_S = 60;
    private static final int SOME = 300_000;

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @AfterEach
    void close() {
        Rig.get(vertx.close());
    }

    private void run(Runnable task) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        context.runOnContext(_ -> {
            task.run();
            done.complete(null);
        });
        done.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
    }

    private final class Ear implements TcpSocket.Handler {
        private final String name;

        Ear(String name) {
            this.name = name;
        }

        @Override
        public void onData(byte[] chunk, int length) {
            bytes.write(chunk, 0, length);
        }

        @Override
        public void onEnd() {
            events.add(name + " end");
        }

        @Override
        public void onWritable() {}

        @Override
        public void onClosed() {
            events.add(name + " closed");
        }
    }

    private String next() throws InterruptedException {
        return events.poll(PATIENCE_S, TimeUnit.SECONDS);
    }

    @Test
    void bytesGoAndEachDirectionEndsApart() throws Exception {
        BlockingQueue<TcpSocket> accepted = new LinkedBlockingQueue<>();
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        TcpSocket.Listener listener = Rig.get(TcpSocket.listen(context, any, 60, accepted::add));
        TcpSocket made = Rig.get(TcpSocket.connect(context, listener.address(), 5_000, 60));
        assertThat(made).isInstanceOf(NettyTcpSocket.class);
        TcpSocket taken = accepted.poll(PATIENCE_S, TimeUnit.SECONDS);
        byte[] sent = Rng.seeded(1).bytes(SOME);
        run(() -> {
            assertThat(made.keepalive()).isEqualTo(new TcpSocket.Keepalive(60, 10, 6));
            assertThat(taken.keepalive()).isEqualTo(made.keepalive());
            made.start(new Ear("made"));
            taken.start(new Ear("taken"));
            taken.write(sent, sent.length);
            taken.end();
        });
        assertThat(next()).isEqualTo("made end");
        assertThat(bytes.toByteArray()).isEqualTo(sent);
        run(made::closeAfterWrites);
        assertThat(next()).isIn("taken end", "made closed");
        run(taken::abort);
        listener.close();
    }
}
