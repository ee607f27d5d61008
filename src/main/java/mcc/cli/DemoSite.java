package mcc.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An ordinary HTTP server that knows nothing of MCC: a page that names its server, and a large file. */
final class DemoSite implements AutoCloseable {
    /** The size of the large file. */
    static final int FILE_BYTES = 100_000_000;

    /** Its length is prime, so that bytes in the wrong place do not look right by chance. */
    private static final byte[] PATTERN = new byte[1_000_003];

    static {
        new Random(25).nextBytes(PATTERN);
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    DemoSite(String name) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> page(exchange, name));
        server.createContext("/file", DemoSite::file);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** The page of the server of that name. */
    static String pageOf(String name) {
        return "Hello from the web service behind " + name + ".\n";
    }

    private static void page(HttpExchange exchange, String name) throws IOException {
        byte[] body = pageOf(name).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("X-Served-By", name);
        exchange.sendResponseHeaders(200, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private static void file(HttpExchange exchange) throws IOException {
        exchange.sendResponseHeaders(200, FILE_BYTES);
        try (OutputStream out = exchange.getResponseBody()) {
            for (int at = 0; at < FILE_BYTES; ) {
                int from = at % PATTERN.length;
                int count = Math.min(Math.min(65_536, PATTERN.length - from), FILE_BYTES - at);
                out.write(PATTERN, from, count);
                at += count;
            }
        }
    }

    /** Whether these are the file's bytes from position {@code at} on. */
    static boolean isFile(int at, byte[] bytes, int length) {
        for (int i = 0; i < length; ) {
            int from = (at + i) % PATTERN.length;
            int count = Math.min(length - i, PATTERN.length - from);
            if (java.util.Arrays.mismatch(bytes, i, i + count, PATTERN, from, from + count) >= 0) return false;
            i += count;
        }
        return at + length <= FILE_BYTES;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
