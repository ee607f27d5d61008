package mcc.wire;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.wire.Provider.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * The ports of a service, in its owner's order: a user who names no port gets the first of its protocol. Empty if they are
 * unknown, as in a provider's record of an earlier form.
 *
 * <p>Limits: {@link #RANGES_MAX} ranges with {@link #PORTS_MAX} ports in total; no port of a protocol occurs twice, and HTTP
 * counts as TCP.
 */
public record Ports(List<Range> ranges) {
    /** Most ranges; a single port is a range too. */
    public static final int RANGES_MAX = 16;
    /** Most ports in total. */
    public static final int PORTS_MAX = 1_024;
    /** The most that a range takes in a record, in bytes. */
    public static final int RANGE_BYTES = 12;
    /** For a provider whose ports are unknown. */
    public static final Ports UNKNOWN = new Ports(List.of());

    /**
     * Consecutive ports, most often one.
     *
     * @param first 1 to 65,535
     * @param last inclusive
     */
    public record Range(int first, int last, Protocol protocol) {
        /** Refuses an invalid range. */
        public Range {
            if (first < 1 || last < first || last > 65_535) {
                throw new IllegalArgumentException("no range of ports: " + first + "-" + last);
            }
        }

        /** Whether they are UDP ports, else TCP. */
        public boolean isUdp() {
            return protocol == Protocol.UDP;
        }

        boolean has(boolean udp, int port) {
            return isUdp() == udp && first <= port && port <= last;
        }

        private boolean meets(Range other) {
            return isUdp() == other.isUdp() && first <= other.last && other.first <= last;
        }

        private String numbers() {
            return first == last ? Integer.toString(first) : first + "-" + last;
        }
    }

    /** Copies the list; refuses what {@link #fault} finds. */
    public Ports {
        ranges = List.copyOf(ranges);
        String fault = fault(ranges);
        if (fault != null) throw new IllegalArgumentException(fault);
    }

    /** One port. */
    public static Ports of(int port, Protocol protocol) {
        return new Ports(List.of(new Range(port, port, protocol)));
    }

    /** What is wrong with the ranges, as a text that says what they must be; null for nothing. */
    public static @Nullable String fault(List<Range> ranges) {
        if (ranges.size() > RANGES_MAX) return "at most " + RANGES_MAX + " entries; a range of ports is one";
        int all = 0;
        for (int i = 0; i < ranges.size(); i++) {
            Range range = ranges.get(i);
            all += range.last - range.first + 1;
            for (Range other : ranges.subList(0, i)) {
                if (range.meets(other)) return "each port of a protocol once: " + other.numbers() + " is there twice";
            }
        }
        return all > PORTS_MAX ? "at most " + PORTS_MAX + " ports in all" : null;
    }

    /** Whether the ports are known. */
    public boolean isKnown() {
        return !ranges.isEmpty();
    }

    /** The first port of a protocol; 0 if there is none. */
    public int first(boolean udp) {
        for (Range range : ranges) if (range.isUdp() == udp) return range.first;
        return 0;
    }

    /** Whether this is one of the ports. */
    public boolean has(boolean udp, int port) {
        for (Range range : ranges) if (range.has(udp, port)) return true;
        return false;
    }

    /**
     * The port that a user gets.
     *
     * @param wanted 0 for the first of the protocol
     * @return 0 if there is no such port
     */
    public int choose(boolean udp, int wanted) {
        if (wanted == 0) return first(udp);
        return has(udp, wanted) ? wanted : 0;
    }

    /** What they take in a record beyond the first range, for which every provider has room. */
    int moreBytes() {
        return RANGE_BYTES * Math.max(0, ranges.size() - 1);
    }

    /** In the form that people write: {@code 53/udp+tcp, 50000-50100/tcp}. */
    @Override
    public String toString() {
        Map<String, List<String>> protocols = new LinkedHashMap<>();
        for (Range range : ranges) {
            protocols
                    .computeIfAbsent(range.numbers(), _ -> new ArrayList<>())
                    .add(range.protocol.name().toLowerCase(Locale.ROOT));
        }
        List<String> out = new ArrayList<>();
        protocols.forEach((numbers, all) -> out.add(numbers + "/" + String.join("+", all)));
        return String.join(", ", out);
    }

    List<mcc.wire.pb.Provider.ServicePort> encode() {
        List<mcc.wire.pb.Provider.ServicePort> out = new ArrayList<>();
        for (Range range : ranges) {
            var one = mcc.wire.pb.Provider.ServicePort.newBuilder()
                    .setPort(range.first)
                    .setProtocol(Provider.encode(range.protocol));
            if (range.last > range.first) one.setEndPort(range.last);
            out.add(one.build());
        }
        return out;
    }

    /**
     * Reads what {@link #encode} wrote; ranges with a protocol of later versions are left out.
     *
     * @throws IllegalArgumentException if they are out of range
     */
    static Ports decode(List<mcc.wire.pb.Provider.ServicePort> all) {
        if (all.size() > RANGES_MAX) throw new IllegalArgumentException("too many ranges of ports");
        List<Range> ranges = new ArrayList<>();
        for (var one : all) {
            Protocol protocol = Provider.decode(one.getProtocol());
            if (protocol == null) continue;
            ranges.add(new Range(one.getPort(), one.getEndPort() == 0 ? one.getPort() : one.getEndPort(), protocol));
        }
        return new Ports(ranges);
    }
}
