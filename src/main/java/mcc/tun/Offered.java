package mcc.tun;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * Decides which packets may pass to and from the addresses of this host's endpoints: in, to the registered ports and from
 * peers that the policy allows; out, whatever the host sends from those ports; nothing else.
 *
 * <p>Limit: {@link Verdicts#MAX} verdicts of the policy; the caller limits the number of ports.
 */
public final class Offered {
    /**
     * Ports of an endpoint: one, or a range.
     *
     * @param udp whether they are UDP ports, else TCP
     * @param last inclusive
     */
    public record PortRange(boolean udp, int first, int last) {
        /** One port. */
        public PortRange(boolean udp, int port) {
            this(udp, port, port);
        }
    }

    /** What becomes of a packet of a peer. */
    public enum Answer {
        /** It is admitted. */
        ENTERS,
        /** It is dropped silently. */
        DENIED,
        /** It is dropped because the endpoint has no such port, and its sender, who may use the endpoint, is told. */
        CLOSED
    }

    /** Asks the policy. */
    @FunctionalInterface
    public interface Judge {
        /**
         * Until when a peer may use a port of an endpoint, on the clock of {@code nowNs}; {@code nowNs} or earlier if it may
         * not.
         */
        long untilNs(long nowNs, Id peer, InnerAddress endpoint, boolean udp, int port);
    }

    /** @param number another one each time the endpoint is added, so that no verdict of the policy outlives it */
    private record Opened(InnerAddress address, List<PortRange> ranges, long number) {
        /** By index, as an iterator would be garbage per packet. */
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

    /** Sorted by address. */
    private final List<Opened> all = new ArrayList<>();

    private final Verdicts verdicts;
    private final Fragments fragments;
    private final Ip quoted = new Ip();
    private final Judge judge;
    private final Counter denied;
    private long opened;

    /** @param seed random, for the table of verdicts */
    public Offered(Judge judge, long seed, Counters counters) {
        this(judge, new Fragments(counters), seed, counters);
    }

    /** @param fragments verdicts on fragmented packets, shared with {@link Gate} */
    Offered(Judge judge, Fragments fragments, long seed, Counters counters) {
        this.judge = judge;
        this.fragments = fragments;
        verdicts = new Verdicts(seed);
        denied = counters.of("tun.in.denied");
    }

    /** From now on an endpoint may be reached at its address, at these ports only. */
    public void add(InnerAddress address, List<PortRange> ranges) {
        remove(address);
        all.add(~place(address.high(), address.low()), new Opened(address, List.copyOf(ranges), ++opened));
    }

    /** Ends that. */
    public void remove(InnerAddress address) {
        int at = place(address.high(), address.low());
        if (at >= 0) all.remove(at);
    }

    /** The index of the endpoint with an address, or, inverted, the index where it would be. */
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

    /** Whether a packet's destination is an endpoint of this host. */
    public boolean isFor(Ip ip) {
        return opened(ip.toHigh, ip.toLow) != null;
    }

    /** Whether the host may send this packet from an endpoint's address; depends on the ports only. */
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

    /** Judges a packet to an endpoint's address whose source was found to be right. */
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
        // The policy first: a peer that may not use an endpoint must not learn which ports it has.
        if (!mayVisit(nowNs, peer, at, ip.protocol, ip.toPort)) return Answer.DENIED;
        return at.has(ip.protocol == Ip.UDP, ip.toPort) ? Answer.ENTERS : Answer.CLOSED;
    }

    /** Whether it is an error (RFC 4443 section 2.4c) about a packet from the endpoint to the error's sender. */
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

    /** Judges again under a new policy; returns how many accesses of peers to endpoints' ports it ended. */
    int judgeAgain(long nowNs) {
        return verdicts.again(nowNs, (peer, thing) -> {
            for (Opened each : all) {
                if (each.number != thing >>> 17) continue;
                return judge.untilNs(nowNs, peer, each.address, (thing & 1 << 16) != 0, (int) thing & 0xffff);
            }
            return nowNs; // removed since
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
