package mcc.nat;

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
import mcc.wire.Outside;
import org.jspecify.annotations.Nullable;

/**
 * What peers report of the addresses at which they see this node, and what follows from it: which addresses to announce, and
 * how the NAT maps.
 *
 * <p>Limit: {@link Nat#VOTES_MAX} peers, each with its last report.
 */
final class Votes {
    /**
     * @param voice the peer's network, or the peer itself if its address is local
     * @param sinceNs when the mapping that it sees was made, as far as that is known
     */
    private record Said(Object voice, boolean outside, Address at, Address sees, int local, long sinceNs, long atNs) {}

    /** The support for an address: how many voices, and how many peers. */
    private record Tally(Address address, int voices, int peers) {}

    /** What the votes tell of one family at one local end. */
    record Seen(
            NatReport.Mapping mapping,
            NatReport.Ports ports,
            @Nullable Address address,
            int voices,
            List<Address> pool) {
        /** Between them and this node there is no NAT. */
        private static final Seen NEIGHBOURS =
                new Seen(NatReport.Mapping.NONE, NatReport.Ports.UNKNOWN, null, 0, List.of());

        static final Seen NOTHING = new Seen(NatReport.Mapping.UNKNOWN, NatReport.Ports.UNKNOWN, null, 0, List.of());

        private static final int FIRST_PORT = 1_024;
        /** What is taken for the longest block of ports: as any port of it may be the lowest or the highest of those seen. */
        private static final int BLOCK = 512;

        /** What peers are to know of it before they punch. */
        Nat.Output.Behind behind() {
            Address ip = pool.isEmpty() ? address : pool.getFirst();
            Outside outside = switch (mapping) {
                case UNKNOWN -> Outside.UNKNOWN;
                case NONE, ENDPOINT_INDEPENDENT -> Outside.of(Outside.Allocation.SHARED);
                case ENDPOINT_DEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT ->
                    switch (ports.kind()) {
                        case SEQUENTIAL -> Outside.of(Outside.Allocation.SEQUENTIAL);
                        case PRESERVING -> ports(Outside.Allocation.PRESERVING, ip, FIRST_PORT, FIRST_PORT + 1);
                        case PORT_BLOCK ->
                            ports(
                                    Outside.Allocation.BLOCK,
                                    ip,
                                    Math.max(FIRST_PORT, ports.max() - BLOCK + 1),
                                    Math.min(Outside.COUNT_MAX, ports.min() + BLOCK));
                        case RANDOM, UNKNOWN -> ports(Outside.Allocation.RANDOM, ip, FIRST_PORT, Outside.COUNT_MAX);
                    };
            };
            return new Nat.Output.Behind(outside, ports.delta());
        }

        private static Outside ports(Outside.Allocation allocation, @Nullable Address ip, int from, int to) {
            if (ip == null || !ip.isV4() || from >= to) return Outside.of(allocation);
            return new Outside(allocation, new Address(ip.high(), ip.low(), from), to - from);
        }
    }

    /** The support for each address, best first, and the number of voices. */
    private record Heard(List<Tally> tallies, int voices) {}

    private static final Comparator<Tally> BEST_FIRST = Comparator.comparingInt(Tally::voices)
            .thenComparingInt(Tally::peers)
            .reversed();

    private final Counters counters;
    private final RateLimit<Id> says = new RateLimit<>(Nat.SAYS_PER_SECOND, Nat.SAYS_AT_ONCE, 2 * Nat.VOTES_MAX);
    private final Map<Id, Said> votes = new LinkedHashMap<>();
    private List<Address> local = List.of();

    Votes(Counters counters) {
        this.counters = counters;
    }

    /** Takes the host's own addresses, best first; returns whether they are others than before. */
    boolean own(List<Address> addresses) {
        boolean changed = !local.equals(addresses);
        local = List.copyOf(addresses);
        return changed;
    }

    /** When the oldest vote ends. */
    long deadlineNs() {
        for (Said oldest : votes.values()) return oldest.atNs + Nat.VOTE_NS;
        return Core.NEVER;
    }

    List<NatReport.Vote> all(long nowNs) {
        List<NatReport.Vote> out = new ArrayList<>(votes.size());
        votes.forEach((by, said) ->
                out.add(new NatReport.Vote(by, said.sees, Math.max(0, nowNs - said.atNs) / 1_000_000)));
        return List.copyOf(out);
    }

    /** Whether a peer, which can know it, sees this node at another address. */
    boolean contradicts(Id peer, Address address) {
        Said said = votes.get(peer);
        return said != null && knows(said) && said.sees.isV4() == address.isV4() && !said.sees.equals(address);
    }

    /** Whether an address is in one of this host's networks. */
    boolean isNeighbour(Address at) {
        for (Address own : local) if (own.network(24, 64).equals(at.network(24, 64))) return true;
        return false;
    }

    void take(long nowNs, Nat.Input.Observed o) {
        if (!says.take(nowNs, o.by())) {
            counters.add("nat.votes.tooOften");
            return;
        }
        Said before = votes.remove(o.by());
        boolean same = before != null && before.local == o.local() && before.sees.equals(o.self());
        // Another address is that of a new mapping, however long ago this node first sent there.
        long sinceNs = before == null ? o.sinceNs() : same ? before.sinceNs : nowNs;
        boolean outside = !o.at().isLocal();
        Object voice = outside ? o.at().network(16, 32) : o.by();
        votes.put(o.by(), new Said(voice, outside, o.at(), o.self(), o.local(), sinceNs, nowNs));
        if (votes.size() <= Nat.VOTES_MAX) return;
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

    void forgetOld(long nowNs) {
        for (Iterator<Said> it = votes.values().iterator(); it.hasNext(); ) {
            if (it.next().atNs + Nat.VOTE_NS > nowNs) return;
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
        return !isNeighbour(said.at);
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

    /** What the votes tell of a family, at the local end of which most voices tell. */
    Seen seen(boolean v4, Filter filter) {
        Map<Integer, List<Mappings.Sample>> ends = new LinkedHashMap<>();
        int neighbours = 0;
        for (Said said : votes.values()) {
            if (said.sees.isV4() != v4) continue;
            if (!knows(said)) {
                neighbours++;
                continue;
            }
            ends.computeIfAbsent(said.local, _ -> new ArrayList<>())
                    .add(new Mappings.Sample(said.voice, said.at, said.sees, said.sinceNs));
        }
        Seen best = ends.isEmpty() && neighbours >= Nat.WITNESSES ? Seen.NEIGHBOURS : Seen.NOTHING;
        for (List<Mappings.Sample> samples : ends.values()) {
            Seen seen = seen(v4, filter, samples);
            if (seen.voices > best.voices) best = seen;
        }
        return best;
    }

    private Seen seen(boolean v4, Filter filter, List<Mappings.Sample> samples) {
        Map<Object, Map<Address, Integer>> byVoice = new LinkedHashMap<>();
        for (Mappings.Sample each : samples) {
            byVoice.computeIfAbsent(each.voice(), _ -> new LinkedHashMap<>()).merge(each.sees(), 1, Integer::sum);
        }
        Map<Address, Integer> voices = new LinkedHashMap<>();
        for (Map<Address, Integer> said : byVoice.values()) {
            Address most = most(said);
            if (most != null) voices.merge(most, 1, Integer::sum);
        }
        NatReport.Mapping mapping = Mappings.mapping(voices, byVoice.size(), samples, new LinkedHashSet<>(local));
        Address address = most(voices);
        int port = 0;
        for (Address own : local) if (own.isV4() == v4) port = own.port();
        boolean dependent = mapping.compareTo(NatReport.Mapping.ENDPOINT_DEPENDENT) >= 0;
        NatReport.Ports ports =
                dependent ? Mappings.ports(samples, port, filter.kept(), filter.changed()) : NatReport.Ports.UNKNOWN;
        List<Address> pool = Mappings.pool(voices);
        return new Seen(mapping, ports, address, byVoice.size(), pool);
    }

    /** The addresses that enough peers see, except those with far less support than the best of the family. */
    private List<Tally> observed(boolean v4) {
        List<Tally> seen = new ArrayList<>(heard(v4).tallies);
        if (seen.isEmpty()) return seen;
        Tally best = seen.getFirst();
        seen.removeIf(t -> 3 * t.voices < best.voices || 3 * t.peers < best.peers);
        seen.removeIf(t -> t.peers < Nat.WITNESSES || t.address.isLocal() || local.contains(t.address));
        return seen;
    }

    /** Whether any peer sees this node at that very address. */
    boolean names(@Nullable Address address) {
        for (Said said : votes.values()) if (said.sees.equals(address)) return true;
        return false;
    }

    /**
     * The addresses to announce: first the host's own public ones, then the one that the router maps, then those that most
     * voices see, then the host's other ones. At most {@link Nat#OBSERVED_MAX} observed ones are added, after the host's own got
     * their places.
     *
     * @param mapped proved to lead here; null for none
     */
    List<Address> addresses(@Nullable Address mapped) {
        List<Tally> seen = observed(true);
        seen.addAll(observed(false));
        seen.sort(BEST_FIRST);
        List<Tally> best = seen.subList(0, Math.min(Nat.OBSERVED_MAX, seen.size()));
        int own = Limits.CONTACT_ADDRESSES - best.size() - (mapped == null ? 0 : 1);
        LinkedHashSet<Address> out = new LinkedHashSet<>();
        for (Address address : local) if (!address.isLocal() && out.size() < own) out.add(address);
        List<Address> rest = new ArrayList<>();
        for (Address address : local) {
            if (!out.contains(address) && out.size() + rest.size() < own) rest.add(address);
        }
        if (mapped != null) out.add(mapped);
        for (Tally tally : best) out.add(tally.address);
        out.addAll(rest);
        return List.copyOf(out);
    }
}
