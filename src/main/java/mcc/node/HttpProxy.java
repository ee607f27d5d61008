package mcc.node;

import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.ProxyType;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP proxy through which carriers go (RFC 9110 section 9.3.6, CONNECT), with a name and a password for it (RFC 7617) that
 * are never shown.
 */
record HttpProxy(
        String host,
        int port,
        @Nullable String user,
        @Nullable String password) {
    private static final int PORT = 80;
    private static final int FILE_BYTES = 4_096;

    /** What the settings say; null for none. */
    static @Nullable HttpProxy of(Settings settings, Map<String, String> environment) {
        String text = settings.text("proxy");
        String file = settings.text("proxy.file");
        if (!file.isEmpty()) text = read(Settings.path("proxy.file", file));
        if (text.equals("environment")) {
            text = environment.getOrDefault("HTTPS_PROXY", environment.getOrDefault("https_proxy", ""));
        }
        return text.isBlank() ? null : parse(text.strip());
    }

    private static String read(Path file) {
        try {
            if (Files.size(file) > FILE_BYTES) throw bad("is too long");
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new Problem(
                    "config", "proxy.file: " + file + " cannot be read", "make it readable for the node's user");
        }
    }

    /**
     * Parses {@code http://[USER:PASSWORD@]HOST[:PORT]}; characters that a URL does not allow are written as {@code %40}.
     *
     * @throws Problem for any other text, which is not in its message
     */
    static HttpProxy parse(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException _) {
            throw bad("is no URL");
        }
        String host = uri.getHost();
        if (!"http".equalsIgnoreCase(uri.getScheme()) || host == null) throw bad("is no URL of a proxy");
        if (host.startsWith("[") && host.endsWith("]")) host = host.substring(1, host.length() - 1);
        String info = uri.getRawUserInfo();
        int colon = info == null ? -1 : info.indexOf(':');
        if (info != null && colon < 0) throw bad("has a user and no password");
        String user = info == null ? null : decoded(info.substring(0, colon));
        String password = info == null ? null : decoded(info.substring(colon + 1));
        return new HttpProxy(host, uri.getPort() < 1 ? PORT : uri.getPort(), user, password);
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static Problem bad(String why) {
        return new Problem(
                "config", "proxy: what is given " + why, "write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT");
    }

    /** @param ip the address of {@link #host} */
    ProxyOptions options(String ip) {
        ProxyOptions out =
                new ProxyOptions().setType(ProxyType.HTTP).setHost(ip).setPort(port);
        if (user != null) out.setUsername(user).setPassword(password);
        return out;
    }

    /** For people: where it is, and nothing more. */
    @Override
    public String toString() {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
}
