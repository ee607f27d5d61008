package mcc.tun;

import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * An operator's rule for what peers may begin: {@code tcp:22}, {@code udp:5000-5010}, {@code tcp:22@NODE}, {@code any@NODE}.
 * It becomes a grant of the policy.
 *
 * @param protocol the number of TCP or UDP; 0 for all protocols
 * @param node the peer; null for all nodes
 */
public record Rule(
        int protocol, int firstPort, int lastPort, @Nullable Id node) {
    /** Rules at most. */
    public static final int MAX = 1_024;

    /** Parses a rule; null if it is malformed. */
    public static @Nullable Rule parse(String text) {
        int at = text.indexOf('@');
        Id node = at < 0 ? null : Id.parse(text.substring(at + 1));
        if (at >= 0 && node == null) return null;
        String what = at < 0 ? text : text.substring(0, at);
        if (what.equals("any")) return new Rule(0, 0, 65_535, node);
        boolean tcp = what.startsWith("tcp:");
        if (!tcp && !what.startsWith("udp:")) return null;
        int dash = what.indexOf('-');
        int first = number(what.substring(4, dash < 4 ? what.length() : dash));
        int last = dash < 4 ? first : number(what.substring(dash + 1));
        return first < 1 || last < first ? null : new Rule(tcp ? Ip.TCP : Ip.UDP, first, last, node);
    }

    /** Parses a decimal number up to 65,535; −1 if it is none. */
    static int number(String text) {
        if (text.isEmpty() || text.length() > 5) return -1;
        int v = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') return -1;
            v = v * 10 + c - '0';
        }
        return v <= 65_535 ? v : -1;
    }
}
