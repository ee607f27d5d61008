package mcc.tun;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * What may pass between this host and its peers. Out: what carries this node's address. In: what carries the peer's own address
 * and is sent to this node's, if it is an echo request, or answers what this host began, or a rule allows it.
 *
 * <p>Limits: {@link #FLOWS_MAX} flows; the one unused for longest gives way.
 */
public final class Gate {
    /** Flows remembered. */
    static final int FLOWS_MAX = 65_536;
    /** An unused TCP flow is forgotten after this time, any other after a fortieth of it. */
    static final long TCP_NS = 7_200_000_000_000L;

    static final long OTHER_NS = TCP_NS / 40;

    private static final int ECHO_REQUEST = 128;
    private static final int ECHO_REPLY = 129;
    private static final int ECHO_REQUEST4 = 8;
    private static final int ECHO_REPLY4 = 0;

    private record Flow(int protocol, int ours, int theirs, long high, long low) {}

    private final InnerAddress self;
    private final @Nullable InnerAddress self4;
    private final boolean all;
    private final List<Rule> rules;
    private final Map<Flow, Long> flows = new LinkedHashMap<>(64, 0.75f, true);
    private final Ip quoted = new Ip();
    private final Counters counters;
    private final Counter spoofed;
    private final Counter astray;
    private final Counter denied;

    /**
     * @param ipv4 whether this host has an IPv4 address too
     * @param all whether everything that is honest about its addresses may come in
     */
    public Gate(InnerAddress self, boolean ipv4, boolean all, List<Rule> rules, Counters counters) {
        this.self = self;
        self4 = ipv4 ? self.v4() : null;
        this.all = all;
        this.rules = List.copyOf(rules);
        this.counters = counters;
        spoofed = counters.of("tun.in.spoofed");
        astray = counters.of("tun.in.astray");
        denied = counters.of("tun.in.denied");
    }

    /** Whether the host may send this packet; the answers to it may then come in. */
    public boolean leaves(long nowNs, Ip ip, byte[] b) {
        InnerAddress own = ip.v4 ? self4 : self;
        if (own == null || !ip.isFrom(own)) return false;
        Flow flow = flow(ip, b, false);
        if (flow == null) return true;
        if (flows.put(flow, nowNs) == null && flows.size() > FLOWS_MAX) {
            flows.remove(flows.keySet().iterator().next());
            counters.add("tun.flows.evicted");
        }
        return true;
    }

    /**
     * Whether the host may receive this packet of a peer.
     *
     * @param from the peer's address on this host, of the packet's family
     */
    public boolean enters(long nowNs, Id peer, InnerAddress from, Ip ip, byte[] b) {
        if (!ip.isFrom(from)) {
            spoofed.add();
            return false;
        }
        InnerAddress own = ip.v4 ? self4 : self;
        if (own == null || !ip.isTo(own)) {
            astray.add();
            return false;
        }
        if (all || isExpected(nowNs, ip, b)) return true;
        for (Rule rule : rules) if (rule.allows(peer, ip)) return true;
        denied.add();
        return false;
    }

    private boolean isExpected(long nowNs, Ip ip, byte[] b) {
        if (isIcmp(ip) && ip.hasPorts) {
            int type = Octets.u8(b, ip.transport);
            if (type == (ip.v4 ? ECHO_REQUEST4 : ECHO_REQUEST)) return true;
            if (ip.v4 ? type == 3 || type == 11 || type == 12 : type < ECHO_REQUEST) return quotes(nowNs, ip, b);
            if (type != (ip.v4 ? ECHO_REPLY4 : ECHO_REPLY)) return false;
        }
        Flow flow = flow(ip, b, true);
        return flow != null && isLive(nowNs, flow);
    }

    private static boolean isIcmp(Ip ip) {
        return ip.protocol == (ip.v4 ? Ip.ICMP : Ip.ICMP6);
    }

    /** An error may come in when the packet it quotes is of a flow from here (RFC 4443 section 2.4c, RFC 792). */
    private boolean quotes(long nowNs, Ip ip, byte[] b) {
        InnerAddress own = ip.v4 ? self4 : self;
        if (!quoted.parseHead(b, ip.transport + 8, ip.transportLength - 8)) return false;
        if (quoted.v4 != ip.v4 || own == null || !quoted.isFrom(own)) return false;
        Flow flow = flow(quoted, b, false);
        return flow != null && isLive(nowNs, flow);
    }

    private boolean isLive(long nowNs, Flow flow) {
        Long used = flows.get(flow);
        if (used == null) return false;
        if (nowNs - used > (flow.protocol == Ip.TCP ? TCP_NS : OTHER_NS)) {
            flows.remove(flow);
            return false;
        }
        flows.put(flow, nowNs);
        return true;
    }

    private static @Nullable Flow flow(Ip ip, byte[] b, boolean inbound) {
        if (!ip.hasPorts) return null;
        long high = inbound ? ip.fromHigh : ip.toHigh;
        long low = inbound ? ip.fromLow : ip.toLow;
        if (isIcmp(ip)) {
            return new Flow(ip.protocol, Octets.u16(b, ip.transport + 4), 0, high, low); // an echo's identifier
        }
        return inbound
                ? new Flow(ip.protocol, ip.toPort, ip.fromPort, high, low)
                : new Flow(ip.protocol, ip.fromPort, ip.toPort, high, low);
    }
}
