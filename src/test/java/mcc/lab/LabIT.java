package mcc.lab;

import static mcc.sim.NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ADDRESS_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ENDPOINT_INDEPENDENT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import mcc.core.Address;
import mcc.it.RealNode;
import mcc.it.TwoHosts;
import mcc.sim.NatBehavior.Ports;
import mcc.sim.NatBehavior.Scope;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The lab is what it says: each NAT is found to be of its kind by what comes through it, as RFC 5780 tells NATs apart. */
class LabIT {
    private static Lab lab;
    private static Host one;
    private static Host two;
    private static Site site;
    private static Site other;
    private static Probe oneA;
    private static Probe oneB;
    private static Probe twoA;
    private static int nextPort = 20_000;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("lab");
        one = lab.open();
        two = lab.open();
        site = lab.site(2);
        other = lab.site(1);
        oneA = one.probe(1000);
        oneB = one.probe(2000);
        twoA = two.probe(1000);
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    /** A socket at a port that had none yet: its NAT may remember what others did. */
    private static Probe fresh(Host host) throws Exception {
        return host.probe(nextPort++);
    }

    /** What a NAT is like. {@code strays}: whether a packet that came too early takes a port from its flow. */
    private record Found(Scope mapping, Scope filtering, Ports ports, boolean hairpins, boolean strays) {}

    @TestFactory
    Stream<DynamicTest> aNatIsOfItsKind() {
        return NatKind.TRANSLATING.stream()
                .map(kind -> DynamicTest.dynamicTest(kind.name(), () -> {
                    site.become(kind);
                    boolean strays =
                            kind.behavior().takesStrays() && kind.behavior().mapping() == ENDPOINT_INDEPENDENT;
                    assertThat(new Found(mapping(), filtering(), ports(), hairpins(), strays()))
                            .isEqualTo(new Found(
                                    kind.behavior().mapping(),
                                    kind.behavior().filtering(),
                                    kind.behavior().ports(),
                                    kind.behavior().hairpinning(),
                                    strays));
                }));
    }

    private static Scope mapping() throws Exception {
        try (Probe p = fresh(site.host())) {
            Address first = p.ask(oneA.at());
            assertThat(p.ask(oneA.at())).as("the same flow").isEqualTo(first);
            if (!p.ask(oneB.at()).equals(first)) return ADDRESS_AND_PORT_DEPENDENT;
            return p.ask(twoA.at()).equals(first) ? ENDPOINT_INDEPENDENT : ADDRESS_DEPENDENT;
        }
    }

    private static Scope filtering() throws Exception {
        try (Probe p = fresh(site.host())) {
            Address at = p.ask(oneA.at());
            if (comes(two, twoA, at, p)) return ENDPOINT_INDEPENDENT;
            return comes(one, oneB, at, p) ? ADDRESS_DEPENDENT : ADDRESS_AND_PORT_DEPENDENT;
        }
    }

    /** Whether a datagram comes through to a probe behind the NAT; one that follows it must. */
    private static boolean comes(Host from, Probe by, Address to, Probe at) throws Exception {
        String text = "from " + by.at();
        lab.awaitArrivals(from.edge, site.edge, 1, () -> by.send(to, text));
        at.ask(oneA.at());
        return at.find(text) != null;
    }

    private static Ports ports() throws Exception {
        List<Integer> inside = new ArrayList<>();
        List<Integer> outside = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            try (Probe p = fresh(site.host())) {
                inside.add(p.at().port());
                outside.add(p.ask(oneA.at()).port());
            }
        }
        if (outside.equals(inside)) return Ports.PRESERVED;
        int first = outside.getFirst();
        if (outside.stream().allMatch(port -> port == first + outside.indexOf(port))) return Ports.SEQUENTIAL;
        // Eight random ports are in one block by chance once in 126 to the power of seven times.
        return outside.stream().map(port -> port / 512).distinct().count() == 1 ? Ports.BLOCK : Ports.RANDOM;
    }

    private static boolean hairpins() throws Exception {
        try (Probe p = site.host().probe(NatKind.FORWARDED_PORT);
                Probe q = fresh(site.hosts.get(1))) {
            Address mine = p.ask(oneA.at());
            Address theirs = q.ask(oneA.at());
            p.send(theirs, "opens");
            p.ask(oneA.at());
            q.send(mine, "hairpin");
            q.ask(oneA.at());
            p.ask(oneA.at());
            return p.find("hairpin") != null;
        }
    }

    private static boolean strays() throws Exception {
        try (Probe p = fresh(site.host())) {
            if (mapping() != ENDPOINT_INDEPENDENT) return false;
            Address at = p.ask(oneA.at());
            return !comes(two, twoA, at, p) && !p.ask(twoA.at()).equals(at);
        }
    }

    @Test
    void aPacketThatIsEarlyPoisonsAPunchUnlessItIsDroppedOrDiesOnItsWay() throws Exception {
        for (NatKind kind : List.of(NatKind.HOME_OPEN, NatKind.PORT_RESTRICTED_OPEN)) {
            assertThat(punches(kind, 64)).as(kind + ", too early").isFalse();
            assertThat(punches(kind, 4))
                    .as(kind + ", too early with a short life")
                    .isTrue();
        }
        for (NatKind kind : List.of(NatKind.HOME, NatKind.PORT_RESTRICTED)) {
            assertThat(punches(kind, 64)).as(kind + ", dropped").isTrue();
        }
    }

    /** Whether two punch though the first packet of one is there before the other's begins. */
    private static boolean punches(NatKind kind, int life) throws Exception {
        site.become(kind);
        other.become(kind);
        try (Probe p = fresh(site.host());
                Probe q = fresh(other.host())) {
            Address mine = p.ask(oneA.at());
            Address theirs = q.ask(oneA.at());
            site.host().ns.sh("sysctl -qw net.ipv4.ip_default_ttl=" + life);
            lab.awaitArrivals(site.edge, other.edge, 1, () -> p.send(theirs, "early"));
            site.host().ns.sh("sysctl -qw net.ipv4.ip_default_ttl=64");
            q.ask(oneA.at());
            assertThat(q.find("early")).isNull();
            lab.awaitArrivals(other.edge, site.edge, 1, () -> q.send(mine, "punch"));
            p.ask(oneA.at());
            return p.find("punch") != null;
        }
    }

    @Test
    void aMappingEndsAtItsAgeThoughItIsInUse() throws Exception {
        for (NatKind kind : List.of(NatKind.FIXED_AGE, NatKind.PORT_RESTRICTED)) {
            site.become(kind);
            try (Probe p = fresh(site.host())) {
                Address first = p.ask(oneA.at());
                for (int i = 0; i < 5; i++) {
                    lab.ageNats(100);
                    assertThat(p.ask(oneA.at())).isEqualTo(first);
                }
                lab.ageNats(100);
                assertThat(p.ask(oneA.at()).equals(first))
                        .as(kind + " keeps it")
                        .isEqualTo(kind != NatKind.FIXED_AGE);
            }
        }
    }

    @Test
    void aHostHasOneAddressOfAPoolOrAny() throws Exception {
        site.become(NatKind.box("pool", NatKind.PORT_RESTRICTED.box().withAddresses(4, true)));
        assertThat(outsideIps(site.host())).hasSize(1).doesNotContainAnyElementsOf(outsideIps(site.hosts.get(1)));
        site.become(NatKind.box("unpaired", NatKind.PORT_RESTRICTED.box().withAddresses(4, false)));
        assertThat(outsideIps(site.host())).hasSizeBetween(2, 4);
    }

    private static Set<String> outsideIps(Host host) throws Exception {
        Set<String> out = new TreeSet<>();
        for (int i = 0; i < 16; i++) {
            try (Probe p = fresh(host)) {
                out.add(p.ask(oneA.at()).host());
            }
        }
        return out;
    }

    @Test
    void aHomeBehindACarrierIsTranslatedTwiceAndSharesItsAddressWithOthers() throws Exception {
        site.become(NatKind.CARRIER);
        other.become(NatKind.CARRIER);
        other.share(site);
        try (Probe p = site.host().probe(5000);
                Probe q = site.hosts.get(1).probe(5001);
                Probe r = other.host().probe(5000)) {
            for (Probe each : List.of(p, q, r)) {
                Address at = each.ask(oneA.at());
                assertThat(at.host()).isEqualTo(site.outside);
                assertThat(comes(one, oneB, at, p)).as("the home's own filter").isFalse();
            }
        }
        assertThat(site.rules()).as("the first of the two").contains("snat ip to 100.64.");
    }

    @Test
    void aRebootForgetsMappings() throws Exception {
        for (NatKind kind : List.of(NatKind.HOME, NatKind.FULL_CONE, NatKind.CARRIER)) {
            site.become(kind);
            try (Probe p = fresh(site.host());
                    Probe q = fresh(site.host())) {
                Address at = p.ask(oneA.at());
                site.reboot();
                lab.awaitArrivals(one.edge, site.edge, 1, () -> oneA.send(at, "late"));
                q.ask(oneA.at());
                assertThat(p.find("late")).as(kind.name()).isNull();
                p.ask(oneA.at());
            }
        }
    }

    @Test
    void aRouterForgetsFlowsWhenItsKindDoes() throws Exception {
        for (int idleS : new int[] {5, 60}) {
            site.become(NatKind.HOME.lasting(idleS));
            assertThat(site.forgetsAfterS()).containsExactly(Math.min(30L, idleS), (long) idleS);
        }
    }

    @Test
    void aPortThatIsForwardedLeadsToTheFirstHost() throws Exception {
        for (NatKind kind : List.of(NatKind.PORT_FORWARDED, NatKind.HOME)) {
            site.become(kind);
            try (Probe p = site.host().probe(NatKind.FORWARDED_PORT);
                    Probe q = fresh(site.host())) {
                lab.awaitArrivals(two.edge, site.edge, 1, () -> twoA.send(site.at(NatKind.FORWARDED_PORT), "unasked"));
                q.ask(oneA.at());
                assertThat(p.find("unasked") != null).as(kind.name()).isEqualTo(kind == NatKind.PORT_FORWARDED);
            }
        }
    }

    @Test
    void udpIsBlockedAndTcpIsNot() throws Exception {
        one.listen(443);
        one.listen(8443);
        for (NatKind kind : List.of(NatKind.NO_UDP, NatKind.ONLY_443, NatKind.HOME, NatKind.PORT_RESTRICTED)) {
            site.become(kind);
            boolean passes = kind == NatKind.HOME || kind == NatKind.PORT_RESTRICTED;
            try (Probe p = fresh(site.host())) {
                p.send(oneA.at(), kind.name());
                assertThat(site.host().connects(one.at(443))).as(kind.name()).isTrue();
                assertThat(site.host().connects(one.at(8443))).as(kind.name()).isEqualTo(kind != NatKind.ONLY_443);
                twoA.ask(oneA.at());
                assertThat(oneA.find(kind.name()) != null).as(kind.name()).isEqualTo(passes);
            }
        }
    }

    @Test
    void aFirewallTranslatesNothingAndLetsInWhatBelongsToFlowsFromInside() throws Exception {
        Site fire = lab.firewalled(1);
        Probe one6 = one.probe6(1000);
        Probe two6 = two.probe6(1000);
        for (Probe[] way : new Probe[][] {
            {fire.host().probe(0), oneA, twoA}, {fire.host().probe6(0), one6, two6},
        }) {
            Probe p = way[0];
            for (NatKind kind : List.of(NatKind.FIREWALL, NatKind.FORWARD)) {
                fire.become(kind);
                assertThat(p.ask(way[1].at())).isEqualTo(p.at());
                lab.awaitArrivals(two.edge, fire.edge, 1, () -> way[2].send(p.at(), kind.name()));
                p.ask(way[1].at());
                assertThat(p.find(kind.name()) != null).as(kind.name()).isEqualTo(kind == NatKind.FORWARD);
                p.ask(way[2].at());
            }
        }
    }

    @Test
    void aWayIsLongAndOneDirectionMayBeBlack() throws Exception {
        site.become(NatKind.HOME);
        try (Probe p = fresh(site.host())) {
            lab.delay(25);
            long began = System.nanoTime();
            p.ask(oneA.at());
            assertThat(System.nanoTime() - began).as("there and back").isGreaterThanOrEqualTo(50_000_000);
            lab.blackHole(one.edge, site.edge, true);
            p.send(oneA.at(), "?into the dark");
            oneA.await("?into the dark");
            p.ask(twoA.at());
            lab.blackHole(one.edge, site.edge, false);
            p.ask(oneA.at());
            assertThat(p.find("=into the dark")).isNull();
        } finally {
            lab.delay(0);
            lab.blackHole(one.edge, site.edge, false);
        }
    }

    /** What a test is when it is killed: a lab and a process in it. */
    static final class Doomed {
        public static void main(String[] args) throws Exception {
            try (Lab lab = new Lab("doomed")) {
                Host host = lab.open();
                new ProcessBuilder(TwoHosts.exec(host.ns.name, "sleep", "1000")).start();
                System.out.println(host.ns.name);
                System.in.read();
            }
        }
    }

    @Test
    void whoIsKilledLeavesNothing() throws Exception {
        String classes = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process doomed = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classes,
                        Doomed.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String ns = doomed.inputReader().readLine();
        String lab = ns.substring(0, ns.lastIndexOf('-'));
        RealNode.await(
                "the process in it runs", () -> !out("ip netns pids " + ns).isEmpty());
        String pid = out("ip netns pids " + ns).strip();
        doomed.destroyForcibly().waitFor();
        RealNode.await("all of it ends", () -> !out("ip netns list").contains(lab));
        RealNode.await("the process in it ends", () -> !isRunning(pid));
    }

    /** Not when it is dead and nobody has asked how it died. */
    private static boolean isRunning(String pid) {
        try {
            String stat = Files.readString(Path.of("/proc", pid, "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException e) {
            return false;
        }
    }

    private static String out(String command) {
        try {
            return TwoHosts.sh(command);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
