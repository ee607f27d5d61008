package mcc.nat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.wire.Limits;
import org.jspecify.annotations.Nullable;

/**
 * Counts which addresses peers see this node at, and reports the addresses worth announcing whenever they change.
 *
 * <p>Anybody can have many keys, but few have addresses in many networks. So an observation is weighed first by the number of
 * networks that report it, where each network has one voice for what most of its peers see, and only then by the number of
 * peers. Peers with a local address have a voice each, but none about public addresses, as they do not see this node from
 * outside. Peers on this machine or in its networks have no voice: no NAT is between them and this node.
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
    private static final int SAYS_PER_SECOND = 1;

    private static final int SAYS_AT_ONCE = 30;

    /** Inputs. */
    public sealed interface Input {
        /** The addresses on which this host listens, best first. */
        record Local(List<Address> addresses) implements Input {}

        /** A peer reported the address at which it sees this node. {@code at} is the peer's own address. */
        record Observed(Id by, Address at, Address self) implements Input {}

        /** A core that uses the addresses was started again: report them again. */
        record Tell() implements Input {}

        /** Time has passed. */
        record Tick() implements Input {}
    }

    /** Outputs. */
    public sealed interface Output {
        /** From now on announce these addresses, best first. */
        record SelfAddresses(List<Address> addresses) implements Output {}

        /** Told whenever it changes, and again to whoever was started again: whether anybody reaches this node, by family. */
        record Verdict(Reachability v4, Reachability v6) implements Output {
            /** Whether anybody reaches this node: by one family is enough. */
            public Reachability reachable() {
                if (v4 == Reachability.YES || v6 == Reachability.YES) return Reachability.YES;
                return v4 == Reachability.NO || v6 == Reachability.NO ? Reachability.NO : Reachability.UNKNOWN;
            }
        }
    }

    /** @param voice the peer's network, or the peer itself if its address is local */
    private record Said(Object voice, boolean outside, Address at, Address sees, long atNs) {}

    /** The support for an address: how many voices, and how many peers. */
    private record Tally(Address address, int voices, int peers) {}

    /** The support for each address, best first, and the number of voices. */
    private record Heard(List<Tally> tallies, int voices) {}

    private static final Comparator<Tally> BEST_FIRST = Comparator.comparingInt(Tally::voices)
            .thenComparingInt(Tally::peers)
            .reversed();

    private final Counters counters;
    private final RateLimit<Id> says = new RateLimit<>(SAYS_PER_SECOND, SAYS_AT_ONCE, 2 * VOTES_MAX);
    private final Map<Id, Said> votes = new LinkedHashMap<>();
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private List<Address> local = List.of();
    private List<Address> told = List.of();
    private long settledNs = Long.MIN_VALUE;
    private boolean unsettled;

    public Nat(Counters counters) {
        this.counters = counters;
    }

    @Override
    public void handle(long nowNs, Input input) {
        switch (input) {
            case Input.Local l -> local = List.copyOf(l.addresses());
            case Input.Observed o -> vote(nowNs, o);
            case Input.Tell _, Input.Tick _ -> {}
        }
        forgetOld(nowNs);
        List<Address> next = addresses();
        boolean ownChanged = input instanceof Input.Local;
        unsettled = !next.equals(told) && nowNs < settledNs && !ownChanged;
        boolean changed = !unsettled && !next.equals(told);
        if (changed && !ownChanged) settledNs = nowNs + SETTLE_NS;
        if (changed) told = next;
        boolean again = input instanceof Input.Tell && !told.isEmpty();
        if (changed || again) outputs.add(new Output.SelfAddresses(told));
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        long next = unsettled ? settledNs : NEVER;
        for (Said oldest : votes.values()) return Math.min(next, oldest.atNs + VOTE_NS);
        return next;
    }

    /** What is known now. */
    public NatReport report(long nowNs) {
        List<NatReport.Vote> out = new ArrayList<>(votes.size());
        votes.forEach((by, said) ->
                out.add(new NatReport.Vote(by, said.sees, Math.max(0, nowNs - said.atNs) / 1_000_000)));
        return new NatReport(mapping(), told, List.copyOf(out));
    }

    private void vote(long nowNs, Input.Observed o) {
        if (!says.take(nowNs, o.by())) {
            counters.add("nat.votes.tooOften");
            return;
        }
        votes.remove(o.by());
        boolean outside = !o.at().isLocal();
        Object voice = outside ? o.at().network(16, 32) : o.by();
        votes.put(o.by(), new Said(voice, outside, o.at(), o.self(), nowNs));
        if (votes.size() <= VOTES_MAX) return;
        counters.add("nat.votes.evicted");
        votes.remove(oldestOfMost());
    }

    /** The oldest vote of the network with most votes. All local peers count as one network here. */
    private Id oldestOfMost() {
        Map<Object, Integer> sizes = new HashMap<>(); // looked up, never iterated
        for (Said said : votes.values()) sizes.merge(said.outside ? said.voice : "", 1, Integer::sum);
        Id out = votes.keySet().iterator().next();
        int most = 0;
        for (var vote : votes.entrySet()) {
            Said said = vote.getValue();
            int size = sizes.getOrDefault(said.outside ? said.voice : "", 0);
            if (size <= most) continue;
            most = size;
            out = vote.getKey();
        }
        return out;
    }

    private void forgetOld(long nowNs) {
        for (Iterator<Said> it = votes.values().iterator(); it.hasNext(); ) {
            if (it.next().atNs + VOTE_NS > nowNs) return;
            it.remove();
        }
    }

    /** What peers report about addresses of one family, as far as they can know. */
    private Heard heard(boolean v4) {
        Map<Object, Map<Address, Integer>> byVoice = new LinkedHashMap<>();
        Map<Address, Integer> peers = new LinkedHashMap<>();
        for (Said said : votes.values()) {
            if (!knows(said) || said.sees.isV4() != v4) continue;
            byVoice.computeIfAbsent(said.voice, _ -> new LinkedHashMap<>()).merge(said.sees, 1, Integer::sum);
            peers.merge(said.sees, 1, Integer::sum);
        }
        Map<Address, Integer> voices = new HashMap<>(); // looked up, never iterated
        for (Map<Address, Integer> said : byVoice.values()) {
            Address most = most(said);
            if (most != null) voices.merge(most, 1, Integer::sum);
        }
        List<Tally> out = new ArrayList<>();
        peers.forEach((address, count) -> out.add(new Tally(address, voices.getOrDefault(address, 0), count)));
        out.sort(BEST_FIRST);
        return new Heard(out, byVoice.size());
    }

    private boolean knows(Said said) {
        if (said.outside) return true;
        if (!said.sees.isLocal() || said.at.isLoopback()) return false;
        for (Address own : local) if (own.network(24, 64).equals(said.at.network(24, 64))) return false;
        return true;
    }

    /** What most peers of a network see; null if there is a tie. */
    private static @Nullable Address most(Map<Address, Integer> said) {
        Address best = null;
        int most = 0;
        for (var each : said.entrySet()) {
            if (each.getValue() == most) best = null;
            if (each.getValue() <= most) continue;
            best = each.getKey();
            most = each.getValue();
        }
        return best;
    }

    private NatReport.Mapping mapping() {
        if (votes.size() < WITNESSES) return NatReport.Mapping.UNKNOWN;
        NatReport.Mapping v4 = mapping(true);
        NatReport.Mapping v6 = mapping(false);
        return v4.compareTo(v6) > 0 ? v4 : v6;
    }

    /** If peers disagree, more than half of their voices decide. */
    private NatReport.Mapping mapping(boolean v4) {
        Heard heard = heard(v4);
        if (heard.tallies.isEmpty()) return NatReport.Mapping.NONE;
        Tally best = heard.tallies.getFirst();
        if (2 * best.voices <= heard.voices) return NatReport.Mapping.ENDPOINT_DEPENDENT;
        return local.contains(best.address) ? NatReport.Mapping.NONE : NatReport.Mapping.ENDPOINT_INDEPENDENT;
    }

    /** The addresses that enough peers see, except those with far less support than the best of the family. */
    private List<Tally> observed(boolean v4) {
        List<Tally> seen = new ArrayList<>(heard(v4).tallies);
        if (seen.isEmpty()) return seen;
        Tally best = seen.getFirst();
        seen.removeIf(t -> 3 * t.voices < best.voices || 3 * t.peers < best.peers);
        seen.removeIf(t -> t.peers < WITNESSES || t.address.isLocal() || local.contains(t.address));
        return seen;
    }

    /**
     * The addresses to announce: first the host's own public ones, then those that most voices see, then the host's other
     * ones. At most {@link #OBSERVED_MAX} observed ones are added, after the host's own got their places.
     */
    private List<Address> addresses() {
        List<Tally> seen = observed(true);
        seen.addAll(observed(false));
        seen.sort(BEST_FIRST);
        List<Tally> best = seen.subList(0, Math.min(OBSERVED_MAX, seen.size()));
        int own = Limits.CONTACT_ADDRESSES - best.size();
        LinkedHashSet<Address> out = new LinkedHashSet<>();
        for (Address address : local) if (!address.isLocal() && out.size() < own) out.add(address);
        List<Address> rest = new ArrayList<>();
        for (Address address : local) {
            if (!out.contains(address) && out.size() + rest.size() < own) rest.add(address);
        }
        for (Tally tally : best) out.add(tally.address);
        out.addAll(rest);
        return List.copyOf(out);
    }
}
