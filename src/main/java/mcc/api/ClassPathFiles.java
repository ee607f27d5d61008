package mcc.api;

import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Files of the class path below one folder, served from memory. Vert.x's own handler would copy them to the temporary folder
 * first, and fail when that is full. All readers of a file share its bytes; each gets them as fast as it reads.
 */
final class ClassPathFiles implements Handler<RoutingContext> {
    private static final int PIECE_BYTES = 16 * 1024;
    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@-][A-Za-z0-9._@-]*)+");
    private static final Map<String, String> TYPES = Map.of(
            "css", "text/css; charset=utf-8",
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "json", "application/json",
            "map", "application/json",
            "mjs", "text/javascript; charset=utf-8",
            "png", "image/png",
            "svg", "image/svg+xml",
            "woff2", "font/woff2");

    private final String folder;
    private final String mounted;
    /** At most as many as there are files in the folder. */
    private final Map<String, Buffer> read = new ConcurrentHashMap<>();

    /**
     * @param folder on the class path
     * @param mounted the HTTP path of the folder, without a slash at the end
     */
    ClassPathFiles(String folder, String mounted) {
        this.folder = folder;
        this.mounted = mounted;
    }

    /** Sends the file, or passes the request on to the next handler. */
    @Override
    public void handle(RoutingContext rc) {
        String path = rc.normalizedPath().substring(mounted.length());
        String type = TYPES.get(path.substring(path.lastIndexOf('.') + 1));
        if (type == null || !PATH.matcher(path).matches()) {
            rc.next();
            return;
        }
        Buffer known = read.get(path);
        if (known != null) {
            send(rc, type, known);
            return;
        }
        rc.vertx().executeBlocking(() -> load(folder + path), false).onComplete(loaded -> {
            if (loaded.failed()) {
                rc.fail(loaded.cause());
            } else if (loaded.result() == null) {
                rc.next();
            } else {
                read.put(path, loaded.result());
                send(rc, type, loaded.result());
            }
        });
    }

    private static @Nullable Buffer load(String name) throws IOException {
        URL url = ClassPathFiles.class.getClassLoader().getResource(name);
        if (url == null || isFolder(url)) return null;
        try (InputStream in = url.openStream()) {
            return Buffer.buffer(in.readAllBytes());
        }
    }

    private static boolean isFolder(URL url) throws IOException {
        if (url.openConnection() instanceof JarURLConnection jar) {
            return jar.getJarEntry() == null || jar.getJarEntry().isDirectory();
        }
        return Files.isDirectory(Path.of(URI.create(url.toString())));
    }

    private static void send(RoutingContext rc, String type, Buffer file) {
        HttpServerResponse response = rc.response();
        if (response.closed()) return;
        response.putHeader("Content-Type", type).putHeader("Content-Length", String.valueOf(file.length()));
        if (rc.request().method().equals(HttpMethod.HEAD)) response.end();
        else send(response, file, 0);
    }

    private static void send(HttpServerResponse response, Buffer file, int begin) {
        int from = begin;
        while (from < file.length() && !response.closed()) {
            if (response.writeQueueFull()) {
                int next = from;
                response.drainHandler(_ -> send(response, file, next));
                return;
            }
            int to = Math.min(file.length(), from + PIECE_BYTES);
            response.write(file.slice(from, to));
            from = to;
        }
        response.drainHandler(null);
        if (!response.closed()) response.end();
    }
}
