package mcc.tun;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;

/**
 * Verdicts on packets that arrive in fragments. Only the first fragment has the ports and can be judged; its verdict holds for
 * the later ones (RFC 791 section 3.2, RFC 8200 section 4.5), which the host joins. A fragment that overlaps the first could
 * change what was judged, so from then on the whole packet is refused (RFC 5722, RFC 1858). A fragment that arrives before the
 * first is judged like a packet without ports.
 *
 * <p>Limits: {@link #EACH} packets per peer, the oldest is evicted; {@link #PEERS_MAX} peers, the least recently used is
 * evicted; {@link #LIFE_NS}.
 */
final class Fragments {
    static final int EACH = 64;
    static final int PEERS_MAX = 512;
    static final long LIFE_NS = 60_000_000_000L;

    private static final int LONGS = 7;
    private static final int TIME = 5;
    private static final int END = 6;
    /** Instead of the end of the first fragment: no fragment of this packet is admitted any more. */
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

    /** Notes the verdict on a first fragment. */
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

    /** The verdict that holds for a later fragment; UNKNOWN for any other packet. */
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
        // The protocol is part of the key for IPv4 only: with IPv6 the first fragment may name another header than
        // later ones.
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
