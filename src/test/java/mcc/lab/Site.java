package mcc.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.it.Needs;
import mcc.it.TwoHosts;
import mcc.sim.NatBehavior;

/** A router with hosts behind it. It can become a NAT of another kind while nodes run, which is like a new router. */
final class Site {
    /** The hosts' namespaces and addresses, joined by one Ethernet. */
    final List<Host> hosts = new ArrayList<>();
    /** Addresses of hosts of other sites that have an interface here. */
    final List<String> plugged = new ArrayList<>();
    /** Its public address, or the first of several. */
    final String outside;

    final Internet.Edge edge;
    private final Lab lab;
    final Netns router;
    /** The router's address where a carrier's NAT follows. */
    private final String carriers;

    private final boolean hasPublicHosts;
    private NatKind kind;

    Site(Lab lab, Netns router, String outside, String carriers, Internet.Edge edge, boolean hasPublicHosts) {
        this.lab = lab;
        this.router = router;
        this.outside = outside;
        this.carriers = carriers;
        this.edge = edge;
        this.hasPublicHosts = hasPublicHosts;
    }

    Host host() {
        return hosts.getFirst();
    }

    NatKind kind() {
        return kind;
    }

    /** A port of its public address. */
    Address at(int port) {
        return Address.parse(outside + ":" + port);
    }

    /** Is from now on of this kind, and knows nothing of what was. */
    Site become(NatKind next) throws Exception {
        if (hasPublicHosts != (next.behavior() == null))
            throw new IllegalArgumentException("hosts with such addresses are not behind '" + next + "'");
        kind = next;
        List<String> inside = new ArrayList<>(plugged);
        hosts.forEach(host -> inside.add(host.ip));
        // Where packets come first, there the old kind ends first: none may pass untranslated.
        lab.pump.with(internet -> {
            internet.translate(edge, next.box());
            return null;
        });
        TwoHosts.run("ip -n " + router.name + " addr " + (next.isOutsideAtRouter() ? "add " : "del ") + outside
                + "/32 dev wan");
        router.sh("nft -f - <<'END'\n" + next.nftables(outside, carriers, inside) + "END");
        if (next.box() == null && next.behavior() != null) remember(next.behavior());
        router.forgetFlows();
        return this;
    }

    private void remember(NatBehavior like) throws Exception {
        long idleS = like.idleNs() / 1_000_000_000L;
        router.sh("sysctl -qw net.netfilter.nf_conntrack_udp_timeout=" + Math.min(30, idleS)
                + " net.netfilter.nf_conntrack_udp_timeout_stream=" + idleS);
    }

    /** After how many idle seconds the router's kernel forgets a flow without an answer, and one with. */
    List<Long> forgetsAfterS() throws Exception {
        String both = router.sh(
                "sysctl -n net.netfilter.nf_conntrack_udp_timeout net.netfilter.nf_conntrack_udp_timeout_stream");
        return both.lines().map(Long::valueOf).toList();
    }

    /**
     * Has a daemon from now on that maps ports for hosts inside: miniupnpd, told by these lines of its configuration. What maps
     * flows from inside stays as it is.
     */
    AutoCloseable mapPorts(Path folder, String... lines) throws Exception {
        Needs.program("miniupnpd", "miniupnpd-nftables");
        router.sh("nft -f - <<'END'\n" + """
                table inet filter
                delete table inet filter
                table inet filter {
                  chain miniupnpd { }
                  chain prerouting_miniupnpd { }
                  chain postrouting_miniupnpd { }
                  chain prerouting { type nat hook prerouting priority -90; jump prerouting_miniupnpd; }
                  chain input { type filter hook input priority -10; }
                }
                END""");
        List<String> all = new ArrayList<>(List.of(
                "ext_ifname=wan", "listening_ip=lan", "ipv6_disable=yes", "secure_mode=yes", "notify_interval=3600"));
        all.add("uuid=613111e8-631a-4926-85c1-0bf780021a0f");
        all.addAll(List.of(lines));
        all.add("allow 1024-65535 10.0.0.0/8 1024-65535");
        Path file = folder.resolve("miniupnpd.conf");
        Files.write(file, all);
        Process daemon = new ProcessBuilder(TwoHosts.exec(
                        router.name, "miniupnpd", "-d", "-f", file + "", "-P", folder.resolve("pid") + ""))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("miniupnpd.log").toFile())
                .start();
        return lab.keep(() -> daemon.destroyForcibly().waitFor());
    }

    /** Lets its router drop what a rule of nftables matches, of what comes to itself. */
    void ignore(String rule) throws Exception {
        router.sh("nft add rule inet filter input " + rule + " drop");
    }

    /** Loses all mappings, as when the router is switched off and on. */
    void reboot() throws Exception {
        lab.pump.with(internet -> {
            internet.restart(edge);
            return null;
        });
        router.forgetFlows();
    }

    /** What nftables in its router has now. */
    String rules() throws Exception {
        return router.sh("nft list ruleset");
    }

    /** Has the NAT of another site at its edge, as two customers of one carrier do; this site's own kind must be a carrier's. */
    void share(Site other) {
        lab.pump.with(internet -> {
            internet.share(edge, other.edge);
            return null;
        });
    }
}
