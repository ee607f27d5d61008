package mcc.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToLongFunction;
import mcc.core.Address;
import mcc.it.Needs;
import mcc.it.RealNode;
import mcc.it.TwoHosts;

/**
 * An internet of the test's own, empty at first, with addresses that are for documentation and benchmarks. Needs root, nftables
 * and /dev/net/tun. Hosts and sites are added and stay; closing ends all that runs in it and removes it, and so does the end of
 * this JVM, however it comes.
 */
final class Lab implements AutoCloseable {
    /** Five networks that no more than their first byte or two have in common; each edge has eight addresses of one. */
    private static final List<String> NETWORKS =
            List.of("198.18.0.", "203.0.113.", "198.51.100.", "198.19.0.", "192.0.2.");

    /** The longest that anything here waits before it is a failure: not a figure, a net. */
    static final long PATIENCE_NS = 20_000_000_000L;

    private static final int EDGES_MAX = 150;
    private static final int ADDRESSES = 8;
    private static final AtomicInteger LABS = new AtomicInteger();

    final Pump pump;
    private final String prefix;
    private final Process reaper;
    private final Netns core;
    private final List<Netns> namespaces = new ArrayList<>();
    private final List<AutoCloseable> kept = new ArrayList<>();
    private int edges;

    /** @param name tells this lab's namespaces from those of others */
    Lab(String name) throws Exception {
        Needs.root();
        Needs.program("ip", "iproute2");
        Needs.program("nft", "nftables");
        Needs.program("sysctl", "procps");
        if (!Files.exists(Path.of("/dev/net/tun"))) Needs.missing("this test needs /dev/net/tun: modprobe tun");
        prefix = "mcc-" + name + LABS.incrementAndGet() + "-"
                + ProcessHandle.current().pid() + "-";
        reaper = reaper();
        Pump started = null;
        try {
            core = namespace("core");
            started = new Pump(new Internet(edges), core, "em0");
            pump = started;
            core.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
            ip(core, """
                    link set em0 up txqueuelen 20000
                    route add default dev em0 table 100
                    """);
            ip6(core, "route add default dev em0 table 100\n");
        } catch (Exception | AssertionError e) {
            if (started != null) started.close();
            remove();
            throw e;
        }
    }

    /** A process that removes all as soon as its input ends: by {@link #close}, or because this JVM is no more. */
    private Process reaper() throws Exception {
        String script = """
                trap '' INT TERM HUP
                cat > /dev/null
                for ns in $(ip netns list | cut -d' ' -f1 | grep "^PREFIX"); do
                  for pid in $(ip netns pids $ns); do kill -9 $pid; done
                  ip netns del $ns
                done
                """.replace("PREFIX", prefix);
        return new ProcessBuilder("sh", "-c", script)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private Netns namespace(String name) throws Exception {
        Netns ns = new Netns(prefix + name);
        namespaces.add(ns);
        TwoHosts.sh("ip netns add " + ns.name + " && ip -n " + ns.name + " link set lo up && "
                + TwoHosts.in(
                        ns.name,
                        "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0"
                                + " net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0"));
        return ns;
    }

    /** Lines of commands for the program ip. */
    private static void ip(Netns ns, String lines) throws Exception {
        TwoHosts.sh("ip -n " + ns.name + " -batch - <<'END'\n" + lines + "END");
    }

    private static void ip6(Netns ns, String lines) throws Exception {
        TwoHosts.sh("ip -6 -n " + ns.name + " -batch - <<'END'\n" + lines + "END");
    }

    // ---- what there is ----------------------------------------------------------------------------------------------

    /** A host with a public address of its own, each in another network than the last four, and one of IPv6. */
    Host open() throws Exception {
        return open(next());
    }

    /** A host with this public address. */
    Host open(String ip) throws Exception {
        int n = edges;
        Netns ns = namespace("o" + n);
        Internet.Edge edge = join(ns, "eth0", ip, ip);
        return new Host(this, ns, ip, wanIp6(n), edge);
    }

    /** A site whose hosts have private IPv4 addresses and no others; until told otherwise, it is a home. */
    Site site(int hosts) throws Exception {
        return site(hosts, false, next()).become(NatKind.HOME);
    }

    /** The same with this public address. */
    Site site(int hosts, String outside) throws Exception {
        return site(hosts, false, outside).become(NatKind.HOME);
    }

    /** A site whose hosts have public addresses of both families; until told otherwise, behind a firewall. */
    Site firewalled(int hosts) throws Exception {
        return site(hosts, true, next()).become(NatKind.FIREWALL);
    }

    private String next() {
        return NETWORKS.get(edges % NETWORKS.size()) + (edges / NETWORKS.size() * ADDRESSES + 1);
    }

    private static String wanIp6(int n) {
        return "3fff:" + Integer.toHexString(n) + ":1::2";
    }

    /** Joins an interface that has this address to the internet, where the first address of this end is {@code outside}. */
    private Internet.Edge join(Netns ns, String device, String ip, String outside) throws Exception {
        if (edges >= EDGES_MAX) throw new IllegalStateException("this lab is full");
        int n = edges++;
        ip(ns, """
                link add DEV type veth peer name vN netns CORE
                addr add IP4/32 dev DEV
                addr add IP6/128 dev DEV nodad
                link set DEV up
                route add 169.254.0.1 dev DEV
                route add default via 169.254.0.1 dev DEV
                """.replace("DEV", device)
                .replace("vN", "v" + n)
                .replace("CORE", core.name)
                .replace("IP4", ip)
                .replace("IP6", wanIp6(n)));
        ip(core, """
                addr add 169.254.0.1/32 dev vN
                addr add fe80::1/64 dev vN nodad
                link set vN up
                route add IP4/32 dev vN
                rule add iif vN lookup 100 pref 100
                """.replace("vN", "v" + n).replace("IP4", ip));
        ip6(core, """
                route add IP6/128 dev vN
                rule add iif vN lookup 100 pref 100
                """.replace("vN", "v" + n).replace("IP6", wanIp6(n)));
        ip6(ns, "route add default via fe80::1 dev " + device + "\n");
        return pump.with(internet -> {
            Internet.Edge edge = internet.join(Address.parse(outside + ":0"));
            internet.own(edge, Address.parse("[" + wanIp6(n) + "]:0"), true);
            return edge;
        });
    }

    private Site site(int hosts, boolean isPublic, String outside) throws Exception {
        int n = edges;
        String carriers = "100.64." + n + ".1";
        String lan = "10." + n + ".0.";
        String lan6 = "3fff:" + Integer.toHexString(n) + ":2::";
        Netns router = namespace("r" + n);
        router.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
        Internet.Edge edge = join(router, "wan", carriers, outside);
        ip(router, """
                link add lan type bridge
                addr add LAN.1/24 dev lan
                addr add LAN6.1/64 dev lan nodad
                link set lan up
                """.replace("LAN.", lan).replace("LAN6.", lan6));
        ip(core, """
                route add OUTSIDE/32 via CARRIERS dev vN onlink
                route add LAN.0/24 via CARRIERS dev vN onlink
                """.replace("CARRIERS", carriers)
                .replace("OUTSIDE", outside)
                .replace("vN", "v" + n)
                .replace("LAN.", lan));
        ip6(core, "route add " + lan6 + "/64 via " + wanIp6(n) + " dev v" + n + " onlink\n");
        Site site = new Site(this, router, outside, carriers, edge, isPublic);
        for (int i = 0; i < hosts; i++) site.hosts.add(inside(site, router, n, i, isPublic ? null : lan, lan6));
        pump.with(internet -> {
            Address first = Address.parse(outside + ":0");
            for (int i = 1; i < ADDRESSES; i++) internet.own(edge, Address.v4(first.v4Bits() + i, 0), true);
            internet.own(edge, Address.parse(carriers + ":0"), false);
            return null;
        });
        return site;
    }

    /** A host on the site's Ethernet, with a private address, or public ones. */
    private Host inside(Site site, Netns router, int n, int i, String lan, String lan6) throws Exception {
        Netns ns = namespace("h" + n + "-" + i);
        boolean isPublic = lan == null;
        Address outside = Address.parse(site.outside + ":0");
        String ip = isPublic ? Address.v4(outside.v4Bits() + 1 + i, 0).host() : lan + (2 + i);
        String gateway = "10." + n + ".0.1";
        ip(ns, """
                link add eth0 type veth peer name pI netns ROUTER
                addr add IP/LENGTH dev eth0
                link set eth0 up
                """.replace("pI", "p" + i)
                .replace("ROUTER", router.name)
                .replace("IP", ip)
                .replace("LENGTH", isPublic ? "32" : "24"));
        ip(router, "link set pI master lan up\n".replace("pI", "p" + i));
        if (isPublic) {
            ip(ns, "route add " + gateway + " dev eth0\naddr add " + lan6 + (2 + i) + "/64 dev eth0 nodad\n");
            ip6(ns, "route add default via " + lan6 + "1 dev eth0\n");
            ip(router, "route add " + ip + "/32 dev lan\n");
            ip(
                    core,
                    "route add IP/32 via OUTSIDE dev vN onlink\n"
                            .replace("IP", ip)
                            .replace("OUTSIDE", site.outside)
                            .replace("vN", "v" + n));
        }
        ip(ns, "route add default via " + gateway + " dev eth0\n");
        String ip6 = isPublic ? lan6 + (2 + i) : null;
        pump.with(internet -> {
            internet.own(site.edge, Address.parse(ip + ":0"), isPublic);
            if (isPublic) internet.own(site.edge, Address.parse("[" + ip6 + "]:0"), true);
            return null;
        });
        return new Host(this, ns, ip, ip6, site.edge);
    }

    // ---- nodes ------------------------------------------------------------------------------------------------------

    /** Nodes on open hosts of their own, that know each other by the first. */
    List<RealNode> openNodes(int count, Path folder, String... options) throws Exception {
        List<RealNode> nodes = new ArrayList<>();
        nodes.add(open().node(folder.resolve("open0"), options));
        String[] all = bootstrap(nodes.getFirst(), options);
        List<CompletableFuture<RealNode>> starting = new ArrayList<>();
        for (int i = 1; i < count; i++) {
            Host host = open();
            Path data = folder.resolve("open" + i);
            starting.add(CompletableFuture.supplyAsync(() -> host.node(data, all)));
        }
        for (CompletableFuture<RealNode> each : starting) nodes.add(each.get());
        return nodes;
    }

    /** These options, and that by which a node joins this one's network. */
    static String[] bootstrap(RealNode first, String... options) {
        List<String> all = new ArrayList<>(List.of("--bootstrap", first.bootstrap()));
        all.addAll(List.of(options));
        return all.toArray(String[]::new);
    }

    /** Gives a host a second interface, eth1, into another site; its routes serve where eth0 has none. */
    void plug(Host host, Site site) throws Exception {
        String first = site.host().ip;
        String lan = first.substring(0, first.lastIndexOf('.') + 1);
        ip(host.ns, """
                link add eth1 type veth peer name plugged netns ROUTER
                addr add LAN99/24 dev eth1
                link set eth1 up
                route add default via LAN1 dev eth1 metric 500
                """.replace("ROUTER", site.router.name).replace("LAN", lan));
        ip(site.router, "link set plugged master lan up\n");
        pump.with(internet -> {
            internet.own(site.edge, Address.parse(lan + "99:0"), false);
            return null;
        });
        site.plugged.add(lan + "99");
        site.become(site.kind());
    }

    // ---- links ------------------------------------------------------------------------------------------------------

    /** Sets the delay of all links, one way. */
    void delay(int ms) {
        shapeAll("delay-us=" + ms * 1_000);
    }

    /** Shapes all links in the words of {@link mcc.wan.Shape}. */
    void shapeAll(String words) {
        pump.with(internet -> {
            internet.shapeAll(words);
            return null;
        });
    }

    /** Shapes the link from one edge to another, in this direction. */
    void shape(Internet.Edge from, Internet.Edge to, String words) {
        pump.with(internet -> {
            internet.shape(from, to, words);
            return null;
        });
    }

    /** Lets nothing pass from one edge to another, in this direction, or lets it pass again. */
    void blackHole(Internet.Edge from, Internet.Edge to, boolean black) {
        shape(from, to, "loss-ppm=" + (black ? 1_000_000 : 0));
    }

    /** Lets so many seconds pass for the NATs that are not made with nftables. */
    void ageNats(int seconds) {
        pump.with(internet -> {
            internet.age(seconds * 1_000_000_000L);
            return null;
        });
    }

    /** Does something, and waits until so many packets more have come to the end of a direction because of it. */
    void awaitArrivals(Internet.Edge from, Internet.Edge to, int packets, Act what) throws Exception {
        ToLongFunction<Internet> arrived = internet -> internet.arrived(from, to);
        long before = pump.with(arrived::applyAsLong);
        what.run();
        long end = System.nanoTime() + PATIENCE_NS;
        while (pump.with(arrived::applyAsLong) < before + packets) {
            if (System.nanoTime() > end) throw new AssertionError("the packets do not arrive");
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Something that a test does. */
    @FunctionalInterface
    interface Act {
        void run() throws Exception;
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

    /** Closes something with the lab. */
    <T extends AutoCloseable> T keep(T what) {
        synchronized (kept) {
            kept.add(what);
        }
        return what;
    }

    private void remove() throws Exception {
        for (Netns ns : namespaces) ns.close();
        reaper.getOutputStream().close();
        reaper.waitFor();
    }

    @Override
    public void close() throws Exception {
        List<AutoCloseable> all;
        synchronized (kept) {
            all = List.copyOf(kept);
        }
        for (AutoCloseable each : all) if (each instanceof RealNode node) node.process.destroyForcibly();
        for (AutoCloseable each : all) each.close();
        pump.close();
        remove();
    }
}
