package mcc.nat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/**
 * Which mapping behaviour the reports of peers allow to conclude, and how the NAT gives out ports.
 *
 * <p>Each network has one voice. One liar among five voices changes no conclusion: it can only make one voice less sure.
 */
final class Mappings {
    /** Voices below which nothing but agreement is concluded. */
    private static final int FEW = 3;
    /** Samples below which nothing is said about ports. */
    private static final int PORTS_LEAST = 4;
    /** Samples that count, the newest mappings first. */
    private static final int SAMPLES_MAX = 64;
    /** One of so many samples may be a lie. */
    private static final int LIARS = 5;
    /** The longest step between two mappings of a NAT that gives out ports one after the other: others use it too. */
    private static final int STEP_MAX = 16;
    /** So many of five steps have to be short; of random ports in a block of 512 one in sixteen is, and liars are one in five. */
    private static final int STEPS_OF_FIVE = 2;
    /** The widest block of ports that is taken for one. */
    private static final int BLOCK = 1_024;

    private static final int PORTS = 0x10000 - 1_024;

    /**
     * What one peer reports.
     *
     * @param at the peer's own address
     * @param sees the address at which it sees this node
     * @param sinceNs when the mapping was made that it sees, as far as that is known: when this node first sent there, or heard
     *     of it
     */
    record Sample(Object voice, Address at, Address sees, long sinceNs) {}

    private Mappings() {}

    /**
     * How destinations share a mapping.
     *
     * @param voices how many voices see each address
     * @param count the number of voices, those included whose peers do not agree
     * @param own the addresses of this host
     */
    static NatReport.Mapping mapping(Map<Address, Integer> voices, int count, List<Sample> samples, Set<Address> own) {
        int most = 0;
        Address best = null;
        for (var each : voices.entrySet()) {
            if (each.getValue() <= most) continue;
            most = each.getValue();
            best = each.getKey();
        }
        boolean majority = 2 * most > count;
        if (majority && own.contains(best) && samples.size() >= Nat.WITNESSES) return NatReport.Mapping.NONE;
        if (majority && (most >= FEW || most >= Nat.WITNESSES && most == count)) {
            return NatReport.Mapping.ENDPOINT_INDEPENDENT;
        }
        return majority || count < FEW ? NatReport.Mapping.UNKNOWN : dependent(samples);
    }

    /** By peers at several ports of one IP address. A single such address is not enough: its peers may lie. */
    private static NatReport.Mapping dependent(List<Sample> samples) {
        Map<Address, List<Sample>> byIp = new LinkedHashMap<>();
        for (Sample sample : samples) {
            byIp.computeIfAbsent(ip(sample.at), _ -> new ArrayList<>()).add(sample);
        }
        int same = 0;
        int different = 0;
        for (List<Sample> each : byIp.values()) {
            Sample first = each.getFirst();
            boolean severalPorts = false;
            boolean severalSeen = false;
            for (Sample other : each) {
                severalPorts |= !other.at.equals(first.at);
                severalSeen |= !other.sees.equals(first.sees);
            }
            if (!severalPorts) continue;
            if (severalSeen) different++;
            else same++;
        }
        if (same - different >= 2) return NatReport.Mapping.ADDRESS_DEPENDENT;
        if (different - same >= 2) return NatReport.Mapping.ADDRESS_AND_PORT_DEPENDENT;
        return NatReport.Mapping.ENDPOINT_DEPENDENT;
    }

    /**
     * How ports are given out, from one sample of each voice.
     *
     * @param ownPort the port of this node's socket
     * @param kept how many peers say that a fresh socket kept its port
     * @param changed how many say that it did not
     */
    static NatReport.Ports ports(List<Sample> samples, int ownPort, int kept, int changed) {
        Map<Object, Sample> first = new LinkedHashMap<>();
        for (Sample sample : samples) {
            first.merge(sample.voice, sample, (a, b) -> a.sinceNs <= b.sinceNs ? a : b);
        }
        List<Sample> inOrder = new ArrayList<>(first.values());
        inOrder.sort(Comparator.comparingLong(Sample::sinceNs));
        if (inOrder.size() > SAMPLES_MAX) inOrder = inOrder.subList(inOrder.size() - SAMPLES_MAX, inOrder.size());
        int own = 0;
        for (Sample sample : inOrder) if (sample.sees.port() == ownPort) own++;
        if (kept >= 2 && kept > changed || own >= 2) return NatReport.Ports.of(NatReport.Ports.Kind.PRESERVING);
        int least = Math.max(PORTS_LEAST, inOrder.size() - inOrder.size() / LIARS);
        if (inOrder.size() < least) return NatReport.Ports.UNKNOWN;
        NatReport.Ports steps = sequential(inOrder);
        if (steps != null) return steps;
        NatReport.Ports block = block(inOrder, least);
        if (block != null) return block;
        // The first mapping of a NAT that preserves ports may have been a liar's: fresh sockets tell.
        boolean random = own == 0 && changed >= 2 && changed > kept;
        return random ? NatReport.Ports.of(NatReport.Ports.Kind.RANDOM) : NatReport.Ports.UNKNOWN;
    }

    /** The public IP addresses that at least two voices see, and half as many as see any: one, or several of a carrier's pool. */
    static List<Address> pool(Map<Address, Integer> voices) {
        Map<Address, Integer> ips = new LinkedHashMap<>();
        voices.forEach((address, n) -> ips.merge(ip(address), n, Integer::sum));
        List<Address> out = new ArrayList<>();
        int most = ips.values().stream().mapToInt(n -> n).max().orElse(0);
        ips.forEach((ip, n) -> {
            if (n >= Nat.WITNESSES && 2 * n >= most) out.add(ip);
        });
        return List.copyOf(out);
    }

    /** By short steps: between two of these mappings others may have been made, and a liar's may stand there. */
    private static NatReport.@Nullable Ports sequential(List<Sample> inOrder) {
        int least = Math.max(PORTS_LEAST - 1, (STEPS_OF_FIVE * (inOrder.size() - 1) + 4) / 5);
        for (int sign = 1; sign >= -1; sign -= 2) {
            List<Integer> steps = steps(inOrder, sign);
            if (steps.size() >= least)
                return new NatReport.Ports(NatReport.Ports.Kind.SEQUENTIAL, sign * commonest(steps), 0, 0);
        }
        return null;
    }

    /** The steps of those that follow one of the two before them by a short one. */
    private static List<Integer> steps(List<Sample> inOrder, int sign) {
        List<Integer> out = new ArrayList<>();
        for (int i = 1; i < inOrder.size(); i++) {
            for (int j = i - 1; j >= Math.max(0, i - 2); j--) {
                int by =
                        sign * (inOrder.get(i).sees.port() - inOrder.get(j).sees.port());
                int step = Math.floorMod(by, PORTS); // the ports begin anew at the end
                if (step == 0 || step > STEP_MAX) continue;
                out.add(step);
                break;
            }
        }
        return out;
    }

    private static int commonest(List<Integer> steps) {
        int[] counts = new int[STEP_MAX + 1];
        for (int step : steps) counts[step]++;
        int best = 1;
        for (int step = 2; step <= STEP_MAX; step++) if (counts[step] > counts[best]) best = step;
        return best;
    }

    private static NatReport.@Nullable Ports block(List<Sample> samples, int least) {
        int[] ports = samples.stream().mapToInt(s -> s.sees.port()).sorted().toArray();
        for (int i = 0; i + least <= ports.length; i++) {
            int max = ports[i + least - 1];
            if (max - ports[i] >= BLOCK) continue;
            int last = i + least - 1;
            while (last + 1 < ports.length && ports[last + 1] - ports[i] < BLOCK) last++;
            return new NatReport.Ports(NatReport.Ports.Kind.PORT_BLOCK, 0, ports[i], ports[last]);
        }
        return null;
    }

    static Address ip(Address address) {
        return new Address(address.high(), address.low(), 0);
    }
}
