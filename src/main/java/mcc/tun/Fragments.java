package mcc.tun;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;

/**
 * What was said of packets that come in fragments. The first one has the ports, so it alone can be judged; its verdict covers
 * those behind it (RFC 791 section 3.2, RFC 8200 section 4.5), which the host joins. One that reaches into the first could
 * change what was judged: with it the whole packet is refused from there on (RFC 5722, RFC 1858). Of one that comes before the
 * first nothing is known: it is judged as a packet without ports.
 *
 * <p>Limits: {@link #EACH} packets of a peer, the eldest gives way; {@link #PEERS_MAX} peers, the one unused for longest gives
 * way; {@link #LIFE_NS}.
 */
final class Fragments {
    static final int EACH = 64;
    static final int PEERS_MAX = 512;
    static final long LIFE_NS = 60_000_000_000L;

    private static final int LONGS = 7;
    private static final int TIME = 5;
    private static final int END = 6;
    /** In place of where the first fragment ends: none of this packet's is let in any more. */
    private static final long REFUSED = Long.MAX_VALUE;

    private static final class Ring {
        final long[] table = new long[EACH * LONGS];
        int next;
    }

    private final Map<Id, Ring> rings = new LinkedHashMap<>(16, 0.75f, true);
    private final long[] key = new long[TIME];
    private final Counter early;
    private final Counter overlapping;
    private final Counter evicted;

    Fragments(Counters counters) {
        early = counters.of("tun.in.fragments.early");
        overlapping = counters.of("tun.in.fragments.overlapping");
        evicted = counters.of("tun.in.fragments.evicted");
    }

    /** Notes what was said of a first fragment. */
    void judged(long nowNs, Id peer, Ip ip, boolean admitted) {
        aim(ip);
        Ring ring = rings.get(peer);
        if (ring == null) {
            if (rings.size() >= PEERS_MAX) {
                rings.remove(rings.keySet().iterator().next());
                evicted.add();
            }
            ring = new Ring();
            rings.put(peer, ring);
        }
        int at = find(ring);
        if (at < 0) {
            at = ring.next * LONGS;
            ring.next = (ring.next + 1) % EACH;
            if (isLive(nowNs, ring.table, at)) evicted.add();
        }
        System.arraycopy(key, 0, ring.table, at, TIME);
        ring.table[at + TIME] = nowNs + LIFE_NS;
        ring.table[at + END] = admitted ? ip.transportLength : REFUSED;
    }

    /** What was said of the packet of a fragment behind the first; of any other packet nothing. */
    Verdicts.Verdict of(long nowNs, Id peer, Ip ip) {
        if (!ip.fragment || ip.hasPorts) return Verdicts.Verdict.UNKNOWN;
        aim(ip);
        Ring ring = rings.get(peer);
        int at = ring == null ? -1 : find(ring);
        if (ring == null || at < 0 || !isLive(nowNs, ring.table, at)) {
            early.add();
            return Verdicts.Verdict.UNKNOWN;
        }
        if (ring.table[at + END] == REFUSED) return Verdicts.Verdict.DENIED;
        if (ip.fragmentOffset >= ring.table[at + END]) return Verdicts.Verdict.ALLOWED;
        overlapping.add();
        ring.table[at + END] = REFUSED;
        return Verdicts.Verdict.DENIED;
    }

    private static boolean isLive(long nowNs, long[] table, int at) {
        return table[at + 4] != 0 && nowNs - table[at + TIME] < 0;
    }

    private void aim(Ip ip) {
        key[0] = ip.fromHigh;
        key[1] = ip.fromLow;
        key[2] = ip.toHigh;
        key[3] = ip.toLow;
        // The protocol is a part of it with IPv4 alone: with IPv6 the first fragment may name another header than those
        // behind.
        long kind = ip.v4 ? 1L << 40 | (long) ip.protocol << 32 : 1L << 41;
        key[4] = kind | ip.fragmentId & 0xffffffffL; // never 0
    }

    private int find(Ring ring) {
        for (int at = 0; at < ring.table.length; at += LONGS) {
            if (ring.table[at + 4] == key[4] && Arrays.equals(ring.table, at, at + TIME, key, 0, TIME)) return at;
        }
        return -1;
    }
}
