package mcc.lan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** Nodes on one link in virtual time: who finds whom, and what strangers make of it. */
class LanTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long WALL_MS = 1_800_000_000_000L;

    /** Nodes on one Ethernet, where all hear what one says. */
    private static final class Ethernet {
        final List<Node> nodes = new ArrayList<>();
        final List<Bytes> said = new ArrayList<>();
        long now = 1;

        Node join(String network, long clockMs) {
            Node made = new Node(this, nodes.size(), network, clockMs);
            nodes.add(made);
            made.step(new Lan.Input.Links(List.of(made.link), made.wallMs()));
            return made;
        }

        void run(long forNs) {
            long until = now + forNs;
            while (true) {
                Node next = null;
                for (Node each : nodes)
                    if (next == null || each.core.deadlineNs() < next.core.deadlineNs()) next = each;
                if (next == null || next.core.deadlineNs() > until) break;
                now = Math.max(now, next.core.deadlineNs());
                next.step(new Lan.Input.Tick());
            }
            now = until;
        }
    }

    private static final class Node {
        final Ethernet ethernet;
        final Address own;
        final Lan.Link link;
        final Lan core;
        final Counters counters = new Counters();
        final long clockMs;
        final Map<Address, Integer> dialled = new LinkedHashMap<>();
        int said;

        Node(Ethernet ethernet, int number, String network, long clockMs) {
            this.ethernet = ethernet;
            this.clockMs = clockMs;
            own = Address.v4(0xc0a80102 + number, 9_376);
            link = new Lan.Link("eth0", own, 24);
            core = new Lan(network, Rng.seeded(number), counters);
        }

        long wallMs() {
            return WALL_MS + clockMs + ethernet.now / 1_000_000;
        }

        void hear(Address from, Bytes bytes) {
            step(new Lan.Input.Heard(from, bytes, wallMs()));
        }

        void step(Lan.Input input) {
            core.handle(ethernet.now, input);
            for (Lan.Output o; (o = core.poll()) != null; ) {
                switch (o) {
                    case Lan.Output.Say s -> {
                        said++;
                        ethernet.said.add(s.bytes());
                        for (Node each : ethernet.nodes) each.hear(new Address(own.high(), own.low(), 5), s.bytes());
                    }
                    case Lan.Output.Dial d -> dialled.merge(d.at(), 1, Integer::sum);
                }
            }
        }
    }

    private final Ethernet ethernet = new Ethernet();

    @Test
    void twoNodesFindEachOtherThoughTheirClocksAreTwoMinutesApart() {
        for (long offsetMs : List.of(0L, 120_000L, -120_000L)) {
            for (int start = 0; start < 10; start++) {
                Ethernet e = new Ethernet();
                e.now = 1 + start * 30 * SECOND;
                Node a = e.join("open", 0);
                e.run(SECOND / 2);
                Node b = e.join("open", offsetMs);
                e.run(2 * SECOND);
                assertThat(a.dialled).containsOnlyKeys(b.own);
                assertThat(b.dialled).containsOnlyKeys(a.own);
            }
        }
    }

    @Test
    void anotherNetworkIsNotFoundAndNothingIsSaidInClear() {
        Node a = ethernet.join("secret-name", 0);
        Node b = ethernet.join("open", 0);
        ethernet.run(1_000 * SECOND);
        assertThat(a.dialled).isEmpty();
        assertThat(b.dialled).isEmpty();
        assertThat(b.counters.value("lan.heard.foreign")).isPositive();
        Set<Bytes> tags = new HashSet<>();
        for (Bytes each : ethernet.said) {
            byte[] bytes = each.toArray();
            assertThat(new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1))
                    .doesNotContain("secret");
            assertThat(tags.add(Bytes.copyOf(bytes, 4, 24)))
                    .as("no two have their salt and tag in common")
                    .isTrue();
        }
    }

    @Test
    void twentyOnALinkAllMeetAndThenAreQuiet() {
        for (int i = 0; i < 20; i++) ethernet.join("open", 0);
        ethernet.run(600 * SECOND);
        for (Node each : ethernet.nodes) {
            assertThat(each.dialled).hasSize(19);
            each.step(new Lan.Input.Alone(false));
        }
        ethernet.run(600 * SECOND);
        for (Node each : ethernet.nodes) each.dialled.clear();
        int before = ethernet.nodes.getFirst().said;
        ethernet.run(24 * 3_600 * SECOND);
        assertThat(ethernet.nodes.getFirst().said - before).isBetween(280, 296);
        for (Node each : ethernet.nodes)
            assertThat(each.dialled).as("whom it knows it leaves alone").isEmpty();
    }

    @Test
    void whoIsAloneAgainIsHeardAndDialledAgain() {
        Node a = ethernet.join("open", 0);
        Node b = ethernet.join("open", 0);
        ethernet.run(100 * SECOND);
        a.step(new Lan.Input.Alone(false));
        b.step(new Lan.Input.Alone(false));
        ethernet.run(300 * SECOND);
        a.dialled.clear();
        b.dialled.clear();
        b.step(new Lan.Input.Alone(true));
        ethernet.run(SECOND);
        assertThat(a.dialled).as("at once").containsOnlyKeys(b.own);
        ethernet.run(360 * SECOND);
        assertThat(b.dialled).containsOnlyKeys(a.own);
    }

    @Test
    void aFloodOfTagsMakesFewChecksAndFewDialsAndPushesNobodyOut() {
        Node a = ethernet.join("open", 0);
        Node b = ethernet.join("open", 0);
        ethernet.run(2 * SECOND);
        assertThat(a.dialled).containsOnlyKeys(b.own);
        Rng rng = Rng.seeded(5);
        for (int second = 0; second < 200; second++) {
            for (int i = 0; i < 200; i++) {
                Hello forged = new Hello(1 + rng.below(65_535), true); // of one who knows the name
                a.hear(
                        Address.v4(0xc0a80164 + rng.below(100), 5),
                        Bytes.owning(forged.write(Hello.key("open"), rng.bytes(8), a.wallMs())));
            }
            ethernet.run(SECOND);
        }
        assertThat(a.dialled.values().stream().mapToInt(n -> n).sum()).isLessThan(1_100);
        assertThat(a.dialled).hasSizeLessThanOrEqualTo(Lan.NEIGHBOURS_MAX);
        assertThat(a.counters.value("lan.heard.too-many")).isGreaterThan(25_000);
        assertThat(a.counters.value("lan.neighbours.full")).isPositive();
        ethernet.run(2 * 3_600 * SECOND);
        Node c = ethernet.join("open", 0);
        ethernet.run(20 * SECOND);
        assertThat(a.dialled).as("and then there is room again").containsKey(c.own);
    }

    @Test
    void manyAtOnceAreDialledFiveASecond() {
        Node a = ethernet.join("open", 0);
        for (int i = 0; i < 40; i++) {
            Hello one = new Hello(9_376, true);
            Bytes said = Bytes.owning(one.write(Hello.key("open"), new byte[8], a.wallMs()));
            a.hear(Address.v4(0xc0a80164 + i, 5), said);
        }
        assertThat(a.dialled).hasSize(Lan.DIALS_PER_SECOND);
        assertThat(a.counters.value("lan.dials.limited")).isEqualTo(40 - Lan.DIALS_PER_SECOND);
    }

    @Test
    void onlyWhoIsOnTheLinkIsDialled() {
        Node a = ethernet.join("open", 0);
        Bytes good = Bytes.owning(new Hello(9_376, true).write(Hello.key("open"), new byte[8], a.wallMs()));
        for (String from : List.of("192.168.2.9:1", "203.0.113.5:1", "127.0.0.1:1", "[fe80::1]:1", "0.0.0.0:1")) {
            a.hear(Address.parse(from), good);
        }
        assertThat(a.dialled).isEmpty();
        assertThat(a.counters.value("lan.heard.off-link")).isEqualTo(5);
        a.hear(Address.parse("192.168.1.77:1"), good);
        assertThat(a.dialled).containsOnlyKeys(Address.parse("192.168.1.77:9376"));
    }

    @Test
    void aChangedOrOldOneIsForeign() {
        Bytes key = Hello.key("open");
        byte[] good = new Hello(9_376, false).write(key, new byte[8], WALL_MS);
        assertThat(Hello.read(key, good, WALL_MS)).isEqualTo(new Hello(9_376, false));
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            assertThat(Hello.read(key, bad, WALL_MS)).as("byte " + i).isNull();
        }
        assertThat(Hello.read(key, good, WALL_MS + 2 * Hello.SLOT_MS)).isNull();
        assertThat(Hello.read(key, good, WALL_MS - 2 * Hello.SLOT_MS)).isNull();
        assertThat(Hello.read(key, Arrays.copyOf(good, 27), WALL_MS)).isNull();
        assertThat(Hello.read(Hello.key("opem"), good, WALL_MS)).isNull();
    }

    @Test
    void anInterfaceThatComesAndGoesIsNotAFlood() {
        Node a = ethernet.join("open", 0);
        for (int i = 0; i < 600; i++) {
            a.step(new Lan.Input.Links(i % 2 == 0 ? List.of() : List.of(a.link), a.wallMs()));
            ethernet.run(SECOND / 10);
        }
        assertThat(a.said).isLessThan(40);
        a.step(new Lan.Input.Links(List.of(), a.wallMs()));
        a.said = 0;
        ethernet.run(10_000 * SECOND);
        assertThat(a.said).isZero();
    }

    @Test
    void itKeepsTheLawsOfCoresWhateverComes() {
        CoreLaws.check(
                () -> new Lan("open", Rng.seeded(2), new Counters()), new Lan.Input.Tick(), LanTest::anyInput, 3_000);
    }

    private static Lan.Input anyInput(Rng rng, List<Lan.Output> before) {
        Lan.Link link = new Lan.Link("eth" + rng.below(3), Address.v4(0xc0a80102, 9_376), 8 + rng.below(24));
        Address from = Address.v4(0xc0a80102 + rng.below(9), 5);
        return switch (rng.below(6)) {
            case 0 -> new Lan.Input.Links(rng.below(3) == 0 ? List.of() : List.of(link), WALL_MS);
            case 1 -> new Lan.Input.Alone(rng.below(2) == 0);
            case 2 -> new Lan.Input.Heard(from, Bytes.owning(rng.bytes(rng.below(40))), WALL_MS);
            case 3 -> {
                byte[] bytes = new Hello(9_376, rng.below(2) == 0).write(Hello.key("open"), rng.bytes(8), WALL_MS);
                if (rng.below(4) == 0) bytes[rng.below(bytes.length)] = (byte) rng.nextInt();
                yield new Lan.Input.Heard(from, Bytes.owning(bytes), WALL_MS);
            }
            default -> null;
        };
    }
}
