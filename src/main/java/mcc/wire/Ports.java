package mcc.wire;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.wire.Provider.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * The ports of a service, in the order in which its owner wrote them: the first of each protocol is for whoever names none.
 * Without any they are not known, as of a provider whose record is of an earlier form.
 *
 * <p>Limits: {@link #RANGES_MAX} ranges, of {@link #PORTS_MAX} ports in all; no two have a port of a protocol in common, and
 * HTTP is TCP here.
 */
public record Ports(List<Range> ranges) {
    /** Most ranges; one port is one, too. */
    public static final int RANGES_MAX = 16;
    /** Most ports in all of them. */
    public static final int PORTS_MAX = 1_024;
    /** What a range takes in a record, in bytes, at most. */
    public static final int RANGE_BYTES = 12;
    /** Of a provider that does not tell its ports. */
    public static final Ports UNKNOWN = new Ports(List.of());

    /**
     * Ports that follow one another, most often one.
     *
     * @param first 1 to 65,535
     * @param last itself included
     */
    public record Range(int first, int last, Protocol protocol) {
        /** Refuses what is no range. */
        public Range {
            if (first < 1 || last < first || last > 65_535) {
                throw new IllegalArgumentException("no range of ports: " + first + "-" + last);
            }
        }

        /** Whether they are of UDP, rather than of TCP. */
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

    /** What is wrong with these together, as what they must be instead; null for nothing. */
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

    /** Whether they are known. */
    public boolean isKnown() {
        return !ranges.isEmpty();
    }

    /** The first of a protocol; 0 where there is none. */
    public int first(boolean udp) {
        for (Range range : ranges) if (range.isUdp() == udp) return range.first;
        return 0;
    }

    /** Whether this port is one of them. */
    public boolean has(boolean udp, int port) {
        for (Range range : ranges) if (range.has(udp, port)) return true;
        return false;
    }

    /**
     * The port that an asker gets.
     *
     * @param wanted 0 for the first of the protocol
     * @return 0 where there is none such
     */
    public int choose(boolean udp, int wanted) {
        if (wanted == 0) return first(udp);
        return has(udp, wanted) ? wanted : 0;
    }

    /** What they take in a record beside the first, which every provider has room for. */
    int moreBytes() {
        return RANGE_BYTES * Math.max(0, ranges.size() - 1);
    }

    /** As people write them: {@code 53/udp+tcp, 50000-50100/tcp}. */
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
     * Reads what {@link #encode} wrote; what speaks a protocol of later versions is left out.
     *
     * @throws IllegalArgumentException where they are out of range
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
