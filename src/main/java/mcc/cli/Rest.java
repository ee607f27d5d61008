package mcc.cli;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The REST interface of one node, as the verbs use it. */
final class Rest {
    private static final String API = "/api/v1";

    /** A successful answer, with its body as it came. */
    record Reply(int status, String body) {
        /** The body as JSON. */
        Json json() {
            Json json = body.isBlank() ? Json.NONE : Json.parse(body);
            if (json != null) return json;
            throw new Failure(Failure.FAILED, "Unreadable answer", "the answer is no JSON", Rest.NO_NODE);
        }
    }

    private static final String NO_NODE = "is this an MCC node? check --node and MCC_NODE";

    private final String host;
    private final int port;
    private final String prefix;
    private final int timeoutMs;
    private final @Nullable String token;

    private Rest(String host, int port, String prefix, int timeoutMs, @Nullable String token) {
        this.host = host;
        this.port = port;
        this.prefix = prefix;
        this.timeoutMs = timeoutMs;
        this.token = token;
    }

    /**
     * The node at a URL such as {@code http://127.0.0.1:8080}.
     *
     * @param token sent with every request; null for none
     * @throws Failure if it is not the URL of a node
     */
    static Rest at(String url, int timeoutMs, @Nullable String token) {
        try {
            URI uri = URI.create(url.contains("://") ? url : "http://" + url);
            String host = uri.getHost();
            if ("http".equals(uri.getScheme()) && host != null) {
                if (host.startsWith("[")) host = host.substring(1, host.length() - 1);
                String path = uri.getPath() == null ? "" : uri.getPath();
                String prefix = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
                if (prefix.endsWith(API)) prefix = prefix.substring(0, prefix.length() - API.length());
                return new Rest(host, uri.getPort() < 0 ? 80 : uri.getPort(), prefix, timeoutMs, token);
            }
        } catch (IllegalArgumentException _) {
            // reported below
        }
        throw Failure.usage("'" + url + "' is no URL of a node", "write --node http://127.0.0.1:8080");
    }

    /** Whether the node is on this machine, so that a token found on this machine may be sent to it. */
    boolean isLocal() {
        return host.equals("localhost") || host.matches("127(\\.[0-9]{1,3}){3}") || host.equals("::1");
    }

    /** The same node, with a token. */
    Rest with(String other) {
        return new Rest(host, port, prefix, timeoutMs, other);
    }

    boolean hasToken() {
        return token != null;
    }

    Reply get(String path) {
        return send("GET", path, null);
    }

    Reply delete(String path) {
        return send("DELETE", path, null);
    }

    Reply post(String path, @Nullable Object body) {
        return send("POST", path, body);
    }

    Reply put(String path, Object body) {
        return send("PUT", path, body);
    }

    /** Uploads bytes of a media type. */
    Reply upload(String path, String type, byte[] content) {
        return exchange("POST", API + path, type, content);
    }

    /** Reads a path outside the versioned interface, such as {@code /health/ready}, whatever its status. */
    Reply root(String path) {
        try (Http http = open("GET", path, null, null, timeoutMs)) {
            return new Reply(http.status(), http.text());
        } catch (IOException e) {
            throw broken(e);
        }
    }

    /** Follows the events from now on. The caller closes the stream. */
    Sse follow(String query) {
        try {
            Http http = open("GET", API + "/events" + query, null, null, 0);
            if (http.status() == 200) return new Sse(http);
            try (http) {
                throw failure(http.status(), http.text());
            }
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private Reply send(String method, String path, @Nullable Object body) {
        byte[] content = body == null ? null : Json.write(body).getBytes(StandardCharsets.UTF_8);
        if (method.equals("POST") && body == null) content = "{}".getBytes(StandardCharsets.UTF_8);
        return exchange(method, API + path, content == null ? null : "application/json", content);
    }

    private Reply exchange(String method, String path, @Nullable String type, byte @Nullable [] content) {
        try (Http http = open(method, path, type, content, timeoutMs)) {
            String body = http.text();
            if (http.status() >= 200 && http.status() < 300) return new Reply(http.status(), body);
            throw failure(http.status(), body);
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private Http open(String method, String path, @Nullable String type, byte @Nullable [] content, int readMs)
            throws IOException {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Accept", "application/json, application/problem+json, text/event-stream, text/plain");
        if (token != null) headers.put("Authorization", "Bearer " + token);
        if (type != null) headers.put("Content-Type", type);
        return new Http(host, port, method, prefix + path, headers, content, readMs);
    }

    private static Failure failure(int status, String body) {
        Json problem = Json.parse(body);
        if (problem != null && !problem.at("status").isMissing()) return Failure.of(status, problem);
        return new Failure(
                Failure.exitOf(status, ""), "HTTP status " + status, "the answer is not that of a node", NO_NODE);
    }

    private Failure broken(IOException e) {
        String where = "http://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        if (e instanceof SocketTimeoutException) {
            return new Failure(
                    Failure.TIMED_OUT, "Timed out", where + " gave no answer within " + timeoutMs + " ms", "--timeout");
        }
        return new Failure(
                Failure.UNREACHABLE,
                "No node at " + where,
                Text.clean(String.valueOf(e.getMessage())),
                "start one with 'mcc run', or name another with --node URL or MCC_NODE");
    }

    /** Encodes one segment of a path; the slash in a service name becomes {@code %2F}. */
    static String segment(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
