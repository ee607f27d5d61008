package mcc.tun;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of this host's endpoints, and what passes by them: to the port that was registered, from peers that the policy
 * admits; from that port, whatever the host answers; nothing else.
 *
 * <p>Limit: {@link Verdicts#MAX} answers of the policy; the doors are the caller's to limit.
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

    /** @param number of each time that it was opened another, so that no answer of the policy outlives it */
    private record Opened(InnerAddress address, Door door, long number) {}

    /** By address, to be found by its two halves. */
    private final List<Opened> doors = new ArrayList<>();

    private final Verdicts verdicts;
    private final Fragments fragments;
    private final Ip quoted = new Ip();
    private final Judge judge;
    private final Counter denied;
    private long opened;

    /** @param seed random, for the table of answers */
    public Offered(Judge judge, long seed, Counters counters) {
        this(judge, new Fragments(counters), seed, counters);
    }

    /** @param fragments what was said of packets in fragments, by another gate too */
    Offered(Judge judge, Fragments fragments, long seed, Counters counters) {
        this.judge = judge;
        this.fragments = fragments;
        verdicts = new Verdicts(seed);
        denied = counters.of("tun.in.denied");
    }

    /** An endpoint may be reached at its address from now on. */
    public void add(InnerAddress address, Door door) {
        remove(address);
        doors.add(~place(address.high(), address.low()), new Opened(address, door, ++opened));
    }

    /** It may no longer. */
    public void remove(InnerAddress address) {
        int at = place(address.high(), address.low());
        if (at >= 0) doors.remove(at);
    }

    /** Where the endpoint at an address is; where it would be, inverted, when there is none. */
    private int place(long high, long low) {
        int from = 0;
        int to = doors.size();
        while (from < to) {
            int mid = (from + to) >>> 1;
            InnerAddress address = doors.get(mid).address;
            if (address.high() == high && address.low() == low) return mid;
            boolean less = address.high() == high ? address.low() < low : address.high() < high;
            if (less) from = mid + 1;
            else to = mid;
        }
        return ~from;
    }

    private @Nullable Opened opened(long high, long low) {
        int at = place(high, low);
        return at < 0 ? null : doors.get(at);
    }

    /** Whether an endpoint has the address that a packet goes to. */
    public boolean isFor(Ip ip) {
        return opened(ip.toHigh, ip.toLow) != null;
    }

    /** Whether the host may send this packet, which comes from an endpoint's address: by its port alone. */
    public boolean leaves(Ip ip) {
        Opened at = opened(ip.fromHigh, ip.fromLow);
        if (at == null) return false;
        if (ip.protocol == Ip.ICMP6) return true;
        return ip.protocol == at.door.protocol() && (ip.hasPorts ? ip.fromPort == at.door.port : ip.fragment);
    }

    /** Whether the host may receive this packet, which goes to an endpoint's address and honestly comes from a peer. */
    public boolean enters(long nowNs, Id peer, Ip ip, byte[] b) {
        boolean admitted = switch (fragments.of(nowNs, peer, ip)) {
            case ALLOWED -> true;
            case DENIED -> false;
            case UNKNOWN -> judges(nowNs, peer, ip, b);
        };
        if (ip.fragment && ip.hasPorts) fragments.judged(nowNs, peer, ip, admitted);
        if (!admitted) denied.add();
        return admitted;
    }

    private boolean judges(long nowNs, Id peer, Ip ip, byte[] b) {
        Opened at = opened(ip.toHigh, ip.toLow);
        return at != null && isBy(at.door, ip, b) && mayVisit(nowNs, peer, at);
    }

    private boolean isBy(Door door, Ip ip, byte[] b) {
        if (ip.protocol == door.protocol()) return ip.hasPorts && ip.toPort == door.port;
        if (ip.protocol != Ip.ICMP6 || !ip.hasPorts || !Icmp.isError(false, Octets.u8(b, ip.transport))) return false;
        // An error (RFC 4443 section 2.4c) about what the endpoint sent to who sends it.
        return quoted.parseHead(b, ip.transport + 8, ip.transportLength - 8)
                && quoted.fromHigh == ip.toHigh
                && quoted.fromLow == ip.toLow
                && quoted.toHigh == ip.fromHigh
                && quoted.toLow == ip.fromLow
                && quoted.protocol == door.protocol()
                && quoted.fromPort == door.port;
    }

    /** A new epoch of the policy; returns how many that were let in to an endpoint are not any longer. */
    int judgeAgain(long nowNs) {
        return verdicts.again(nowNs, (peer, number) -> {
            for (Opened each : doors) if (each.number == number) return judge.untilNs(nowNs, peer, each.address);
            return nowNs; // closed since
        });
    }

    private boolean mayVisit(long nowNs, Id peer, Opened at) {
        return switch (verdicts.of(nowNs, peer, at.number)) {
            case ALLOWED -> true;
            case DENIED -> false;
            case UNKNOWN -> verdicts.learn(nowNs, judge.untilNs(nowNs, peer, at.address));
        };
    }
}
