package mcc.tun;

import java.util.List;
import java.util.Objects;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * Decides which packets may pass between this host and its peers. Outbound: those with this node's address as source. Inbound:
 * those from the peer's own address to this node's, if they are echo requests, answers to what this host began, or allowed by
 * the policy. Addresses behind a node ({@link Subnet}) count like its own.
 *
 * <p>The table of flows records which end began each. A flow that the policy admitted stays the peer's even when this host
 * answers, so it ends when the policy changes its mind.
 *
 * <p>Limits: {@link #FLOWS_MAX} flows, {@link Verdicts#MAX} verdicts of the policy.
 */
public final class Gate {
    /** Asks the policy. */
    @FunctionalInterface
    public interface Judge {
        /**
         * Until when a peer may reach a port of this host, on the clock of {@code nowNs}; {@code nowNs} or earlier if it may
         * not.
         *
         * @param protocol the IP protocol number; 0, with port 0, for protocols without ports
         */
        long untilNs(long nowNs, Id peer, int protocol, int port);
    }

    /** Flows remembered. */
    static final int FLOWS_MAX = 65_536;
    /** After this time an unused TCP flow is forgotten. */
    static final long TCP_NS = 7_200_000_000_000L;
    /** The default for other flows (RFC 4787 section 4.3: two minutes at least). */
    static final long OTHER_NS = 120_000_000_000L;

    private static final int ECHO_REQUEST = 128;
    private static final int ECHO_REPLY = 129;
    private static final int ECHO_REQUEST4 = 8;
    private static final int ECHO_REPLY4 = 0;

    private final InnerAddress self;
    private final @Nullable InnerAddress self4;
    private final Judge judge;
    private final long otherNs;
    private final Verdicts verdicts;
    private final List<Subnet> subnets;
    private final FlowTable flows;
    private final Fragments fragments;
    private final Ip quoted = new Ip();
    private final Counter evicted;
    private final Counter spoofed;
    private final Counter astray;
    private final Counter denied;

    /**
     * @param ipv4 whether this host has an IPv4 address too
     * @param judge decides what peers may begin
     * @param subnets the networks behind this node and behind others
     * @param seed random, for the tables
     */
    public Gate(InnerAddress self, boolean ipv4, Judge judge, List<Subnet> subnets, long seed, Counters counters) {
        this(self, ipv4, judge, subnets, OTHER_NS, new Fragments(counters), seed, counters);
    }

    /**
     * @param otherNs after this time an unused flow is forgotten that is not TCP
     * @param fragments verdicts on fragmented packets, shared with {@link Offered}
     */
    Gate(
            InnerAddress self,
            boolean ipv4,
            Judge judge,
            List<Subnet> subnets,
            long otherNs,
            Fragments fragments,
            long seed,
            Counters counters) {
        this.self = self;
        self4 = ipv4 ? self.v4() : null;
        this.judge = judge;
        this.otherNs = otherNs;
        this.fragments = fragments;
        this.subnets = subnets.stream().sorted(Subnet.LONGEST_FIRST).toList();
        flows = new FlowTable(FLOWS_MAX, seed);
        verdicts = new Verdicts(seed);
        evicted = counters.of("tun.flows.evicted");
        spoofed = counters.of("tun.in.spoofed");
        astray = counters.of("tun.in.astray");
        denied = counters.of("tun.in.denied");
    }

    /** Whether the host may send this packet; the answers to it may then come in. */
    public boolean leaves(long nowNs, Ip ip, byte[] b) {
        if (!isOurs(ip.v4, ip.fromHigh, ip.fromLow)) return false;
        // Answers to peers' echo requests begin no flow, else each of them would take a place in the table.
        if (!isIcmp(ip) || isEchoRequest(ip, b)) note(nowNs, ip, b, false);
        return true;
    }

    private void note(long nowNs, Ip ip, byte[] b, boolean inbound) {
        if (aim(ip, b, inbound) && flows.note(nowNs, lifeNs(ip.protocol), inbound)) evicted.add();
    }

    /** Whether an address is this host's or behind it. */
    private boolean isOurs(boolean v4, long high, long low) {
        InnerAddress own = v4 ? self4 : self;
        return own != null && high == own.high() && low == own.low() || isBehind(null, high, low);
    }

    /**
     * Whether an address is behind a node; null is this one. The longest prefix decides, and no address of a node is behind
     * another.
     */
    private boolean isBehind(@Nullable Id node, long high, long low) {
        if (self.isNeighbour(high, low)) return false;
        for (Subnet subnet : subnets) {
            if (subnet.has(high, low)) return Objects.equals(subnet.node(), node);
        }
        return false;
    }

    private long lifeNs(int protocol) {
        return protocol == Ip.TCP ? TCP_NS : otherNs;
    }

    /**
     * Whether the host may receive this packet of a peer.
     *
     * @param from the peer's address on this host, of the packet's family
     */
    public boolean enters(long nowNs, Id peer, InnerAddress from, Ip ip, byte[] b) {
        if (!ip.isFrom(from) && !isBehind(peer, ip.fromHigh, ip.fromLow)) {
            spoofed.add();
            return false;
        }
        if (!isOurs(ip.v4, ip.toHigh, ip.toLow)) {
            astray.add();
            return false;
        }
        boolean admitted = switch (fragments.of(nowNs, peer, ip)) {
            case ALLOWED -> true;
            case DENIED -> false;
            case UNKNOWN -> judges(nowNs, peer, from, ip, b);
        };
        if (ip.fragment && ip.hasPorts) fragments.judged(nowNs, peer, ip, admitted);
        if (!admitted) denied.add();
        return admitted;
    }

    private boolean judges(long nowNs, Id peer, InnerAddress from, Ip ip, byte[] b) {
        if (isExpected(nowNs, peer, from, ip, b)) return true;
        if (!isGranted(nowNs, peer, ip)) return false;
        note(nowNs, ip, b, true);
        return true;
    }

    private boolean isGranted(long nowNs, Id peer, Ip ip) {
        boolean ported = ip.hasPorts && !isIcmp(ip);
        int protocol = ported ? ip.protocol : 0;
        int port = ported ? ip.toPort : 0;
        return switch (verdicts.of(nowNs, peer, 1L << 32 | protocol << 16 | port)) {
            case ALLOWED -> true;
            case DENIED -> false;
            case UNKNOWN -> verdicts.learn(nowNs, judge.untilNs(nowNs, peer, protocol, port));
        };
    }

    /** Judges again under a new policy; returns how many accesses of peers to ports it ended. */
    int judgeAgain(long nowNs) {
        return verdicts.again(
                nowNs, (peer, thing) -> judge.untilNs(nowNs, peer, (int) (thing >>> 16) & 0xff, (int) thing & 0xffff));
    }

    private boolean isExpected(long nowNs, Id peer, InnerAddress from, Ip ip, byte[] b) {
        if (isIcmp(ip) && ip.hasPorts) {
            if (isEchoRequest(ip, b)) return true;
            int type = Octets.u8(b, ip.transport);
            if (Icmp.isError(ip.v4, type)) return quotes(nowNs, ip, b) && isOf(peer, from);
            if (type != (ip.v4 ? ECHO_REPLY4 : ECHO_REPLY)) return false;
        }
        return isLive(nowNs, ip, b, true);
    }

    private static boolean isEchoRequest(Ip ip, byte[] b) {
        return isIcmp(ip) && ip.hasPorts && Octets.u8(b, ip.transport) == (ip.v4 ? ECHO_REQUEST4 : ECHO_REQUEST);
    }

    /** Whether the quoted packet went to this peer: an error may only concern a flow with its sender. */
    private boolean isOf(Id peer, InnerAddress from) {
        return quoted.isTo(from) || isBehind(peer, quoted.toHigh, quoted.toLow);
    }

    private static boolean isIcmp(Ip ip) {
        return ip.protocol == (ip.v4 ? Ip.ICMP : Ip.ICMP6);
    }

    /** An error may come in if it quotes a packet that this host sent in a flow in use (RFC 4443 section 2.4c, RFC 792). */
    private boolean quotes(long nowNs, Ip ip, byte[] b) {
        if (!quoted.parseHead(b, ip.transport + 8, ip.transportLength - 8)) return false;
        if (quoted.v4 != ip.v4 || !isOurs(quoted.v4, quoted.fromHigh, quoted.fromLow)) return false;
        return isLive(nowNs, quoted, b, false);
    }

    /** Whether a packet belongs to a flow in use; an inbound one only to a flow that this host began. */
    private boolean isLive(long nowNs, Ip ip, byte[] b, boolean inbound) {
        return aim(ip, b, inbound) && flows.use(nowNs, lifeNs(ip.protocol), !inbound);
    }

    /** Selects the packet's flow in the table; false when it has none. */
    private boolean aim(Ip ip, byte[] b, boolean inbound) {
        if (!ip.hasPorts) return false;
        int echo = isIcmp(ip) ? Octets.u16(b, ip.transport + 4) : 0; // the identifier
        int from = isIcmp(ip) ? echo : ip.fromPort;
        int to = isIcmp(ip) ? echo : ip.toPort;
        if (inbound) flows.aim(ip.toHigh, ip.toLow, ip.fromHigh, ip.fromLow, ip.protocol, to, from);
        else flows.aim(ip.fromHigh, ip.fromLow, ip.toHigh, ip.toLow, ip.protocol, from, to);
        return true;
    }
}
