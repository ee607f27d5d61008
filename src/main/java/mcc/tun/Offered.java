package mcc.tun;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of this host's endpoints, and what passes by them: to the ports that were registered, from peers that the
 * policy admits; from those ports, whatever the host answers; nothing else.
 *
 * <p>Limit: {@link Verdicts#MAX} answers of the policy; the ranges are the caller's to limit.
 */
public final class Offered {
    /**
     * Ports of an endpoint's address: one, or several that follow one another.
     *
     * @param udp whether of UDP, else of TCP
     * @param last itself included
     */
    public record PortRange(boolean udp, int first, int last) {
        /** One port. */
        public PortRange(boolean udp, int port) {
            this(udp, port, port);
        }
    }

    /** What becomes of a packet of a peer's. */
    public enum Answer {
        /** It comes in. */
        ENTERS,
        /** It does not, and its sender learns nothing. */
        DENIED,
        /** It does not, because the endpoint has no such port: its sender, who might use that, is to be told. */
        CLOSED
    }

    /** Asks the policy. */
    @FunctionalInterface
    public interface Judge {
        /** Until when a peer may use a port of an endpoint, on the clock of {@code nowNs}; no later when it may not. */
        long untilNs(long nowNs, Id peer, InnerAddress endpoint, boolean udp, int port);
    }

    /** @param number of each time that it was opened another, so that no answer of the policy outlives it */
    private record Opened(InnerAddress address, List<PortRange> ranges, long number) {
        /** By index, as an iterator would be garbage with each packet. */
        boolean has(boolean udp, int port) {
            for (int i = 0; i < ranges.size(); i++) {
                PortRange range = ranges.get(i);
                if (range.udp == udp && range.first <= port && port <= range.last) return true;
            }
            return false;
        }

        boolean speaks(boolean udp) {
            for (int i = 0; i < ranges.size(); i++) if (ranges.get(i).udp == udp) return true;
            return false;
        }
    }

    /** By address, to be found by its two halves. */
    private final List<Opened> all = new ArrayList<>();

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

    /** An endpoint may be reached at its address from now on, at these ports alone. */
    public void add(InnerAddress address, List<PortRange> ranges) {
        remove(address);
        all.add(~place(address.high(), address.low()), new Opened(address, List.copyOf(ranges), ++opened));
    }

    /** It may no longer. */
    public void remove(InnerAddress address) {
        int at = place(address.high(), address.low());
        if (at >= 0) all.remove(at);
    }

    /** Where the endpoint at an address is; where it would be, inverted, when there is none. */
    private int place(long high, long low) {
        int from = 0;
        int to = all.size();
        while (from < to) {
            int mid = (from + to) >>> 1;
            InnerAddress address = all.get(mid).address;
            if (address.high() == high && address.low() == low) return mid;
            boolean less = address.high() == high ? address.low() < low : address.high() < high;
            if (less) from = mid + 1;
            else to = mid;
        }
        return ~from;
    }

    private @Nullable Opened opened(long high, long low) {
        int at = place(high, low);
        return at < 0 ? null : all.get(at);
    }

    /** Whether an endpoint has the address that a packet goes to. */
    public boolean isFor(Ip ip) {
        return opened(ip.toHigh, ip.toLow) != null;
    }

    /** Whether the host may send this packet, which comes from an endpoint's address: by its ports alone. */
    public boolean leaves(Ip ip) {
        Opened at = opened(ip.fromHigh, ip.fromLow);
        if (at == null) return false;
        if (ip.protocol == Ip.ICMP6) return true;
        if (!isPorted(ip)) return false;
        boolean udp = ip.protocol == Ip.UDP;
        return ip.hasPorts ? at.has(udp, ip.fromPort) : ip.fragment && at.speaks(udp);
    }

    private static boolean isPorted(Ip ip) {
        return ip.protocol == Ip.TCP || ip.protocol == Ip.UDP;
    }

    /** What becomes of this packet, which goes to an endpoint's address and honestly comes from a peer. */
    public Answer enters(long nowNs, Id peer, Ip ip, byte[] b) {
        Answer answer = switch (fragments.of(nowNs, peer, ip)) {
            case ALLOWED -> Answer.ENTERS;
            case DENIED -> Answer.DENIED;
            case UNKNOWN -> judges(nowNs, peer, ip, b);
        };
        if (ip.fragment && ip.hasPorts) fragments.judged(nowNs, peer, ip, answer == Answer.ENTERS);
        if (answer == Answer.DENIED) denied.add();
        return answer;
    }

    private Answer judges(long nowNs, Id peer, Ip ip, byte[] b) {
        Opened at = opened(ip.toHigh, ip.toLow);
        if (at == null || !ip.hasPorts) return Answer.DENIED;
        if (!isPorted(ip)) {
            boolean known = isErrorOf(at, ip, b) && mayVisit(nowNs, peer, at, quoted.protocol, quoted.fromPort);
            return known ? Answer.ENTERS : Answer.DENIED;
        }
        // The policy first: who may not use an endpoint does not learn which ports it has.
        if (!mayVisit(nowNs, peer, at, ip.protocol, ip.toPort)) return Answer.DENIED;
        return at.has(ip.protocol == Ip.UDP, ip.toPort) ? Answer.ENTERS : Answer.CLOSED;
    }

    /** Whether it is an error (RFC 4443 section 2.4c) about what the endpoint sent to who sends it. */
    private boolean isErrorOf(Opened at, Ip ip, byte[] b) {
        if (ip.protocol != Ip.ICMP6 || !Icmp.isError(false, Octets.u8(b, ip.transport))) return false;
        return quoted.parseHead(b, ip.transport + 8, ip.transportLength - 8)
                && quoted.fromHigh == ip.toHigh
                && quoted.fromLow == ip.toLow
                && quoted.toHigh == ip.fromHigh
                && quoted.toLow == ip.fromLow
                && isPorted(quoted)
                && at.has(quoted.protocol == Ip.UDP, quoted.fromPort);
    }

    /** A new epoch of the policy; returns how many that were let in to a port of an endpoint are not any longer. */
    int judgeAgain(long nowNs) {
        return verdicts.again(nowNs, (peer, thing) -> {
            for (Opened each : all) {
                if (each.number != thing >>> 17) continue;
                return judge.untilNs(nowNs, peer, each.address, (thing & 1 << 16) != 0, (int) thing & 0xffff);
            }
            return nowNs; // closed since
        });
    }

    private boolean mayVisit(long nowNs, Id peer, Opened at, int protocol, int port) {
        boolean udp = protocol == Ip.UDP;
        return switch (verdicts.of(nowNs, peer, at.number << 17 | (udp ? 1L << 16 : 0) | port)) {
            case ALLOWED -> true;
            case DENIED -> false;
            case UNKNOWN -> verdicts.learn(nowNs, judge.untilNs(nowNs, peer, at.address, udp, port));
        };
    }
}
