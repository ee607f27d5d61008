package mcc.carrier;

import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * Where a relay takes connections: {@code wss://HOST[:PORT][/PATH][#KEY]}, or {@code ws://} for one without TLS.
 *
 * @param host a name or an address, without brackets
 * @param key the relay's; null if it is not known before the first contact
 */
public record Gate(
        boolean tls,
        String host,
        int port,
        String path,
        @Nullable Id key) {
    /** The path where none is written. */
    public static final String PATH = "/mcc";
    /** How a node says that it means this protocol, in the field Sec-WebSocket-Protocol (RFC 6455 section 1.9). */
    public static final String SUBPROTOCOL = "mcc.carrier.1";

    private static final int TEXT_MAX = 512;
    private static final String PATH_FORM = "/[!$&'()*+,./0-9:;=?@A-Z_a-z~%-]*";

    /** Returns whether a text is meant to be one. */
    public static boolean looksLike(String text) {
        return text.regionMatches(true, 0, "wss:", 0, 4) || text.regionMatches(true, 0, "ws:", 0, 3);
    }

    /** Parses a text; null when it is none. */
    public static @Nullable Gate parse(String text) {
        boolean tls = text.regionMatches(true, 0, "wss://", 0, 6);
        int start = tls ? 6 : 5;
        if (text.length() > TEXT_MAX || !tls && !text.regionMatches(true, 0, "ws://", 0, 5)) return null;
        int hash = text.indexOf('#');
        String place = text.substring(start, hash < start ? text.length() : hash);
        Id key = hash < start ? null : Id.parse(text.substring(hash + 1));
        int slash = place.indexOf('/');
        String path = slash < 0 || slash == place.length() - 1 ? PATH : place.substring(slash);
        String authority = slash < 0 ? place : place.substring(0, slash);
        boolean portless = !authority.matches(".*[^:]:[0-9]{1,5}") || authority.endsWith("]");
        Address literal = Address.parse(portless ? authority + ":" + usual(tls) : authority);
        int colon = portless ? authority.length() : authority.lastIndexOf(':');
        String host = literal == null ? authority.substring(0, colon) : literal.host();
        int port = portless ? usual(tls) : Integer.parseInt(authority.substring(colon + 1));
        boolean valid = port > 0 && port <= 0xffff && (hash < start || key != null);
        if (literal == null) valid &= host.matches("[A-Za-z0-9_][A-Za-z0-9._-]{0,252}");
        return valid && path.matches(PATH_FORM) ? new Gate(tls, host, port, path, key) : null;
    }

    private static int usual(boolean tls) {
        return tls ? 443 : 80;
    }

    /** The relay at this address, which told by which port it takes connections, with TLS. */
    static Gate of(Id key, Address at, int port) {
        return new Gate(true, at.host(), port, PATH, key);
    }

    /** Whether both lead to the same place. */
    boolean isSamePlace(Gate other) {
        return host.equals(other.host) && port == other.port && tls == other.tls && path.equals(other.path);
    }

    Gate withKey(Id key) {
        return new Gate(tls, host, port, path, key);
    }

    /** Without the key, for people. */
    public String url() {
        String name = host.indexOf(':') < 0 ? host : "[" + host + "]";
        String shown = port == usual(tls) ? "" : ":" + port;
        return (tls ? "wss://" : "ws://") + name + shown + (path.equals(PATH) ? "" : path);
    }

    @Override
    public String toString() {
        return key == null ? url() : url() + "#" + key;
    }
}
