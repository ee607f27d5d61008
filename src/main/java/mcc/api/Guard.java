package mcc.api;

import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mcc.node.Problem;
import mcc.node.Settings;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may use this node: by Host (against DNS rebinding), by Origin (against pages of other sites), by token.
 *
 * <p>Without a token, programs on this host may read and use services and tunnels; what changes the node itself always needs
 * one.
 */
final class Guard {
    /** The only WebSocket subprotocol. */
    static final String SUBPROTOCOL = "mcc";

    private static final Pattern ABSOLUTE = Pattern.compile("^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)");
    private static final String TOKEN_PROTOCOL = "bearer.";
    private static final List<String> TOKENLESS = List.of("none", "read", "services", "tunnels", "kv");

    private final List<String> hosts = new ArrayList<>(List.of("localhost", "127.0.0.1", "[::1]"));
    private final boolean tokenless;
    private final byte[] adminToken;

    Guard(Settings settings, String adminToken) {
        hosts.addAll(settings.list("http.hosts"));
        tokenless = settings.flag("http.tokenless");
        this.adminToken = adminToken.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Checks Host and Origin.
     *
     * @throws Problem {@code host-not-allowed} or {@code origin-not-allowed}; {@code validation} if the request names no host,
     *     or several
     */
    void checkSite(HttpServerRequest request) {
        String host = host(request);
        if (!isAllowed(host)) {
            throw new Problem(
                    "host-not-allowed",
                    "the request names the host '" + Schema.shown(host) + "'",
                    "use localhost, or add the name to http.hosts in the configuration");
        }
        for (String origin : request.headers().getAll("Origin")) {
            String site = origin.contains("://") ? origin.substring(origin.indexOf("://") + 3) : origin;
            if (site.equalsIgnoreCase(host)) continue;
            throw new Problem(
                    "origin-not-allowed",
                    "pages of " + Schema.shown(origin) + " may not use this node",
                    "open the dashboard of this node itself");
        }
    }

    /** The host that a request is for (RFC 9112 sections 3.2 and 3.2.2). */
    private static String host(HttpServerRequest request) {
        List<String> hosts = request.headers().getAll("Host");
        if (hosts.size() != 1) {
            throw new Problem("validation", "the request has " + hosts.size() + " Host headers", "send exactly one");
        }
        Matcher absolute = ABSOLUTE.matcher(request.uri());
        if (!absolute.find() || absolute.group(1).equalsIgnoreCase(hosts.getFirst())) return hosts.getFirst();
        throw new Problem(
                "host-not-allowed",
                "the request's target names the host '" + Schema.shown(absolute.group(1)) + "', its header '"
                        + Schema.shown(hosts.getFirst()) + "'",
                "name the same in both, or send the path alone");
    }

    private boolean isAllowed(String host) {
        int colon = host.lastIndexOf(':');
        boolean hasPort = colon > host.lastIndexOf(']');
        String name = (hasPort ? host.substring(0, colon) : host).toLowerCase(Locale.ROOT);
        return hosts.contains(name);
    }

    /**
     * The token of a request, in the form of an {@code Authorization} header. A page's script cannot set headers of a
     * WebSocket, so it offers the token as a subprotocol: beside {@link #SUBPROTOCOL}, which is accepted,
     * {@code bearer.TOKEN}, which is not.
     */
    static @Nullable String authorization(HttpServerRequest request) {
        String header = request.getHeader("Authorization");
        String offered = request.getHeader("Sec-WebSocket-Protocol");
        if (header != null || offered == null) return header;
        for (String each : offered.split(",")) {
            String protocol = each.strip();
            if (protocol.startsWith(TOKEN_PROTOCOL)) return "Bearer " + protocol.substring(TOKEN_PROTOCOL.length());
        }
        return null;
    }

    /**
     * Checks the token against an operation's scope.
     *
     * @throws Problem {@code unauthenticated}
     */
    void checkScope(String scope, @Nullable String authorization) {
        if (authorization != null) {
            if (isAdmin(authorization)) return;
            throw new Problem(
                    "unauthenticated",
                    "this node does not know the token",
                    "the node's first token is in DATA/admin.token");
        }
        if (scope.equals("none") || tokenless && TOKENLESS.contains(scope)) return;
        throw new Problem(
                "unauthenticated",
                "this needs a token with scope '" + scope + "'",
                "send Authorization: Bearer TOKEN; the node's first token is in DATA/admin.token");
    }

    private boolean isAdmin(String authorization) {
        if (!authorization.startsWith("Bearer ")) return false;
        byte[] given = authorization.substring(7).strip().getBytes(StandardCharsets.UTF_8);
        return given.length > 0 && MessageDigest.isEqual(given, adminToken);
    }
}
