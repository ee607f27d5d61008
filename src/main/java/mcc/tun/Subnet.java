package mcc.tun;

import java.util.Comparator;
import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * A network behind a node, as configured by its operator and by its users: packets to and from {@code 192.0.2.0/24@NODE} go
 * through that node; {@code 192.0.2.0/24} is behind this one. The host's kernel does the routing.
 *
 * @param bits length of the prefix in IPv6, for IPv4-mapped addresses 96 more than people write
 * @param node null for this node
 */
public record Subnet(InnerAddress base, int bits, @Nullable Id node) {
    static final Comparator<Subnet> LONGEST_FIRST =
            Comparator.comparingInt(Subnet::bits).reversed();

    private static final int MAPPED_BITS = 96;

    /** Parses one; null if it is malformed: the bits behind the prefix must be 0, and the prefix must not be empty. */
    public static @Nullable Subnet parse(String text) {
        int at = text.indexOf('@');
        Id node = at < 0 ? null : Id.parse(text.substring(at + 1));
        if (at >= 0 && node == null) return null;
        int slash = text.indexOf('/');
        if (slash < 0 || at >= 0 && slash > at) return null;
        String host = text.substring(0, slash);
        Address address = Address.parse(host.indexOf(':') < 0 ? host + ":0" : "[" + host + "]:0");
        int length = Rule.number(text.substring(slash + 1, at < 0 ? text.length() : at));
        if (address == null || length < 1 || length > (address.isV4() ? 32 : 128)) return null;
        int bits = address.isV4() ? MAPPED_BITS + length : length;
        boolean clean = (address.high() & ~mask(bits)) == 0 && (address.low() & ~mask(bits - 64)) == 0;
        return clean ? new Subnet(new InnerAddress(address.high(), address.low()), bits, node) : null;
    }

    private static long mask(int bits) {
        return bits <= 0 ? 0 : bits >= 64 ? -1L : -1L << 64 - bits;
    }

    /** The length of the prefix as people write it. */
    public int length() {
        return base.isV4() ? bits - MAPPED_BITS : bits;
    }

    boolean has(long high, long low) {
        return base.isV4() == InnerAddress.isV4(high, low)
                && ((high ^ base.high()) & mask(bits)) == 0
                && ((low ^ base.low()) & mask(bits - 64)) == 0;
    }

    /** As people write it, without the node. */
    @Override
    public String toString() {
        return base + "/" + length();
    }
}
