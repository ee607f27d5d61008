package mcc.tun;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of this host's endpoints, and what passes by them: to the port that was registered, from peers that the policy
 * admits; from that port, whatever the host answers; nothing else.
 *
 * <p>Limits: {@link #VISITS_MAX} answers of the policy are remembered, the one unused for longest gives way.
 */
public final class Offered {
    /**
     * The one port of an endpoint's address.
     *
     * @param udp whether of UDP, else of TCP
     */
    public record Door(boolean udp, int port) {
        int protocol() {
            return udp ? Ip.UDP : Ip.TCP;
        }
    }

    /** Asks the policy. */
    @FunctionalInterface
    public interface Judge {
        /** Until when a peer may use an endpoint, on the clock of {@code nowNs}; not later than that when it may not. */
        long untilNs(long nowNs, Id peer, InnerAddress endpoint);
    }

    static final int VISITS_MAX = 8_192;
    /** The policy is asked again after this time, whatever it said. */
    static final long LOOK_AGAIN_NS = 10_000_000_000L;

    private record Visit(Id peer, InnerAddress endpoint) {}

    private record Verdict(boolean isAllowed, long untilNs) {}

    private final Map<InnerAddress, Door> doors = new HashMap<>();
    private final Map<Visit, Verdict> visits = new LinkedHashMap<>(64, 0.75f, true);
    private final Ip quoted = new Ip();
    private final Judge judge;
    private final Counter denied;

    public Offered(Judge judge, Counters counters) {
        this.judge = judge;
        denied = counters.of("tun.in.denied");
    }

    /** An endpoint may be reached at its address from now on. */
    public void add(InnerAddress address, Door door) {
        doors.put(address, door);
    }

    /** It may no longer. */
    public void remove(InnerAddress address) {
        doors.remove(address);
        visits.keySet().removeIf(visit -> visit.endpoint.equals(address));
    }

    /** The endpoint at an address; null where there is none. */
    public @Nullable Door door(InnerAddress address) {
        return doors.isEmpty() ? null : doors.get(address);
    }

    /** Whether the host may send this packet, which comes from an endpoint's address: by its port alone. */
    public boolean leaves(Ip ip) {
        Door door = door(ip.from());
        if (door == null) return false;
        if (ip.protocol == Ip.ICMP6) return true;
        return ip.protocol == door.protocol() && (ip.hasPorts ? ip.fromPort == door.port : ip.fragment);
    }

    /** Whether the host may receive this packet, which goes to an endpoint's address and honestly comes from a peer. */
    public boolean enters(long nowNs, Id peer, Ip ip, byte[] b) {
        InnerAddress to = ip.to();
        Door door = door(to);
        if (door != null && isFor(door, to, ip, b) && mayVisit(nowNs, peer, to)) return true;
        denied.add();
        return false;
    }

    private boolean isFor(Door door, InnerAddress to, Ip ip, byte[] b) {
        if (ip.protocol == door.protocol()) return ip.hasPorts && ip.toPort == door.port;
        if (ip.protocol != Ip.ICMP6 || !ip.hasPorts || Octets.u8(b, ip.transport) >= 128) return false;
        // An error (RFC 4443 section 2.4c) about what the endpoint sent.
        return quoted.parseHead(b, ip.transport + 8, ip.transportLength - 8)
                && quoted.isFrom(to)
                && quoted.protocol == door.protocol()
                && quoted.fromPort == door.port;
    }

    private boolean mayVisit(long nowNs, Id peer, InnerAddress endpoint) {
        Visit visit = new Visit(peer, endpoint);
        Verdict known = visits.get(visit);
        if (known == null || nowNs >= known.untilNs) {
            long untilNs = judge.untilNs(nowNs, peer, endpoint);
            boolean allowed = untilNs > nowNs;
            long again = nowNs + LOOK_AGAIN_NS;
            known = new Verdict(allowed, allowed ? Math.min(untilNs, again) : again);
            visits.put(visit, known);
            if (visits.size() > VISITS_MAX)
                visits.remove(visits.keySet().iterator().next());
        }
        return known.isAllowed;
    }
}
