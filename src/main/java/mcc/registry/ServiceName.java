package mcc.registry;

import mcc.consortium.Policy;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.crypto.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * The name of a service: {@code org/name}, or {@code name} in one's own organisation.
 *
 * @param org {@link #OPEN} where there is no organisation
 */
public record ServiceName(String org, String name) {
    /** The name in place of an organisation's in an open network. */
    public static final String OPEN = Policy.OPEN;

    private static final byte[] KIND = Bytes.utf8("mcc/svc/1").toArray();

    /** Refuses what {@link #isLabel} refuses. */
    public ServiceName {
        if (!isLabel(org) || !isLabel(name)) throw new IllegalArgumentException("no service name: " + org + "/" + name);
    }

    /** Parses {@code org/name} or {@code name}, the latter in {@code ownOrg}; null when it is neither. */
    public static @Nullable ServiceName parse(String text, String ownOrg) {
        int slash = text.indexOf('/');
        String org = slash < 0 ? ownOrg : text.substring(0, slash);
        String name = text.substring(slash + 1);
        return isLabel(org) && isLabel(name) ? new ServiceName(org, name) : null;
    }

    /** Returns whether {@code text} is 1 to 63 of {@code a-z 0-9 -}, neither beginning nor ending with the dash. */
    static boolean isLabel(String text) {
        int n = text.length();
        if (n < 1 || n > 63 || text.charAt(0) == '-' || text.charAt(n - 1) == '-') return false;
        return text.chars().allMatch(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    }

    /**
     * Returns the key of its providers' records: SHA-256("mcc/svc/1" ‖ network ‖ org ‖ name ‖ shard 0), each name after its
     * length in one byte.
     */
    public Id key(Bytes network) {
        Bytes orgBytes = Bytes.utf8(org);
        Bytes nameBytes = Bytes.utf8(name);
        return Sha256.id(
                KIND,
                new byte[] {(byte) network.size()},
                network.toArray(),
                new byte[] {(byte) orgBytes.size()},
                orgBytes.toArray(),
                new byte[] {(byte) nameBytes.size()},
                nameBytes.toArray(),
                new byte[] {0});
    }

    @Override
    public String toString() {
        return org + "/" + name;
    }
}
