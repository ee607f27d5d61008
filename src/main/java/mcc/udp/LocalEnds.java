package mcc.udp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.link.PacketSink;
import org.jspecify.annotations.Nullable;

/**
 * Numbers for the addresses of this host that datagrams came to: links remember the number, and sockets send from the address
 * that it stands for (ip(7), ipv6(7): IP_PKTINFO, IPV6_PKTINFO).
 *
 * <p>A number stands for the same address for as long as the sockets live. At most {@link #MAX} addresses have one; others are
 * {@link #ANY}, and counted. Used on the packet loop only.
 */
final class LocalEnds {
    /** No particular address: the kernel chooses one. */
    static final int ANY = PacketSink.ANY;

    /** A host has few addresses at a time, but may get new ones every day. */
    static final int MAX = 1_024;

    private static final int LATELY = 64;

    /**
     * An address at a socket.
     *
     * @param scope the index of the interface for an address that is meaningful on one interface only, else 0
     */
    record End(PacketSocket socket, long high, long low, int scope) {
        private boolean is(PacketSocket socket, long high, long low, int scope) {
            return this.low == low && this.high == high && this.socket.equals(socket) && this.scope == scope;
        }
    }

    private final List<End> ends = new ArrayList<>();
    private final Map<End, Integer> numbers = new HashMap<>();
    /** Those asked for lately, by a part of their hash, so that no object is made per datagram. */
    private final @Nullable End[] lately = new End[LATELY];

    private final int[] latelyNumbers = new int[LATELY];
    private final Counter refused;

    LocalEnds(Counters counters) {
        refused = counters.of("udp.local.refused");
    }

    /** Returns the number of an address; a new address gets a new number. */
    int number(PacketSocket socket, long high, long low, int scope) {
        int slot = (int) (low ^ low >>> 8 ^ high) & LATELY - 1;
        End last = lately[slot];
        if (last != null && last.is(socket, high, low, scope)) return latelyNumbers[slot];
        End end = new End(socket, high, low, scope);
        Integer number = numbers.get(end);
        if (number == null) {
            if (ends.size() >= MAX) {
                refused.add();
                return ANY;
            }
            ends.add(end);
            number = ends.size();
            numbers.put(end, number);
        }
        lately[slot] = end;
        latelyNumbers[slot] = number;
        return number;
    }

    /** Returns what a number stands for; null for {@link #ANY}. */
    @Nullable
    End get(int number) {
        return number > 0 && number <= ends.size() ? ends.get(number - 1) : null;
    }
}
