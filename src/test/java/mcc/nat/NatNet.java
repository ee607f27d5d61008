package mcc.nat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.sim.NatBehavior;
import mcc.sim.NatBox;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/**
 * A node behind a NAT or a firewall, and its peers, in virtual time. Requests and answers go by links that stand; echoes and
 * dial-backs go through the NAT. Some peers lie.
 */
final class NatNet {
    static final long MS = 1_000_000;
    static final long SECOND = 1_000 * MS;
    private static final Address OUTSIDE = Address.parse("203.0.113.7:0");
    private static final int MAIN_PORT = 9_376;

    /** What is between the node and the rest. */
    private interface Gateway {
        @Nullable
        Address out(Address inside, Address to);

        @Nullable
        Address in(Address from, Address to);
    }

    /** A peer with a core of its own. */
    final class Peer {
        final Id id = Id.random(rng);
        final Address at;
        final boolean liar;
        final Nat core;
        final Counters counters = new Counters();
        int ends;

        Peer(Address at, boolean liar) {
            this.at = at;
            this.liar = liar;
            core = new Nat(rng.split(), counters);
        }

        void step(Nat.Input input) {
            core.handle(now, input);
            for (Nat.Output o; (o = core.poll()) != null; ) said(o);
        }

        private void said(Nat.Output output) {
            switch (output) {
                case Nat.Output.Reply r ->
                    after(
                            delay(),
                            () -> self(
                                    new Nat.Input.Answered(id, r.call(), ((Message.DialedBack) r.answer()).result())));
                case Nat.Output.DialBack d -> {
                    Address from = d.end() == 0 ? at : new Address(at.high(), at.low(), 50_000 + d.end());
                    after(delay(), () -> arrives(this, from, d.at(), d.nonce()));
                }
                case Nat.Output.OpenEnd o -> after(MS, () -> step(new Nat.Input.Opened(o.ticket(), ++ends, at)));
                default -> {}
            }
        }
    }

    private record Event(long atNs, long number, Runnable what) {}

    final Rng rng;
    final Counters counters = new Counters();
    final Nat nat;
    final List<Peer> peers = new ArrayList<>();
    final Map<Integer, Address> ends = new LinkedHashMap<>();
    /** All verdicts that were told, and when. */
    final Map<Long, Nat.Output.Verdict> verdicts = new LinkedHashMap<>();

    boolean leaf;

    List<Address> told = List.of();
    /** What was told last of how the NAT gives out ports. */
    Nat.Output.@Nullable Behind behind;

    /** What was found out about the mapped port. */
    final List<Nat.Port> ports = new ArrayList<>();
    /** The external address that the router forwards to the node; null for none. */
    @Nullable
    Address forwarded;

    int opened;
    int closed;
    /** Datagrams in a thousand that are lost, of echoes and dial-backs. */
    int lossPermille;
    /** Whether liars report the truth, so that they are believed, and always lie as mirrors and diallers. */
    boolean cunning;
    /** Whether no peer dials back. */
    boolean mute;
    /** How often each peer was asked to dial from its own port. */
    final Map<Id, Integer> asked = new HashMap<>();

    long now = 1;
    private Gateway gateway = new Open();
    private Address host;
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(java.util.Comparator.comparingLong(Event::atNs).thenComparingLong(Event::number));
    private long number;

    NatNet(long seed) {
        rng = Rng.seeded(seed);
        nat = new Nat(rng.split(), counters);
        host = Address.v4(0xc0a80105, MAIN_PORT);
    }

    private static final class Open implements Gateway {
        @Override
        public Address out(Address inside, Address to) {
            return inside;
        }

        @Override
        public Address in(Address from, Address to) {
            return to;
        }
    }

    /** Puts the node behind a NAT. */
    void behind(NatBehavior behavior) {
        NatBox box = new NatBox(behavior, OUTSIDE, rng.split());
        gateway = new Gateway() {
            @Override
            public @Nullable Address out(Address inside, Address to) {
                return box.out(now, inside, to);
            }

            @Override
            public @Nullable Address in(Address from, Address to) {
                return box.in(now, from, to);
            }
        };
    }

    /** Gives the node a public address behind a firewall that lets in what was asked for. */
    void behindFirewall(NatBehavior.Scope filtering) {
        host = Address.v4(0xc6336405, MAIN_PORT);
        Map<Address, Set<Address>> sent = new HashMap<>();
        gateway = new Gateway() {
            private Address part(Address other) {
                return switch (filtering) {
                    case ENDPOINT_INDEPENDENT -> Address.v4(0, 0);
                    case ADDRESS_DEPENDENT -> new Address(other.high(), other.low(), 0);
                    case ADDRESS_AND_PORT_DEPENDENT -> other;
                };
            }

            @Override
            public Address out(Address inside, Address to) {
                sent.computeIfAbsent(inside, _ -> new HashSet<>()).add(part(to));
                return inside;
            }

            @Override
            public @Nullable Address in(Address from, Address to) {
                return sent.getOrDefault(to, Set.of()).contains(part(from)) ? to : null;
            }
        };
    }

    private long delay() {
        return 15 * MS + rng.below((int) (30 * MS));
    }

    private void after(long ns, Runnable what) {
        events.add(new Event(now + ns, number++, what));
    }

    /** Starts the node, whose peers come up one after the other. */
    void start(int honest, int liars, boolean sameIps) {
        self(new Nat.Input.Local(List.of(host)));
        int count = honest + liars;
        Set<Integer> lying = new HashSet<>();
        while (lying.size() < liars) lying.add(rng.below(count));
        for (int i = 0; i < count; i++) {
            int ip = sameIps ? i / 2 : i;
            Address at = Address.v4(0x20000001 + (ip << 16), 9_376 + (sameIps ? i % 2 : 0));
            peers.add(new Peer(at, lying.contains(i)));
        }
        for (Peer each : peers) after(rng.below((int) (20 * MS)), () -> meet(each));
    }

    private void meet(Peer peer) {
        Address seen = gateway.out(host, peer.at);
        if (seen == null) return;
        long sinceNs = now;
        Address says = peer.liar && !cunning ? lie(seen) : seen;
        after(2 * delay(), () -> {
            self(new Nat.Input.Up(peer.id, peer.at));
            self(new Nat.Input.Observed(peer.id, peer.at, says, 0, sinceNs));
        });
    }

    /** Any address, one like the truth, or what another peer sees. */
    private Address lie(Address seen) {
        return switch (rng.below(4)) {
            case 0 -> Address.v4(0x08080808, 1_024 + rng.below(60_000));
            case 1 -> new Address(seen.high(), seen.low(), 1_024 + rng.below(60_000));
            case 2 -> new Address(seen.high(), seen.low(), host.port());
            default -> seen;
        };
    }

    void self(Nat.Input input) {
        nat.handle(now, input);
        for (Nat.Output o; (o = nat.poll()) != null; ) said(o);
    }

    private void said(Nat.Output output) {
        switch (output) {
            case Nat.Output.Verdict v -> verdicts.put(now, v);
            case Nat.Output.Leaf l -> leaf = l.leaf();
            case Nat.Output.Behind b -> behind = b;
            case Nat.Output.SelfAddresses a -> told = a.addresses();
            case Nat.Output.OpenEnd o -> {
                int end = ++opened;
                Address local = new Address(host.high(), host.low(), 40_000 + end);
                ends.put(end, local);
                after(MS, () -> self(new Nat.Input.Opened(o.ticket(), end, local)));
            }
            case Nat.Output.PortFound p -> ports.add(p.found());
            case Nat.Output.CloseEnd c -> {
                closed++;
                ends.remove(c.end());
            }
            case Nat.Output.Echo e -> {
                Address inside = ends.get(e.end());
                Peer peer = find(e.to());
                Address mapped = inside == null ? null : gateway.out(inside, e.at());
                if (peer == null || mapped == null || isLost()) return;
                after(delay(), () -> echo(peer, mapped, e.nonce()));
            }
            case Nat.Output.Ask a -> {
                Peer peer = find(a.to().node());
                if (peer != null) after(delay(), () -> asked(peer, a.call(), (Message.DialBack) a.request()));
            }
            case Nat.Output.DialBack _, Nat.Output.Reply _ -> throw new AssertionError("nobody asked the node");
        }
    }

    private boolean isLost() {
        return rng.below(1_000) < lossPermille;
    }

    private void echo(Peer peer, Address mapped, long nonce) {
        int how = peer.liar && !cunning ? rng.below(3) : 0;
        if (how == 1) return;
        Address says = how == 2 ? lie(mapped) : mapped;
        if (peer.liar && cunning) says = new Address(mapped.high(), mapped.low(), mapped.port() ^ 1);
        answer(peer, mapped, nonce, says);
    }

    private void answer(Peer peer, Address mapped, long nonce, Address says) {
        after(delay(), () -> {
            Address inside = isLost() ? null : gateway.in(peer.at, mapped);
            ends.forEach((end, local) -> {
                if (local.equals(inside))
                    events.add(new Event(now, number++, () -> self(new Nat.Input.Echoed(peer.id, end, nonce, says))));
            });
        });
    }

    private void asked(Peer peer, long call, Message.DialBack request) {
        if (!request.otherPort()) asked.merge(peer.id, 1, Integer::sum);
        int how = peer.liar ? cunning ? 2 : rng.below(5) : 0;
        if (how == 1 || mute) return;
        if (how == 2 || how == 3) {
            Message.Dialed lie = how == 2 ? Message.Dialed.SENT : Message.Dialed.REFUSED;
            after(delay(), () -> self(new Nat.Input.Answered(peer.id, call, lie)));
            return;
        }
        // It sends from where it was asked not to, and something that nobody asked for.
        if (how == 4) {
            Address elsewhere = new Address(peer.at.high(), peer.at.low(), 1 + rng.below(65_000));
            after(delay(), () -> arrives(peer, elsewhere, request.target(), request.nonce()));
            after(delay(), () -> arrives(peer, peer.at, request.target(), rng.nextLong()));
            after(delay(), () -> arrives(peer, peer.at, request.target(), request.nonce()));
        }
        Address seen = new Address(request.target().high(), request.target().low(), MAIN_PORT);
        peer.step(new Nat.Input.Asked(Id.ZERO, seen, call, request));
    }

    private void arrives(Peer by, Address from, Address to, long nonce) {
        if (to.equals(forwarded)) {
            if (!isLost()) self(new Nat.Input.DialledBack(by.id, from, 0, nonce));
            return;
        }
        Address inside = isLost() ? null : gateway.in(from, to);
        List<Integer> at = new ArrayList<>();
        ends.forEach((end, local) -> {
            if (local.equals(inside)) at.add(end);
        });
        for (int end : at) self(new Nat.Input.DialledBack(by.id, from, end, nonce));
    }

    private @Nullable Peer find(Id id) {
        for (Peer each : peers) if (each.id.equals(id)) return each;
        return null;
    }

    /** Lets time pass. */
    void run(long forNs) {
        long untilNs = now + forNs;
        for (int steps = 0; steps < 1_000_000; steps++) {
            long nextNs = events.isEmpty() ? Core.NEVER : events.peek().atNs();
            nextNs = Math.min(nextNs, nat.deadlineNs());
            for (Peer each : peers) nextNs = Math.min(nextNs, each.core.deadlineNs());
            if (nextNs > untilNs) {
                now = untilNs;
                return;
            }
            now = Math.max(now, nextNs);
            while (!events.isEmpty() && events.peek().atNs() <= now)
                events.poll().what().run();
            if (nat.deadlineNs() <= now) self(new Nat.Input.Tick());
            if (nat.deadlineNs() <= now) throw new AssertionError("the deadline lies ahead after a tick");
            for (Peer each : peers) if (each.core.deadlineNs() <= now) each.step(new Nat.Input.Tick());
        }
        throw new AssertionError("it never comes to rest");
    }

    Reachability verdict() {
        Reachability last = Reachability.UNKNOWN;
        Nat.Output.Verdict newest = null;
        for (Nat.Output.Verdict each : verdicts.values()) newest = each;
        boolean none = newest != null && newest.reachable() == Reachability.NO;
        if (leaf != none) throw new AssertionError("the DHT was told otherwise");
        for (Nat.Output.Verdict each : verdicts.values()) last = each.v4();
        return last;
    }

    boolean everSaid(Reachability what) {
        return verdicts.values().stream().anyMatch(v -> v.v4() == what);
    }
}
