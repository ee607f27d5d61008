package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.ConnectOptions;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mcc.registry.Registration.CheckType;
import mcc.registry.Registry.Output.RunCheck;
import org.jspecify.annotations.Nullable;

/**
 * One check of an app's health: a new connection, and for HTTP a request of whose answer only the head is read. One time limit
 * covers everything from the lookup of the name on.
 */
final class HealthCheck {
    /** The longest answer up to the final status. */
    private static final int HEAD_BYTES = 8 * 1024;

    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n");
    private static final Pattern END_OF_HEAD = Pattern.compile("\r?\n\r?\n");

    private final Vertx vertx;
    private final NetClient client;
    private final RunCheck check;
    private final byte[] first;
    private final BiConsumer<Boolean, String> done;
    private final long startedNs = System.nanoTime();
    private final Buffer head = Buffer.buffer();
    private String doing = "its name was looked up";
    private @Nullable NetSocket socket;
    private long deadline = -1;
    private boolean over;

    private HealthCheck(Vertx vertx, NetClient client, RunCheck check, byte[] first, BiConsumer<Boolean, String> done) {
        this.vertx = vertx;
        this.first = first;
        this.client = client;
        this.check = check;
        this.done = done;
    }

    /**
     * Starts a check.
     *
     * @param first what the app must read before anything else, such as a PROXY header
     * @param done called once, on this context: whether the app is well, and why
     */
    static void run(Vertx vertx, NetClient client, RunCheck check, byte[] first, BiConsumer<Boolean, String> done) {
        new HealthCheck(vertx, client, check, first, done).begin();
    }

    private void begin() {
        deadline = vertx.setTimer(
                check.timeoutMs(), _ -> end(false, "no answer within " + check.timeoutMs() + " ms, while " + doing));
        HostNames.ofApp(vertx, check.host(), check.port())
                .compose(at -> {
                    doing = "it was connected to";
                    return HostNames.connect(vertx, at, this::connect, NetSocket::close);
                })
                .onSuccess(this::connected)
                .onFailure(e -> end(false, Problem.text(e)));
    }

    private Future<NetSocket> connect(InetSocketAddress to) {
        long leftMs = Math.max(1, check.timeoutMs() - (System.nanoTime() - startedNs) / 1_000_000);
        return client.connect(new ConnectOptions()
                .setRemoteAddress(SocketAddress.inetSocketAddress(to))
                .setTimeout((int) leftMs));
    }

    private void connected(NetSocket made) {
        if (over) {
            made.close();
            return;
        }
        socket = made;
        if (first.length > 0) made.write(Buffer.buffer(first));
        if (check.type() == CheckType.TCP) {
            end(true, "accepts connections");
            return;
        }
        doing = "its answer was awaited";
        made.handler(this::read);
        made.exceptionHandler(e -> end(false, Problem.text(e)));
        made.endHandler(_ -> end(false, "it closed the connection without an HTTP answer"));
        made.closeHandler(_ -> end(false, "it closed the connection without an HTTP answer"));
        String host = check.host().indexOf(':') >= 0 ? "[" + check.host() + "]" : check.host();
        made.write("GET " + check.path() + " HTTP/1.1\r\nHost: " + host + ":" + check.port()
                + "\r\nUser-Agent: mcc-check\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    }

    private void read(Buffer bytes) {
        if (over) return;
        head.appendBuffer(bytes, 0, Math.min(bytes.length(), HEAD_BYTES - head.length()));
        String text = head.toString(StandardCharsets.ISO_8859_1);
        for (int at = 0; ; ) {
            Matcher status = STATUS.matcher(text).region(at, text.length());
            if (!status.lookingAt()) {
                boolean begun = text.length() - at < HEAD_BYTES && text.indexOf('\n', at) < 0;
                if (!begun) end(false, "its answer is not HTTP");
                break;
            }
            int code = Integer.parseInt(status.group(1));
            if (code >= 200) {
                end(code < 400, "HTTP " + code + " from " + check.path());
                break;
            }
            Matcher rest =
                    END_OF_HEAD.matcher(text); // an interim answer, the final one follows (RFC 9110 section 15.2)
            if (!rest.find(status.end() - 2)) break;
            at = rest.end();
        }
        if (!over && head.length() >= HEAD_BYTES) end(false, "its answer is not HTTP");
    }

    private void end(boolean ok, String detail) {
        if (over) return;
        over = true;
        vertx.cancelTimer(deadline);
        if (socket != null) socket.close();
        done.accept(ok, detail);
    }
}
