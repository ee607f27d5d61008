package mcc.nat;

import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Outside;
import org.jspecify.annotations.Nullable;

/**
 * Counts which addresses peers see this node at, and reports the addresses worth announcing whenever they change.
 *
 * <p>Anybody can have many keys, but few have addresses in many networks. So an observation is weighed first by the number of
 * networks that report it, where each network has one voice for what most of its peers see, and only then by the number of
 * peers. Peers with a local address have a voice each, but none about public addresses, as they do not see this node from
 * outside. Peers on this machine or in its networks have no voice: no NAT is between them and this node.
 *
 * <p>{@link Mappings} says what these reports tell of the NAT, {@link Filter} finds out by dial-backs what it lets in,
 * {@link Dialler} sends dial-backs for others, {@link PortCheck} tries a port that the router mapped. From all of it follows the
 * verdict, whether anybody reaches this node.
 */
public final class Nat implements Core<Nat.Input, Nat.Output> {
    /** Observers remembered; beyond that the oldest of the network with most observers is forgotten. */
    static final int VOTES_MAX = 256;
    /** How long a vote counts unless its peer renews it: an idle session is renewed every hour, and its vote with it. */
    static final long VOTE_NS = 4_200_000_000_000L;
    /** Peers that must see an address before it is announced. */
    static final int WITNESSES = 2;
    /** Addresses that are announced only because peers see them, at most. */
    static final int OBSERVED_MAX = 2;
    /** Shortest time between two changes, unless the host's own addresses change: each change is published widely. */
    static final long SETTLE_NS = 5_000_000_000L;
    /** Observations of one peer per second, and at once after a pause. */
    static final int SAYS_PER_SECOND = 1;

    static final int SAYS_AT_ONCE = 30;
    /** The end of the links: no ephemeral one. */
    static final int MAIN = 0;
    /** Peers that may help with checks. */
    static final int UP_MAX = 512;
    /** After so long without an answer to anything, UDP counts as blocked. */
    static final long BLOCKED_NS = 30_000_000_000L;
    /** How long a stranger's first contact proves that strangers get in. */
    static final long STRANGER_NS = 600_000_000_000L;

    /** Inputs. */
    public sealed interface Input {
        /** The addresses on which this host listens, best first. */
        record Local(List<Address> addresses) implements Input {}

        /**
         * A peer reported the address at which it sees this node.
         *
         * @param at the peer's own address
         * @param local the local end that the peer talks to
         * @param sinceNs when this node first sent to the peer's IP address
         */
        record Observed(Id by, Address at, Address self, int local, long sinceNs) implements Input {}

        /** The link to a peer is up. */
        record Up(Id node, Address at) implements Input {}

        /** The link to a peer is down. */
        record Down(Id node) implements Input {}

        /** Nobody answered where this node called. */
        record Silent() implements Input {}

        /** The links were started again: all are down, and all ends are closed. */
        record LinksStarted() implements Input {}

        /** A peer at an IP address to which nothing was sent lately made first contact. */
        record Unsolicited(Address from) implements Input {}

        /** An ephemeral end was opened, and is bound to {@code local}. */
        record Opened(long ticket, int end, Address local) implements Input {}

        /** An ephemeral end could not be opened. */
        record NotOpened(long ticket) implements Input {}

        /** A peer sees what {@code end} sent at the address {@code self}. */
        record Echoed(Id by, int end, long nonce, Address self) implements Input {}

        /** A dial-back of a peer came from {@code from} to {@code end}. */
        record DialledBack(Id by, Address from, int end, long nonce) implements Input {}

        /** A peer, seen at {@code at}, asks for a dial-back. */
        record Asked(Id from, Address at, long call, Message.DialBack request) implements Input {}

        /** The answer to {@link Output.Ask}. */
        record Answered(Id from, long call, Message.Dialed result) implements Input {}

        /** Somebody wants what the NAT lets in measured now. */
        record Check() implements Input {}

        /** The router says that it maps a port of its address to this node; null: none any longer. */
        record Mapped(@Nullable Address external) implements Input {}

        /** A core that uses the addresses was started again: report them again. */
        record Tell() implements Input {}

        /** Time has passed. */
        record Tick() implements Input {}
    }

    /** What peers found out about a mapped port. */
    public enum Port {
        /** One of them came through. */
        WORKS,
        /** None did lately, as there was nobody to send anything. */
        UNPROVED,
        /** Several sent to it, and nothing came. */
        DEAD,
        /** They see this node at other IP addresses. */
        ELSEWHERE
    }

    /** Outputs. */
    public sealed interface Output {
        /** From now on announce these addresses, best first. */
        record SelfAddresses(List<Address> addresses) implements Output {}

        /** Open an ephemeral end. Answered by {@link Input.Opened} or {@link Input.NotOpened}. */
        record OpenEnd(long ticket, boolean v4) implements Output {}

        /** Close an ephemeral end. */
        record CloseEnd(int end) implements Output {}

        /** Ask a peer by a datagram from that end where it sees it. */
        record Echo(Id to, int end, Address at, long nonce) implements Output {}

        /** Send what a peer asked for, from that end or from {@link #MAIN}. */
        record DialBack(Id to, int end, Address at, long nonce) implements Output {}

        /** Ask a peer over its link. */
        record Ask(Contact to, long call, Message request) implements Output {}

        /** Answer a peer. */
        record Reply(Id to, long call, Message answer) implements Output {}

        /**
         * Told whenever it changes, and again to whoever was started again: how the IPv4 NAT gives out ports.
         *
         * @param step from one port to the next, where they are given out one after the other
         */
        record Behind(Outside outside, int step) implements Output {}

        /**
         * Told whenever it changes, and again to whoever was started again: strangers do not reach this node, or that is known no
         * longer.
         */
        record Leaf(boolean leaf) implements Output {}

        /** What became of {@link Input.Mapped}. */
        record PortFound(Address external, Port found) implements Output {}

        /** Told whenever it changes, and again to whoever was started again: whether anybody reaches this node, by family. */
        record Verdict(Reachability v4, Reachability v6) implements Output {
            /** Whether anybody reaches this node: by one family is enough. */
            public Reachability reachable() {
                if (v4 == Reachability.YES || v6 == Reachability.YES) return Reachability.YES;
                return v4 == Reachability.NO || v6 == Reachability.NO ? Reachability.NO : Reachability.UNKNOWN;
            }
        }
    }

    private final Counters counters;
    private final Votes votes;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private List<Address> told = List.of();
    private long settledNs = Long.MIN_VALUE;
    private boolean unsettled;

    /** The peers whose link is up, in the order in which they came. */
    private final Map<Id, Address> up = new LinkedHashMap<>();

    private final Filter filter4;
    private final Filter filter6;
    private final Dialler dialler;
    private final PortCheck port;
    private final long[] strangerNs = {Long.MIN_VALUE, Long.MIN_VALUE};
    /** Since when nobody answers, though this node calls. */
    private long silentNs = NEVER;

    private boolean heardAny;
    private long tickets;
    private Votes.Seen seen4 = Votes.Seen.NOTHING;
    private Votes.Seen seen6 = Votes.Seen.NOTHING;
    private Output.Verdict verdict = new Output.Verdict(Reachability.UNKNOWN, Reachability.UNKNOWN);
    private long verdictNs = NEVER;
    private Output.Behind behind = new Output.Behind(Outside.UNKNOWN, 0);

    public Nat(Rng rng, Counters counters) {
        this.counters = counters;
        votes = new Votes(counters);
        filter4 = new Filter(true, rng.split(), counters, () -> ++tickets, outputs::add);
        filter6 = new Filter(false, rng.split(), counters, () -> ++tickets, outputs::add);
        dialler = new Dialler(counters, outputs::add);
        port = new PortCheck(rng.split(), counters, outputs::add);
    }

    @Override
    public void handle(long nowNs, Input input) {
        boolean ownChanged = take(nowNs, input);
        votes.forgetOld(nowNs);
        dialler.tick(nowNs);
        filter4.tick(nowNs);
        filter6.tick(nowNs);
        port.tick(nowNs);
        List<Address> next = votes.addresses(port.proved());
        unsettled = !next.equals(told) && nowNs < settledNs && !ownChanged;
        boolean changed = !unsettled && !next.equals(told);
        if (changed && !ownChanged) settledNs = nowNs + SETTLE_NS;
        if (changed) told = next;
        if (changed || ownChanged) {
            filter4.renew(nowNs, ownChanged);
            filter6.renew(nowNs, ownChanged);
        }
        boolean again = input instanceof Input.Tell && !told.isEmpty();
        if (changed || again) outputs.add(new Output.SelfAddresses(told));
        judge(nowNs, input instanceof Input.Tell);
        Output.Behind now = seen4.behind();
        if (!now.equals(behind) || input instanceof Input.Tell && !now.outside().equals(Outside.UNKNOWN))
            outputs.add(now);
        behind = now;
    }

    /** Returns whether the host has other addresses now. */
    private boolean take(long nowNs, Input input) {
        switch (input) {
            case Input.Local l -> {
                boolean changed = votes.own(l.addresses());
                survey(nowNs);
                return changed;
            }
            case Input.Observed o -> {
                heard();
                votes.take(nowNs, o);
                survey(nowNs);
            }
            case Input.Up u -> up(nowNs, u);
            case Input.Down d -> {
                up.remove(d.node());
                survey(nowNs);
            }
            case Input.Silent _ -> {
                if (silentNs == NEVER && up.isEmpty()) silentNs = nowNs;
            }
            case Input.LinksStarted _ -> {
                up.clear();
                filter4.reset(nowNs);
                filter6.reset(nowNs);
                dialler.reset();
                port.reset(nowNs);
                survey(nowNs);
            }
            case Input.Unsolicited u -> {
                if (u.from().isLocal() || votes.isNeighbour(u.from())) break;
                strangerNs[u.from().isV4() ? 0 : 1] = nowNs;
                filter(u.from().isV4()).provedByStranger(nowNs);
            }
            case Input.Opened o -> {
                boolean taken = dialler.opened(nowNs, o.ticket(), o.end())
                        || filter4.opened(nowNs, o.ticket(), o.end(), o.local())
                        || filter6.opened(nowNs, o.ticket(), o.end(), o.local());
                if (!taken) outputs.add(new Output.CloseEnd(o.end()));
            }
            case Input.NotOpened o -> {
                dialler.notOpened(o.ticket());
                filter4.notOpened(nowNs, o.ticket());
                filter6.notOpened(nowNs, o.ticket());
            }
            case Input.Echoed e -> {
                filter(e.self().isV4()).echoed(nowNs, e.by(), e.end(), e.nonce(), e.self());
                survey(nowNs); // it tells whether the NAT preserves ports
            }
            case Input.DialledBack d -> {
                if (port.dialledBack(nowNs, d.by(), d.from(), d.nonce(), provesPort())) break;
                filter(d.from().isV4()).dialledBack(nowNs, d.by(), d.from(), d.end(), d.nonce());
            }
            case Input.Asked a -> dialler.asked(nowNs, a.from(), a.at(), a.call(), a.request(), ++tickets);
            case Input.Answered a -> {
                filter4.answered(nowNs, a.from(), a.call(), a.result());
                filter6.answered(nowNs, a.from(), a.call(), a.result());
                port.answered(a.from(), a.call(), a.result());
            }
            case Input.Mapped m -> {
                port.mapped(nowNs, m.external());
                survey(nowNs);
            }
            case Input.Check _ -> {
                filter4.check(nowNs);
                filter6.check(nowNs);
            }
            case Input.Tell _, Input.Tick _ -> {}
        }
        return false;
    }

    private void up(long nowNs, Input.Up u) {
        if (!u.at().isUnicast()) return; // only a relay or a carrier reaches it: that says nothing of UDP
        heard();
        up.remove(u.node());
        if (up.size() >= UP_MAX) {
            counters.add("nat.peers.evicted");
            up.remove(up.keySet().iterator().next());
        }
        up.put(u.node(), u.at());
        survey(nowNs);
    }

    /** Whether what comes to the mapped port from a new port of a known IP address must have come through the mapping. */
    private boolean provesPort() {
        return switch (filter4.filtering()) {
            case ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT -> true;
            case UNKNOWN, ADDRESS_DEPENDENT -> !votes.names(port.mapped());
        };
    }

    private void heard() {
        heardAny = true;
        silentNs = NEVER;
    }

    private Filter filter(boolean v4) {
        return v4 ? filter4 : filter6;
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        long next = Math.min(unsettled ? settledNs : NEVER, Math.min(filter4.deadlineNs(), filter6.deadlineNs()));
        next = Math.min(next, Math.min(dialler.deadlineNs(), Math.min(port.deadlineNs(), verdictNs)));
        return Math.min(next, votes.deadlineNs());
    }

    /** What is known now. */
    public NatReport report(long nowNs) {
        return new NatReport(udp(nowNs), side(nowNs, true), side(nowNs, false), told, votes.all(nowNs));
    }

    private NatReport.Side side(long nowNs, boolean v4) {
        Votes.Seen seen = v4 ? seen4 : seen6;
        Filter filter = filter(v4);
        long checkedNs = filter.checkedNs();
        return new NatReport.Side(
                seen.mapping(),
                seen.ports(),
                seen.address(),
                seen.voices(),
                seen.pool(),
                filter.filtering(),
                reachability(nowNs, v4),
                checkedNs == Long.MIN_VALUE ? -1 : Math.max(0, nowNs - checkedNs) / 1_000_000,
                filter.isRunning(),
                filter.helpers());
    }

    // ---- the verdict ------------------------------------------------------------------------------------------------

    private NatReport.Udp udp(long nowNs) {
        if (silentNs != NEVER && nowNs - silentNs >= BLOCKED_NS && up.isEmpty()) return NatReport.Udp.BLOCKED;
        return heardAny && silentNs == NEVER ? NatReport.Udp.OK : NatReport.Udp.UNKNOWN;
    }

    private Reachability reachability(long nowNs, boolean v4) {
        if (udp(nowNs) == NatReport.Udp.BLOCKED) return Reachability.NO;
        if (v4 && port.proved() != null) return Reachability.YES;
        NatReport.Mapping mapping = (v4 ? seen4 : seen6).mapping();
        switch (mapping) {
            case UNKNOWN, NONE, ENDPOINT_INDEPENDENT -> {}
            // Nobody knows at which of its addresses it is reached, though a stranger may have heard of one of them.
            case ENDPOINT_DEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT -> {
                return Reachability.NO;
            }
        }
        long stranger = strangerNs[v4 ? 0 : 1];
        if (stranger != Long.MIN_VALUE && nowNs - stranger < STRANGER_NS) return Reachability.YES;
        return switch (filter(v4).filtering()) {
            case UNKNOWN -> Reachability.UNKNOWN;
            case ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT -> Reachability.NO;
            case ENDPOINT_INDEPENDENT -> mapping == NatReport.Mapping.UNKNOWN ? Reachability.UNKNOWN : Reachability.YES;
        };
    }

    private void judge(long nowNs, boolean again) {
        Output.Verdict now = new Output.Verdict(reachability(nowNs, true), reachability(nowNs, false));
        boolean known = now.v4() != Reachability.UNKNOWN || now.v6() != Reachability.UNKNOWN;
        if (!now.equals(verdict) || again && known) outputs.add(now);
        boolean leaf = now.reachable() == Reachability.NO;
        if (leaf != (verdict.reachable() == Reachability.NO) || again && leaf) outputs.add(new Output.Leaf(leaf));
        verdict = now;
        verdictNs = NEVER;
        if (silentNs != NEVER && nowNs - silentNs < BLOCKED_NS) verdictNs = silentNs + BLOCKED_NS;
        for (long stranger : strangerNs) {
            boolean counts = stranger != Long.MIN_VALUE && nowNs - stranger < STRANGER_NS;
            if (counts) verdictNs = Math.min(verdictNs, stranger + STRANGER_NS);
        }
    }

    // ---- the peers --------------------------------------------------------------------------------------------------

    /** Looks again at the votes and at the peers that may help. */
    private void survey(long nowNs) {
        seen4 = votes.seen(true, filter4);
        seen6 = votes.seen(false, filter6);
        filter4.peers(nowNs, helpers(true));
        filter6.peers(nowNs, helpers(false));
        port.peers(nowNs, helpers(true), seen4.pool());
    }

    /** One peer of each IP address outside of this host's networks; those on the Internet, where there are several. */
    private List<Filter.Peer> helpers(boolean v4) {
        Map<Address, Filter.Peer> outside = new LinkedHashMap<>();
        Map<Address, Filter.Peer> inside = new LinkedHashMap<>();
        Votes.Seen seen = v4 ? seen4 : seen6;
        boolean agreed =
                seen.mapping() == NatReport.Mapping.NONE || seen.mapping() == NatReport.Mapping.ENDPOINT_INDEPENDENT;
        up.forEach((id, at) -> {
            if (at.isV4() != v4 || at.isLoopback() || votes.isNeighbour(at)) return;
            // Who sees what hardly anybody else sees is not believed in anything else.
            if (agreed && seen.address() != null && votes.contradicts(id, seen.address())) return;
            (at.isLocal() ? inside : outside).put(Mappings.ip(at), new Filter.Peer(id, at));
        });
        return List.copyOf((outside.size() >= 2 || inside.size() < 2 ? outside : inside).values());
    }
}
