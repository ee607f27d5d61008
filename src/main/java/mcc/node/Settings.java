package mcc.node;

import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import mcc.tun.Rule;
import mcc.tun.Subnet;
import mcc.tun.Subnets;
import org.jspecify.annotations.Nullable;

/**
 * The operator's settings: a command-line option takes precedence over an environment variable, that over the file, and that
 * over the default.
 *
 * <p>Key {@code a.b} is the option {@code --a-b}, the variable {@code MCC_A_B} and in the file {@code a.b:} or
 * {@code a: {b: …}}. An unknown key in the file is an error that names the nearest known one; an unknown {@code MCC_*}
 * variable is only a warning.
 */
public final class Settings {
    /** A key: its name, default and meaning. A list's values are separated by commas. */
    public record Key(String name, String fallback, boolean list, String meaning) {
        /** The option's name. */
        public String option() {
            return "--" + name.replace('.', '-');
        }

        /** Whether it is a boolean key, whose option may be given without a value. */
        public boolean flag() {
            return fallback.equals("true") || fallback.equals("false");
        }

        /** The environment variable's name. */
        public String variable() {
            return "MCC_" + name.replace('.', '_').toUpperCase(Locale.ROOT);
        }
    }

    /** All keys, in the order of the documentation. */
    public static final List<Key> KEYS = List.of(
            new Key("data", "", false, "folder for identity and state; created with mode 0700"),
            new Key("name", "", false, "name of this node for people; default: the host's name"),
            new Key("network", "open", false, "name of the network; nodes of different networks never meet"),
            new Key("listen", "0.0.0.0:9376,[::]:9376", true, "UDP addresses for other nodes"),
            new Key("http", "127.0.0.1:8080", false, "address for REST and dashboard; loopback only"),
            new Key(
                    "http.tokenless",
                    "true",
                    false,
                    "whether programs on this host may read and use services without a token"),
            new Key("http.hosts", "", true, "further names accepted in the Host header"),
            new Key("socks", "", false, "address for a SOCKS5 listener; empty: none"),
            new Key("tunnel.patience", "10", false, "seconds a provider may be silent before its connections end"),
            new Key(
                    "tunnel.keepalive",
                    "60",
                    false,
                    "seconds of silence after which a local program's connection is probed"),
            new Key("udp.idle", "120", false, "seconds after which an unused flow of UDP is forgotten"),
            new Key(
                    "udp.offload",
                    "auto",
                    false,
                    "whether the kernel cuts and joins datagrams: auto, where it can, or off"),
            new Key(
                    "udp.via",
                    "",
                    false,
                    "for demonstrations: HOST:PORT of a program that plays the network and takes every datagram"),
            new Key(
                    "relay",
                    "auto",
                    false,
                    "whether to relay for nodes behind NATs: auto, while every node reaches this one; on; or off"),
            new Key(
                    "relay.websocket",
                    "",
                    false,
                    "HOST:PORT at which to take carriers, for nodes without UDP; it relays then; empty: none"),
            new Key(
                    "relay.websocket.tls",
                    "auto",
                    false,
                    "its certificate: auto, one of its own; CERTIFICATE,KEY, two PEM files; or off, behind a proxy"),
            new Key(
                    "carrier",
                    "auto",
                    false,
                    "whether to reach relays by TCP: auto, while UDP gets nowhere; off; or only, without any UDP"),
            new Key("proxy", "", false, "HTTP proxy for carriers: http://USER:PASSWORD@HOST:PORT, or environment"),
            new Key("proxy.file", "", false, "file that contains the value of proxy"),
            new Key("relay.rate", "0", false, "Mbit/s through each circuit that this node relays; 0: no limit"),
            new Key("lan.discovery", "true", false, "whether nodes on one link find each other, by multicast"),
            new Key("nat.portMapping", "true", false, "whether to ask the router for a port, by PCP, NAT-PMP or UPnP"),
            new Key("tun", "false", false, "whether to make a virtual interface; needs CAP_NET_ADMIN, on Linux"),
            new Key("tun.name", "mcc0", false, "name of the virtual interface"),
            new Key(
                    "tun.ipv4",
                    "true",
                    false,
                    "whether the virtual interface has an IPv4 address too, of 100.64.0.0/10"),
            new Key(
                    "tun.offload",
                    "auto",
                    false,
                    "whether the kernel passes packets uncut: auto, where it can, or off"),
            new Key("tun.allow", "none", false, "what peers may begin through the interface: none, or all"),
            new Key("tun.routes", "", true, "networks behind nodes: PREFIX@NODE, or PREFIX for those behind this one"),
            new Key("tun.inbound", "", true, "what else they may begin: tcp:22, udp:5000-5010, tcp:22@NODE, any@NODE"),
            new Key(
                    "bootstrap",
                    "",
                    true,
                    "nodes to meet first: HOST:PORT or KEY@HOST:PORT, or wss://HOST:PORT#KEY for a relay's carriers"),
            new Key("plugins.upload", "false", false, "whether POST /plugins may deploy code"),
            new Key("log.level", "info", false, "error, warn, info, debug or trace"),
            new Key("log.format", "text", false, "text or json"),
            new Key("log.file", "", false, "file to log to as well; rotated at 10 MiB, 5 files are kept"));

    private static final String NAME = "[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?";

    private final Map<String, String> values;
    private final List<String> warnings;

    private Settings(Map<String, String> values, List<String> warnings) {
        this.values = values;
        this.warnings = List.copyOf(warnings);
    }

    /**
     * Merges the sources and checks every value.
     *
     * @param options by key, from the command line
     * @param environment usually {@link System#getenv()}
     * @param file a YAML file; null for none
     * @throws Problem for an unknown key, an unreadable file or a malformed value, naming its place
     */
    public static Settings load(Map<String, String> options, Map<String, String> environment, @Nullable Path file) {
        List<String> warnings = new ArrayList<>();
        Map<String, String> values = new TreeMap<>();
        Map<String, String> where = new HashMap<>();
        for (Key key : KEYS) values.put(key.name(), key.fallback());
        if (file != null) {
            SettingsFile.read(file).forEach((name, value) -> {
                values.put(name, value.text());
                where.put(name, value.where());
            });
            warnOf(file, warnings);
        }
        for (Map.Entry<String, String> e : new TreeMap<>(environment).entrySet()) {
            if (!e.getKey().startsWith("MCC_") || OTHER_VARIABLES.contains(e.getKey())) continue;
            Key key = null;
            for (Key k : KEYS) if (k.variable().equals(e.getKey())) key = k;
            if (key == null) warnings.add("unknown environment variable " + e.getKey() + " is ignored");
            else {
                values.put(key.name(), e.getValue());
                where.put(key.name(), "variable " + e.getKey());
            }
        }
        values.putAll(options);
        options.keySet().forEach(where::remove);
        values.replaceAll(Settings::word);
        values.forEach((name, value) -> check(name, value, where.get(name)));
        return new Settings(values, warnings);
    }

    private static void check(String name, String value, @Nullable String where) {
        try {
            check(name, value);
        } catch (Problem p) {
            throw where == null ? p : new Problem(p.code(), where + ": " + p.detail(), p.hint());
        }
    }

    /** Accepts YAML's words for the values of a boolean key. */
    private static String word(String name, String value) {
        Key key = find(name);
        if (key == null || !key.flag()) return value;
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on" -> "true";
            case "false", "no", "off" -> "false";
            default -> value;
        };
    }

    private static void warnOf(Path file, List<String> warnings) {
        try {
            String fault = Ownership.fault(file);
            if (fault != null)
                warnings.add("configuration file " + file + " " + fault + ": that user controls what this node does");
        } catch (IOException | UnsupportedOperationException _) {
            // it could be read; nothing more is known
        }
    }

    /**
     * The host's name, or as much of it as is valid for a node.
     *
     * @param variable from the environment; may be null
     * @param kernel from the kernel
     */
    static String hostName(@Nullable String variable, String kernel) {
        for (String name : new String[] {variable == null ? "" : variable, kernel}) {
            if (name.matches(NAME)) return name;
            String first = name.split("\\.", 2)[0];
            if (first.matches(NAME)) return first;
        }
        return "node";
    }

    /**
     * Parses a path.
     *
     * @throws Problem if this Java cannot represent it
     */
    public static Path path(String what, String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new Problem(
                    "config",
                    what + ": '" + LogText.plain(text) + "' is not a path here: " + e.getReason(),
                    "start the node in a locale of UTF-8, such as LC_ALL=C.UTF-8");
        }
    }

    static boolean isKey(String name) {
        return find(name) != null;
    }

    static boolean isList(String name) {
        Key key = find(name);
        return key != null && key.list();
    }

    private static final List<String> OTHER_VARIABLES = List.of(
            "MCC_NODE", "MCC_TOKEN", "MCC_CONFIG", "MCC_REQUIRE_ALL", "MCC_VECTORS", "MCC_JAVA_OPTS", "MCC_HOME");

    /** The value of a key. */
    public String text(String key) {
        String value = values.get(key);
        if (value == null) throw new IllegalArgumentException("no such key: " + key);
        return value;
    }

    /** The values of a list key. */
    public List<String> list(String key) {
        return items(text(key));
    }

    /** The value of a boolean key. */
    public boolean flag(String key) {
        return text(key).equals("true");
    }

    /** Remarks that do not prevent a start. */
    public List<String> warnings() {
        return warnings;
    }

    /** The value of a key as it may be shown: without a password. */
    public String shown(String key) {
        String value = text(key);
        int at = value.lastIndexOf('@');
        return key.equals("proxy") && at >= 0 ? "http://***" + value.substring(at) : value;
    }

    /** All keys with their values, as they may be shown. */
    public Map<String, String> all() {
        Map<String, String> out = new TreeMap<>();
        values.keySet().forEach(key -> out.put(key, shown(key)));
        return out;
    }

    private static void check(String name, String value) {
        Key key = find(name);
        if (key == null) {
            throw new Problem("config", "unknown key '" + name + "'", "did you mean '" + nearest(name) + "'?");
        }
        switch (name) {
            case "tun", "tun.ipv4", "nat.portMapping", "lan.discovery", "http.tokenless", "plugins.upload" ->
                oneOf(name, value, "true", "false");
            case "http" -> checkLoopback(name, value);
            case "listen", "socks", "udp.via" -> items(value).forEach(item -> Addresses.split(name, item));
            case "bootstrap" -> items(value).forEach(Addresses::checkBootstrap);
            case "relay.websocket" -> items(value).forEach(item -> Addresses.split(name, item));
            case "relay.websocket.tls" -> checkTls(name, value);
            case "carrier" -> oneOf(name, value, "auto", "off", "only");
            case "proxy" -> {
                if (!value.isBlank() && !value.equals("environment")) HttpProxy.parse(value.strip());
            }
            case "tunnel.keepalive", "tunnel.patience" ->
                seconds(name, value, "[0-9]{1,4}", "1 to 9999 seconds, 0 for never");
            case "udp.idle" -> seconds(name, value, "[1-9][0-9]{0,3}", "1 to 9999 seconds");
            case "udp.offload", "tun.offload" -> oneOf(name, value, "auto", "off");
            case "relay" -> oneOf(name, value, "auto", "on", "off");
            case "relay.rate" -> {
                if (!value.matches("[0-9]{1,6}")) {
                    throw new Problem("config", "relay.rate: '" + value + "' is not a rate", "use 0 to 999999 Mbit/s");
                }
            }
            case "tun.allow" -> oneOf(name, value, "none", "all");
            case "tun.inbound" -> checkRules(name, value);
            case "tun.routes" -> checkRoutes(name, value);
            case "tun.name" -> {
                if (!value.matches("[a-z][a-z0-9-]{0,14}")) {
                    throw new Problem(
                            "config", "tun.name: '" + value + "' is not a valid name", "use letters and digits");
                }
            }
            case "log.level" -> oneOf(name, value, "error", "warn", "info", "debug", "trace");
            case "log.format" -> oneOf(name, value, "text", "json");
            case "network" -> {
                if (!value.matches("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")) {
                    throw new Problem(
                            "config", "network: '" + value + "' is not a valid name", "use letters, digits and dashes");
                }
            }
            case "name" -> {
                if (!value.isEmpty() && !value.matches(NAME)) {
                    throw new Problem(
                            "config",
                            "name: '" + value + "' is not a valid host name",
                            "use letters, digits and dashes");
                }
            }
            case "data", "log.file", "proxy.file" -> path(name, value);
            default -> {}
        }
    }

    private static void checkTls(String name, String value) {
        if (value.equals("auto") || value.equals("off")) return;
        String[] files = value.split(",", -1);
        if (files.length == 2 && !files[0].isBlank() && !files[1].isBlank()) return;
        throw new Problem("config", name + ": '" + value + "' is not allowed", "use auto, off, or CERTIFICATE,KEY");
    }

    private static void checkRules(String name, String value) {
        String[] rules = value.split(",");
        if (rules.length > Rule.MAX) {
            throw new Problem(
                    "config", name + " has more than " + Rule.MAX + " rules", "join ports, as in tcp:5000-5010");
        }
        for (String rule : rules) {
            if (rule.isBlank() || Rule.parse(rule.strip()) != null) continue;
            throw new Problem(
                    "config", name + ": '" + rule + "' is not a rule", "write tcp:22, udp:5000-5010 or any@NODE");
        }
    }

    private static void checkRoutes(String name, String value) {
        String[] parts = value.split(",");
        if (parts.length > Subnets.MAX) {
            throw new Problem("config", name + " has more than " + Subnets.MAX + " networks", "join some of them");
        }
        Set<String> seen = new HashSet<>();
        for (String part : parts) {
            if (part.isBlank()) continue;
            Subnet subnet = Subnet.parse(part.strip());
            if (subnet == null) {
                String hint = "write 192.0.2.0/24@NODE or 2001:db8::/48, with no bit set behind the prefix";
                throw new Problem("config", name + ": '" + part + "' is not a network behind a node", hint);
            }
            if (seen.add(subnet.toString())) continue;
            throw new Problem("config", name + " has " + subnet + " twice", "keep the one with the right node");
        }
    }

    private static List<String> items(String value) {
        return Arrays.stream(value.split(","))
                .map(String::strip)
                .filter(item -> !item.isEmpty())
                .toList();
    }

    private static void checkLoopback(String name, String value) {
        try {
            Addresses.checkLoopback(
                    name, value, HostNames.lookUp(Addresses.split(name, value).host()));
        } catch (UnknownHostException _) {
            throw Addresses.unknownHost(name, value);
        }
    }

    private static void seconds(String name, String value, String form, String hint) {
        if (!value.matches(form)) {
            throw new Problem("config", name + ": '" + value + "' is not a valid time", "use " + hint);
        }
    }

    private static void oneOf(String name, String value, String... allowed) {
        for (String a : allowed) if (a.equals(value)) return;
        throw new Problem("config", name + ": '" + value + "' is not allowed", "use " + String.join(" or ", allowed));
    }

    private static @Nullable Key find(String name) {
        for (Key key : KEYS) if (key.name().equals(name)) return key;
        return null;
    }

    /** The known key with the smallest edit distance. */
    public static String nearest(String name) {
        String best = "";
        int least = Integer.MAX_VALUE;
        for (Key key : KEYS) {
            int d = distance(name, key.name());
            if (d < least) {
                least = d;
                best = key.name();
            }
        }
        return best;
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) row[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
