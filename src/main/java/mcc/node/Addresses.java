package mcc.node;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import mcc.carrier.Gate;
import mcc.core.Address;
import mcc.core.Id;

/** Parses the addresses that operators write. Host names are looked up, which blocks. */
public final class Addresses {
    private Addresses() {}

    /** A host, without brackets, and a port. */
    public record HostPort(String host, int port) {}

    /**
     * Splits {@code HOST:PORT} or {@code [IPV6]:PORT}.
     *
     * @param key the configuration key, for the error
     * @throws Problem for any other text
     */
    public static HostPort split(String key, String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) host = host.substring(1, host.length() - 1);
        else if (host.indexOf(':') >= 0) host = "";
        int port = -1;
        try {
            if (colon >= 0) port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException _) {
            // reported below
        }
        if (host.isEmpty() || port < 0 || port > 65_535) {
            throw new Problem(
                    "config",
                    key + ": '" + text + "' is not an address",
                    "write HOST:PORT, for IPv6 [HOST]:PORT; port 0 picks a free one");
        }
        return new HostPort(host, port);
    }

    /** Checks what {@code bootstrap} may have: {@code HOST:PORT}, {@code KEY@HOST:PORT}, or where a relay takes carriers. */
    static void checkBootstrap(String text) {
        if (!Gate.looksLike(text)) bootstrap(text);
        else if (Gate.parse(text) == null) {
            throw new Problem(
                    "config",
                    "bootstrap: '" + text + "' is no relay's address",
                    "write wss://HOST:PORT or wss://HOST:PORT#KEY; 'mcc id' at that node shows its key");
        }
    }

    /** Parses {@code HOST:PORT} or {@code KEY@HOST:PORT}. */
    public static DhtVerticle.Bootstrap bootstrap(String text) {
        int at = text.indexOf('@');
        Id key = at < 0 ? null : Id.parse(text.substring(0, at));
        if (at >= 0 && key == null) {
            throw new Problem(
                    "config",
                    "bootstrap: '" + text.substring(0, at) + "' is not a node key",
                    "a key has 52 letters and digits; 'mcc id' at that node shows it");
        }
        HostPort where = split("bootstrap", text.substring(at + 1));
        if (where.port() == 0) throw new Problem("config", "bootstrap: '" + text + "' has no port", "write HOST:PORT");
        return new DhtVerticle.Bootstrap(text, key, where.host(), where.port());
    }

    /**
     * Checks that a configured address of this host is loopback.
     *
     * @param key the configuration key, and {@code text} its value
     * @param all what its host was found to be; at least one, of which the first is taken
     * @throws Problem if it is not
     */
    public static void checkLoopback(String key, String text, List<InetAddress> all) {
        if (all.getFirst().isLoopbackAddress()) return;
        throw new Problem(
                "config",
                key + ": " + text + " is not loopback, and this node has no TLS",
                "use --" + key + " 127.0.0.1:" + split(key, text).port()
                        + " and reach it through a tunnel or an ssh forward");
    }

    /** Says that nobody knows the host of a configured address. */
    public static Problem unknownHost(String key, String text) {
        String host = split(key, text).host();
        return new Problem(
                "config", key + ": host '" + host + "' is unknown", "check its spelling and the name service");
    }

    /** Looks up all addresses of a name. Blocks. */
    public static List<Address> resolve(String host, int port) {
        List<Address> out = new ArrayList<>();
        try {
            for (InetAddress ip : HostNames.lookUp(host)) {
                Address address = Address.of(ip.getAddress(), port);
                if (address != null) out.add(address);
            }
        } catch (UnknownHostException _) {
            throw new Problem("config", "host '" + host + "' is unknown", "check its spelling and the name service");
        }
        return out;
    }
}
