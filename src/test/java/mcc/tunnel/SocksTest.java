package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.core.Counters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The proxy on loopback; this test decides when a way to a provider is opened. */
class SocksTest {
    private static final int PATIENCE_MS = 60_000;
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    private final Context context = vertx.getOrCreateContext();
    private final LinkedBlockingQueue<Promise<Opening.Opened<TcpSocket>>> asked = new LinkedBlockingQueue<>();

    private final Descriptors descriptors = new Descriptors(1_000);

    @AfterEach
    void end() {
        get(vertx.close());
    }

    private static <T> T get(Future<T> future) {
        return get(future.toCompletionStage().toCompletableFuture());
    }

    private static <T> T get(CompletableFuture<T> future) {
        return future.orTimeout(PATIENCE_MS, TimeUnit.MILLISECONDS).join();
    }

    private TcpSocket.Listener listen() {
        Counters counters = new Counters();
        Sockets sockets = new Sockets(vertx, context, "open", descriptors, 0, () -> null, counters);
        Socks socks = new Socks(vertx, sockets, (_, _) -> connect(), new PeerWatch(0, counters), null);
        return get(socks.listen(new InetSocketAddress(LOOPBACK, 0)));
    }

    private Future<Opening.Opened<TcpSocket>> connect() {
        Promise<Opening.Opened<TcpSocket>> promise = Promise.promise();
        asked.add(promise);
        return promise.future();
    }

    /** RFC 1928 section 4: CONNECT to a name. */
    private static byte[] request(String name) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {5, 1, 0, 3, (byte) name.length()});
        out.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(new byte[] {0, 80});
        return out.toByteArray();
    }

    @Test
    void whoIsGoneBeforeTheWayIsOpenLeavesNoConnectionToTheApp() throws Exception {
        TcpSocket.Listener listener = listen();
        try (ServerSocket app = new ServerSocket(0, 1, LOOPBACK)) {
            InetSocketAddress at = (InetSocketAddress) app.getLocalSocketAddress();
            TcpSocket way = get(TcpSocket.connect(context, at, PATIENCE_MS, 0));
            try (Socket served = app.accept()) {
                served.setSoTimeout(PATIENCE_MS);
                Promise<Opening.Opened<TcpSocket>> opening;
                try (Socket client = new Socket(LOOPBACK, listener.address().getPort())) {
                    client.setSoTimeout(PATIENCE_MS);
                    client.getOutputStream().write(new byte[] {5, 1, 0});
                    assertThat(client.getInputStream().readNBytes(2)).containsExactly(5, 0);
                    client.getOutputStream().write(request("echo.open.mcc"));
                    opening = asked.poll(PATIENCE_MS, TimeUnit.MILLISECONDS);
                    assertThat(opening).isNotNull();
                    client.setSoLinger(true, 0);
                }
                while (held() > 1) Thread.onSpinWait(); // until the reset was noticed, and only the listener is left
                context.runOnContext(
                        _ -> opening.complete(new Opening.Opened<>(new Opening.Way.Here<>(way), null, List.of())));
                assertThat(isOver(served)).isTrue();
            }
        }
    }

    private long held() {
        CompletableFuture<Long> out = new CompletableFuture<>();
        context.runOnContext(_ -> out.complete(descriptors.all()));
        return get(out);
    }

    private static boolean isOver(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() == -1;
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException _) {
            return true; // a reset
        }
    }
}
