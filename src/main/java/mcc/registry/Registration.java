package mcc.registry;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.crypto.Sha256;
import mcc.wire.Ports;
import mcc.wire.Provider;
import mcc.wire.Provider.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * A service that an app of this host offers at this node. Valid by construction: {@link #of} is the way in.
 *
 * @param id chosen by the app, 1 to 64 of letters, digits and {@code . _ -}
 * @param host where the node reaches the app
 * @param ports the app's ports, by which others ask for it too; at least one
 * @param weight 1 to 1,000
 * @param leaseMs how long it counts as usable after the node was last heard
 * @param delivery how the node hands connections to the app; other nodes are not told
 */
public record Registration(
        String id,
        ServiceName service,
        String host,
        Ports ports,
        int weight,
        List<String> tags,
        Map<String, String> meta,
        long leaseMs,
        Check check,
        Delivery delivery) {
    private static final byte[] KIND = Bytes.utf8("mcc/endpoint/1").toArray();
    private static final long LEASE_MIN_MS = 1_000;
    private static final long LEASE_MAX_MS = 3_600_000;
    private static final long IDLE_MIN_MS = 1_000;
    private static final long IDLE_MAX_MS = 604_800_000;

    /** How an app's health is found out. */
    public enum CheckType {
        /** A connection is accepted. */
        TCP,
        /** A GET of {@link Check#path} is answered with 2xx or 3xx. */
        HTTP,
        /** The app sends heartbeats. */
        TTL,
        /** It is not checked. */
        NONE
    }

    /**
     * How an app is checked, and how often.
     *
     * @param port the TCP port that is checked; 0 for the registration's first one
     * @param intervalMs from check to check; with {@link CheckType#TTL} the longest pause between heartbeats
     * @param failures consecutive failed checks after which the service is withdrawn
     */
    public record Check(CheckType type, int port, String path, long intervalMs, long timeoutMs, int failures) {
        /** No check. */
        public static final Check NONE = new Check(CheckType.NONE, "/", 5_000, 2_000, 2);

        /** Checks the first TCP port. */
        public Check(CheckType type, String path, long intervalMs, long timeoutMs, int failures) {
            this(type, 0, path, intervalMs, timeoutMs, failures);
        }
    }

    /**
     * How the node hands connections over to the app.
     *
     * @param proxy whether each TCP connection begins with a PROXY protocol header, version 2, that names the caller
     * @param idleMs after so long without a byte it is over; 0 for no limit, of UDP for the node's own
     */
    public record Delivery(boolean proxy, long idleMs) {
        /** No header and no limit. */
        public static final Delivery PLAIN = new Delivery(false, 0);
    }

    /** What an app asked for; null for fields that it left out. Enumerations are their lower-case names. */
    public record Draft(
            String id,
            @Nullable String service,
            @Nullable String host,
            @Nullable Integer port,
            @Nullable String protocol,
            @Nullable Integer weight,
            @Nullable List<String> tags,
            @Nullable Map<String, String> meta,
            @Nullable Long leaseMs,
            @Nullable CheckDraft check,
            @Nullable String proxy,
            @Nullable Long idleMs,
            @Nullable List<PortDraft> ports) {}

    /** The draft of one of its ports, or of a range. */
    public record PortDraft(
            @Nullable Integer port,
            @Nullable Integer endPort,
            @Nullable String protocol) {}

    /** The draft of its check. */
    public record CheckDraft(
            @Nullable String type,
            @Nullable Integer port,
            @Nullable String path,
            @Nullable Long intervalMs,
            @Nullable Long timeoutMs,
            @Nullable Integer failures) {}

    /** A registration, or all that is wrong with the draft of one. */
    public sealed interface Parsed {
        /** The draft is valid. */
        record Valid(Registration registration) implements Parsed {}

        /** The draft is invalid; at least one fault. */
        record Invalid(List<Fault> faults) implements Parsed {
            /** Copies the list. */
            public Invalid {
                faults = List.copyOf(faults);
            }
        }
    }

    /**
     * One thing that is wrong.
     *
     * @param pointer to the field, RFC 6901
     */
    public record Fault(String pointer, String detail) {}

    /** Copies the collections. */
    public Registration {
        tags = List.copyOf(tags);
        meta = Collections.unmodifiableMap(new LinkedHashMap<>(meta));
    }

    /** A registration with one port and plain delivery. */
    public Registration(
            String id,
            ServiceName service,
            String host,
            int port,
            Protocol protocol,
            int weight,
            List<String> tags,
            Map<String, String> meta,
            long leaseMs,
            Check check) {
        this(id, service, host, Ports.of(port, protocol), weight, tags, meta, leaseMs, check, Delivery.PLAIN);
    }

    /** A connection to the app ends after this long without a byte; 0 for the default. */
    public long idleMs() {
        return delivery.idleMs();
    }

    /** The first port. */
    public int port() {
        return ports.ranges().getFirst().first();
    }

    /** The protocol at the first port. */
    public Protocol protocol() {
        return ports.ranges().getFirst().protocol();
    }

    /** The port that a check of {@link CheckType#TCP} or {@link CheckType#HTTP} connects to. */
    int checkPort() {
        return check.port == 0 ? ports.first(false) : check.port;
    }

    /** Whether the other's health holds for this one too: it is the same app, checked in the same way. */
    boolean isSameApp(Registration other) {
        return host.equals(other.host)
                && ports.equals(other.ports)
                && check.type == other.check.type
                && check.port == other.check.port
                && check.path.equals(other.check.path);
    }

    /** Checks a draft and fills in what it leaves out. */
    public static Parsed of(Draft draft, String ownOrg) {
        List<Fault> faults = new ArrayList<>();
        if (!isId(draft.id)) faults.add(new Fault("/id", "1 to 64 letters, digits, '.', '_' or '-'"));
        ServiceName service = draft.service == null ? null : ServiceName.parse(draft.service, ownOrg);
        if (service == null) {
            faults.add(new Fault("/service", "a name of a-z, 0-9 and '-', 1 to 63 long, with or without 'org/'"));
        } else if (!service.org().equals(ownOrg)) {
            faults.add(new Fault("/service", "of '" + ownOrg + "': this node registers no others"));
        }
        String host = draft.host == null ? "127.0.0.1" : draft.host;
        if (!isHost(host)) faults.add(new Fault("/host", "a host name or IP address of at most 253 characters"));
        Ports ports = ports(faults, draft);
        long weight = draft.weight == null ? 100 : draft.weight;
        within(faults, "/weight", weight, 1, Provider.WEIGHT);
        List<String> tags = draft.tags == null ? List.of() : draft.tags;
        Map<String, String> meta = draft.meta == null ? new LinkedHashMap<>() : draft.meta;
        labels(faults, tags, meta, ports);
        long leaseMs = draft.leaseMs == null ? 30_000 : draft.leaseMs;
        within(faults, "/leaseMs", leaseMs, LEASE_MIN_MS, LEASE_MAX_MS);
        boolean udpAlone = ports.isKnown() && ports.first(false) == 0;
        Check check = check(faults, draft.check);
        boolean connects = check.type == CheckType.TCP || check.type == CheckType.HTTP;
        if (udpAlone && connects && check.port == 0) {
            faults.add(new Fault(
                    "/check/type",
                    "ttl or none, or have a port of TCP to look at (/check/port): a service of UDP accepts no connection"
                            + " that a node could try"));
        }
        Delivery delivery = delivery(faults, draft, udpAlone);
        if (!faults.isEmpty() || service == null) return new Parsed.Invalid(faults);
        return new Parsed.Valid(new Registration(
                draft.id, service, host, ports, (int) weight, tags, sorted(meta), leaseMs, check, delivery));
    }

    /** The ports of either form; where both are given, the short one must name the first. */
    private static Ports ports(List<Fault> faults, Draft draft) {
        int before = faults.size();
        List<PortDraft> drafts =
                draft.ports == null ? List.of(new PortDraft(draft.port, null, draft.protocol)) : draft.ports;
        if (drafts.isEmpty()) faults.add(new Fault("/ports", "a list of one port at least"));
        List<Ports.Range> ranges = new ArrayList<>();
        for (int i = 0; i < drafts.size() && i <= Ports.RANGES_MAX; i++) {
            Ports.Range range = range(faults, draft.ports == null ? "" : "/ports/" + i, drafts.get(i));
            if (range != null) ranges.add(range);
        }
        String together = Ports.fault(ranges);
        if (together != null) faults.add(new Fault("/ports", together));
        if (faults.size() > before) return Ports.UNKNOWN;
        Ports.Range first = ranges.getFirst();
        if (draft.ports == null) return new Ports(ranges);
        if (draft.port != null && draft.port != first.first()) {
            faults.add(new Fault("/port", "the first of /ports, " + first.first() + ", or left out"));
        }
        if (draft.protocol != null
                && !draft.protocol.equals(first.protocol().name().toLowerCase(Locale.ROOT))) {
            faults.add(new Fault("/protocol", "that of the first of /ports, or left out"));
        }
        return new Ports(ranges);
    }

    private static Ports.@Nullable Range range(List<Fault> faults, String pointer, PortDraft draft) {
        int before = faults.size();
        int first = draft.port == null ? -1 : draft.port;
        within(faults, pointer + "/port", first, 1, 65_535);
        int last = draft.endPort == null ? first : draft.endPort;
        if (faults.size() == before) within(faults, pointer + "/endPort", last, first, 65_535);
        Protocol protocol = protocol(faults, pointer + "/protocol", draft.protocol);
        return faults.size() == before ? new Ports.Range(first, last, protocol) : null;
    }

    private static Delivery delivery(List<Fault> faults, Draft draft, boolean udpAlone) {
        boolean proxy = "v2".equals(draft.proxy);
        if (!proxy && draft.proxy != null && !draft.proxy.equals("none")) {
            faults.add(new Fault("/proxy", "one of none, v2"));
        }
        if (proxy && udpAlone) {
            faults.add(new Fault("/proxy", "none: a header stands before a connection, and datagrams have none"));
        }
        if (draft.idleMs != null) within(faults, "/idleMs", draft.idleMs, IDLE_MIN_MS, IDLE_MAX_MS);
        return new Delivery(proxy, draft.idleMs == null ? 0 : draft.idleMs);
    }

    private static boolean isId(String id) {
        if (id.isEmpty() || id.length() > 64) return false;
        return id.chars()
                .allMatch(c -> (c >= 'a' && c <= 'z')
                        || (c >= 'A' && c <= 'Z')
                        || (c >= '0' && c <= '9')
                        || "._-".indexOf(c) >= 0);
    }

    private static boolean isHost(String host) {
        return !host.isEmpty() && host.length() <= 253 && host.chars().allMatch(c -> c > ' ' && c < 127 && c != '/');
    }

    private static Protocol protocol(List<Fault> faults, String pointer, @Nullable String text) {
        return switch (text == null ? "tcp" : text) {
            case "tcp" -> Protocol.TCP;
            case "udp" -> Protocol.UDP;
            case "http" -> Protocol.HTTP;
            default -> {
                faults.add(new Fault(pointer, "one of tcp, udp, http"));
                yield Protocol.TCP;
            }
        };
    }

    private static void labels(List<Fault> faults, List<String> tags, Map<String, String> meta, Ports ports) {
        if (tags.size() > Provider.LABELS) faults.add(new Fault("/tags", "at most " + Provider.LABELS + " tags"));
        for (int i = 0; i < tags.size(); i++) sized(faults, "/tags/" + i, tags.get(i), 1, Provider.LABEL_BYTES);
        if (meta.size() > Provider.LABELS) faults.add(new Fault("/meta", "at most " + Provider.LABELS + " entries"));
        for (var entry : sorted(meta).entrySet()) {
            String pointer = "/meta/" + entry.getKey().replace("~", "~0").replace("/", "~1");
            sized(faults, pointer, entry.getKey(), 1, Provider.LABEL_BYTES);
            sized(faults, pointer, entry.getValue(), 0, Provider.VALUE_BYTES);
        }
        if (Provider.labelsBytes(tags, meta, ports) > Provider.LABELS_BYTES) {
            faults.add(new Fault(
                    "/meta",
                    "shorter: tags, meta and all ports but the first (" + Ports.RANGE_BYTES
                            + " bytes an entry) take over " + Provider.LABELS_BYTES + " bytes"));
        }
    }

    private static Map<String, String> sorted(Map<String, String> meta) {
        return new java.util.TreeMap<>(meta);
    }

    private static Check check(List<Fault> faults, @Nullable CheckDraft draft) {
        if (draft == null) return Check.NONE;
        CheckType type = switch (draft.type == null ? "" : draft.type) {
            case "tcp" -> CheckType.TCP;
            case "http" -> CheckType.HTTP;
            case "ttl" -> CheckType.TTL;
            case "none" -> CheckType.NONE;
            default -> {
                faults.add(new Fault("/check/type", "one of tcp, http, ttl, none"));
                yield CheckType.NONE;
            }
        };
        String path = draft.path == null ? "/" : draft.path;
        boolean clean =
                path.startsWith("/") && path.length() <= 256 && path.chars().allMatch(c -> c > ' ' && c < 127);
        if (!clean)
            faults.add(
                    new Fault("/check/path", "a path that begins with '/', of at most 256 characters without blanks"));
        long intervalMs = draft.intervalMs == null ? 5_000 : draft.intervalMs;
        within(faults, "/check/intervalMs", intervalMs, 200, LEASE_MAX_MS);
        long timeoutMs = draft.timeoutMs == null ? 2_000 : draft.timeoutMs;
        within(faults, "/check/timeoutMs", timeoutMs, 50, 60_000);
        long failures = draft.failures == null ? 2 : draft.failures;
        within(faults, "/check/failures", failures, 1, 10);
        if (draft.port != null) within(faults, "/check/port", draft.port, 1, 65_535);
        return new Check(type, draft.port == null ? 0 : draft.port, path, intervalMs, timeoutMs, (int) failures);
    }

    private static void within(List<Fault> faults, String pointer, long value, long min, long max) {
        if (value < min || value > max) faults.add(new Fault(pointer, "a number from " + min + " to " + max));
    }

    private static void sized(List<Fault> faults, String pointer, String text, int min, int max) {
        int size = Bytes.utf8(text).size();
        if (size < min || size > max) faults.add(new Fault(pointer, min + " to " + max + " bytes long"));
    }

    /** Returns the ID by which other nodes know it: SHA-256("mcc/endpoint/1" ‖ node ‖ {@link #digest}). */
    public Id endpoint(Id node) {
        return endpoint(node, digest());
    }

    /** Returns SHA-256(registration ID), by which others can check the endpoint ID. */
    Id digest() {
        return Sha256.id(Bytes.utf8(id).toArray());
    }

    /** Returns the endpoint ID of the registration of that digest at that node. */
    static Id endpoint(Id node, Id digest) {
        return Sha256.id(KIND, node.toBytes(), digest.toBytes());
    }

    /**
     * Returns the key of one endpoint's record, whatever its service: the 80 bits of SHA-256(endpoint ID) that are in its IPv6
     * address, then zeros, so that the address alone is enough to find it.
     */
    static Id key(Id endpoint) {
        Id hash = Sha256.id(endpoint.toBytes());
        return new Id(hash.w0(), hash.w1() & 0xffffL << 48, 0, 0);
    }
}
