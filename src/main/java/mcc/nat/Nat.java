package mcc.nat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.wire.Limits;
import org.jspecify.annotations.Nullable;

/** Counts what peers say of this node's address; tells the addresses worth telling to others whenever they change. */
public final class Nat implements Core<Nat.Input, Nat.Output> {
    /** Observers remembered; the oldest gives way. */
    static final int VOTES_MAX = 256;
    /** A vote counts this long unless its peer says otherwise: an idle session is renewed, and its vote with it, every hour. */
    static final long VOTE_NS = 4_200_000_000_000L;
    /** An address is told to others once so many peers see it. */
    static final int WITNESSES = 2;

    /** What may happen. */
    public sealed interface Input {
        /** The addresses of this host on which it listens, best first. */
        record Local(List<Address> addresses) implements Input {}

        /** A peer said from which address it hears this node. */
        record Observed(Id by, Address self) implements Input {}

        /** A core that is told these addresses begins anew: say them again. */
        record Tell() implements Input {}

        /** The deadline came, or did not. */
        record Tick() implements Input {}
    }

    /** What follows. */
    public sealed interface Output {
        /** These addresses are to be told to others from now on, best first. */
        record SelfAddresses(List<Address> addresses) implements Output {}
    }

    private record Said(Address sees, long atNs) {}

    private final Counters counters;
    private final Map<Id, Said> votes = new LinkedHashMap<>();
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private List<Address> local = List.of();
    private List<Address> told = List.of();

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
        boolean again = input instanceof Input.Tell && !next.isEmpty();
        if (again || !next.equals(told)) {
            told = next;
            outputs.add(new Output.SelfAddresses(next));
        }
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        for (Said oldest : votes.values()) return oldest.atNs + VOTE_NS;
        return NEVER;
    }

    /** What is known now. */
    public NatReport report(long nowNs) {
        List<NatReport.Vote> out = new ArrayList<>(votes.size());
        votes.forEach((by, said) ->
                out.add(new NatReport.Vote(by, said.sees, Math.max(0, nowNs - said.atNs) / 1_000_000)));
        return new NatReport(mapping(), told, List.copyOf(out));
    }

    private void vote(long nowNs, Input.Observed o) {
        votes.remove(o.by());
        if (votes.size() >= VOTES_MAX) {
            counters.add("nat.votes.evicted");
            votes.remove(votes.keySet().iterator().next());
        }
        votes.put(o.by(), new Said(o.self(), nowNs));
    }

    private void forgetOld(long nowNs) {
        for (Iterator<Said> it = votes.values().iterator(); it.hasNext(); ) {
            if (it.next().atNs + VOTE_NS > nowNs) return;
            it.remove();
        }
    }

    private NatReport.Mapping mapping() {
        if (votes.size() < WITNESSES) return NatReport.Mapping.UNKNOWN;
        Address seen = null;
        for (Said said : votes.values()) {
            if (local.contains(said.sees)) continue; // a neighbour's word says nothing of what is behind the NAT
            if (seen != null && !seen.equals(said.sees)) return NatReport.Mapping.ENDPOINT_DEPENDENT;
            seen = said.sees;
        }
        return seen == null ? NatReport.Mapping.NONE : NatReport.Mapping.ENDPOINT_INDEPENDENT;
    }

    /** Seen by enough peers first, then the host's own. */
    private List<Address> addresses() {
        Map<Address, Integer> seen = new LinkedHashMap<>();
        for (Said said : votes.values()) seen.merge(said.sees, 1, Integer::sum);
        LinkedHashSet<Address> out = new LinkedHashSet<>();
        seen.forEach((address, count) -> {
            if (count >= WITNESSES && !address.isLocal()) out.add(address);
        });
        for (Address address : local) if (!address.isLocal()) out.add(address);
        out.addAll(local);
        return out.stream().limit(Limits.CONTACT_ADDRESSES).toList();
    }
}
