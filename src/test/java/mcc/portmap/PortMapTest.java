package mcc.portmap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.portmap.PortMapReport.Protocol;
import mcc.portmap.PortMapReport.State;
import org.junit.jupiter.api.Test;

/** Routers as they are, and what a node gets out of them, in virtual time. */
class PortMapTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Address OWN = Address.parse("192.168.1.5:9376");
    private static final Gateway GATEWAY = new Gateway(FakeRouter.IP, OWN);
    private static final Bytes NONCE = Bytes.copyOf(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});

    private final FakeRouter router = new FakeRouter();
    private final Counters counters = new Counters();
    private final PortMap core = new PortMap(NONCE, Rng.seeded(1), counters);
    private final List<Address> mapped = new ArrayList<>();
    private final List<State> states = new ArrayList<>();
    private long now = 1_000 * SECOND;
    private int sent;

    private void step(PortMap.Input input) {
        core.handle(now, input);
        List<PortMap.Input> answers = new ArrayList<>();
        for (PortMap.Output o; (o = core.poll()) != null; ) {
            switch (o) {
                case PortMap.Output.Send s -> {
                    sent++;
                    answers.add(router.datagram(now, s.to(), s.bytes().toArray()));
                }
                case PortMap.Output.Fetch f -> {
                    FakeRouter.Page page = router.fetch(f);
                    answers.add(new PortMap.Input.Fetched(f.ticket(), page.status(), page.body()));
                }
                case PortMap.Output.Mapped m -> mapped.add(m.external());
                case PortMap.Output.Changed c -> states.add(c.state());
            }
        }
        for (PortMap.Input each : answers) if (each != null) step(each);
    }

    private void run(long forNs) {
        long until = now + forNs;
        while (core.deadlineNs() <= until) {
            now = core.deadlineNs();
            step(new PortMap.Input.Tick());
        }
        now = until;
    }

    private void connect() {
        step(new PortMap.Input.Network(GATEWAY));
        run(20 * SECOND);
    }

    private void found(PortMap.Finding finding) {
        step(new PortMap.Input.Found(mapped.getLast(), finding));
    }

    private PortMapReport report() {
        return core.report(now);
    }

    private Address onlyMapping() {
        assertThat(router.mappings).hasSize(1).containsValue(9376);
        int port = router.mappings.keySet().iterator().next();
        return PortMap.port(router.external, port);
    }

    @Test
    void aRouterThatSpeaksPcpMapsAPortThatCountsOncePeersCameThrough() {
        connect();
        assertThat(mapped).containsExactly(onlyMapping());
        assertThat(mapped.getFirst().port()).as("another one than inside").isNotEqualTo(9376);
        assertThat(states).containsExactly(State.ASKING, State.UNCONFIRMED);
        found(PortMap.Finding.WORKS);
        assertThat(report().state()).isEqualTo(State.OK);
        assertThat(report().protocol()).isEqualTo(Protocol.PCP);
        assertThat(router.asked).containsExactly("pcp map");
        assertThat(router.nonce).isEqualTo(NONCE);
    }

    @Test
    void aMappingIsRenewedAtHalfOfItsLife() {
        connect();
        found(PortMap.Finding.WORKS);
        run(3_600 * SECOND);
        assertThat(router.asked).containsExactly("pcp map", "pcp map");
        run(12 * 3_600 * SECOND);
        assertThat(router.asked).hasSize(14);
        assertThat(mapped).as("nothing is new").hasSize(1);
    }

    @Test
    void aShortLifeIsRenewedOftenAndOneThatIsTooShortIsNone() {
        router.lifetimeS = 60;
        connect();
        run(300 * SECOND);
        assertThat(router.asked.size()).isBetween(10, 12);
        router.lifetimeS = 1;
        router.upnp = false;
        router.asked.clear();
        run(60 * SECOND);
        assertThat(report().state()).isIn(State.SILENT, State.REFUSED);
        assertThat(router.asked.size()).isLessThan(20);
    }

    @Test
    void aRenewalThatIsNotAnsweredIsRepeatedAndWhenTheMappingIsOverARoundBegins() {
        connect();
        router.pcp = router.pmp = router.upnp = false;
        run(7_150 * SECOND);
        assertThat(mapped).hasSize(1);
        assertThat(counters.value("portmap.renewals.failed")).isBetween(3L, 8L);
        run(100 * SECOND);
        assertThat(mapped).hasSize(2).last().isNull();
        assertThat(report().state()).isEqualTo(State.SILENT);
    }

    @Test
    void aRouterWithoutPcpIsAskedByNatPmp() {
        router.pcp = false;
        connect();
        assertThat(report().protocol()).isEqualTo(Protocol.NAT_PMP);
        assertThat(mapped).containsExactly(onlyMapping());
        assertThat(router.asked).containsExactly("pcp map", "pmp address", "pmp map");
        step(new PortMap.Input.Stop());
        assertThat(router.mappings).isEmpty();
    }

    @Test
    void aRouterWithUpnpAloneIsAskedByUpnp() {
        router.pcp = router.pmp = false;
        connect();
        assertThat(report().protocol()).isEqualTo(Protocol.UPNP);
        assertThat(mapped).containsExactly(onlyMapping());
        assertThat(router.asked).endsWith("search", "describe", "GetExternalIPAddress", "AddAnyPortMapping");
        router.asked.clear();
        run(3_700 * SECOND);
        assertThat(router.asked).as("renewed").containsExactly("GetExternalIPAddress", "AddPortMapping");
        step(new PortMap.Input.Stop());
        assertThat(router.mappings).isEmpty();
        assertThat(router.asked).last().isEqualTo("DeletePortMapping");
    }

    @Test
    void upnpErrorsThatHaveAWayOutAreGotAround() {
        router.pcp = router.pmp = false;
        router.igd = 1;
        router.upnpErrors.addAll(List.of(718, 725));
        connect();
        assertThat(mapped).containsExactly(onlyMapping());
        PortMapTest other = new PortMapTest();
        other.router.pcp = other.router.pmp = false;
        other.router.upnpErrors.addAll(List.of(401, 724));
        other.connect();
        assertThat(other.mapped).containsExactly(PortMap.port(FakeRouter.PUBLIC, 9376));
        PortMapTest never = new PortMapTest();
        never.router.pcp = never.router.pmp = false;
        for (int i = 0; i < 20; i++) never.router.upnpErrors.add(718);
        never.connect();
        assertThat(never.report().state()).isEqualTo(State.REFUSED);
        assertThat(never.router.upnpErrors).hasSize(15);
    }

    @Test
    void aRouterMayGrantAnotherPort() {
        router.shift = 7;
        connect();
        assertThat(mapped).containsExactly(onlyMapping());
        int port = mapped.getFirst().port();
        router.shift = 0;
        run(3_700 * SECOND);
        assertThat(mapped).as("and is asked for that one from then on").hasSize(1);
        assertThat(onlyMapping().port()).isEqualTo(port);
    }

    @Test
    void aPrivateExternalAddressIsASecondNat() {
        for (String ip : List.of("100.64.3.4:0", "192.168.178.2:0", "10.0.0.1:0")) {
            for (int protocol = 0; protocol < 3; protocol++) {
                PortMapTest t = new PortMapTest();
                t.router.external = Address.parse(ip);
                t.router.pcp = protocol == 0;
                t.router.pmp = protocol == 1;
                t.connect();
                assertThat(t.report().state()).isEqualTo(State.SECOND_NAT);
                assertThat(t.mapped.stream().filter(a -> a != null)).as(ip).isEmpty();
                assertThat(t.router.mappings)
                        .as("and the mapping is given back")
                        .isEmpty();
            }
        }
    }

    @Test
    void aSecondNatBetweenIsTold() {
        router.pcpResult = 12; // ADDRESS_MISMATCH
        connect();
        assertThat(states).containsExactly(State.ASKING, State.SECOND_NAT);
        assertThat(router.asked).as("another protocol would map to a stranger").containsExactly("pcp map");
    }

    @Test
    void aMappingWherePeersDoNotSeeThisNodeIsGivenBack() {
        connect();
        found(PortMap.Finding.ELSEWHERE);
        assertThat(report().state()).isEqualTo(State.SECOND_NAT);
        assertThat(router.mappings).isEmpty();
        assertThat(mapped).last().isNull();
    }

    @Test
    void aDeadMappingIsMadeAnewOnceAndThenGivenUp() {
        connect();
        Address first = mapped.getFirst();
        found(PortMap.Finding.DEAD);
        assertThat(router.mappings).isEmpty();
        run(30 * SECOND);
        assertThat(mapped).hasSize(3);
        assertThat(mapped.getLast()).isNotNull().isNotEqualTo(first);
        found(PortMap.Finding.DEAD);
        assertThat(report().state()).isEqualTo(State.USELESS);
        assertThat(router.mappings).isEmpty();
        run(3_500 * SECOND);
        assertThat(mapped).hasSize(4).last().isNull();
        run(1_000 * SECOND);
        assertThat(mapped).as("after an hour once more").hasSize(5);
        found(PortMap.Finding.DEAD);
        assertThat(report().state()).isEqualTo(State.USELESS);
        run(3_000 * SECOND);
        assertThat(mapped).hasSize(6);
    }

    @Test
    void aFindingAboutAMappingThatIsGoneCountsForNothing() {
        connect();
        step(new PortMap.Input.Found(Address.parse("203.0.113.7:1"), PortMap.Finding.DEAD));
        assertThat(report().state()).isEqualTo(State.UNCONFIRMED);
        found(PortMap.Finding.WORKS);
        found(PortMap.Finding.UNPROVED);
        assertThat(report().state()).isEqualTo(State.UNCONFIRMED);
    }

    @Test
    void aRouterThatWasStartedAgainIsToldAnewAtOnce() {
        connect();
        found(PortMap.Finding.WORKS);
        run(600 * SECOND);
        router.restart(now);
        byte[] announcement = new byte[24];
        announcement[0] = 2;
        announcement[1] = (byte) 0x80;
        step(new PortMap.Input.Datagram(Address.parse("192.168.1.1:5351"), Bytes.copyOf(announcement)));
        run(6 * SECOND);
        assertThat(mapped).hasSize(1).containsExactly(onlyMapping());
        assertThat(counters.value("portmap.restarted")).isEqualTo(1);
        // The same again says nothing new.
        Pcp.put32(announcement, 8, 6);
        step(new PortMap.Input.Datagram(Address.parse("192.168.1.1:5351"), Bytes.copyOf(announcement)));
        run(6 * SECOND);
        assertThat(router.asked).hasSize(2);
    }

    @Test
    void natPmpAnnouncesANewAddressToo() {
        router.pcp = false;
        connect();
        run(600 * SECOND);
        router.external = Address.parse("203.0.113.99:0");
        router.restart(now);
        step(router.datagram(now, Address.parse("192.168.1.1:5351"), NatPmp.address()));
        run(6 * SECOND);
        assertThat(mapped).hasSize(2).last().isEqualTo(onlyMapping());
    }

    @Test
    void anAnnouncementOfAnybodyElseIsNotBelieved() {
        connect();
        run(600 * SECOND);
        for (String from : List.of("192.168.1.77:5351", "203.0.113.7:5351", "192.168.1.1:5352")) {
            step(new PortMap.Input.Datagram(
                    Address.parse(from), Bytes.copyOf(new byte[] {0, -128, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9})));
        }
        run(60 * SECOND);
        assertThat(router.asked).hasSize(1);
        assertThat(counters.value("portmap.stranger")).isEqualTo(2);
    }

    @Test
    void aSilentNetworkIsAskedAfterTenMinutesAndThenHourly() {
        router.pcp = router.pmp = router.upnp = false;
        connect();
        assertThat(report().state()).isEqualTo(State.SILENT);
        assertThat(sent).as("datagrams of a round").isEqualTo(12);
        run(3_600 * SECOND);
        assertThat(counters.value("portmap.rounds")).isEqualTo(3);
        run(24 * 3_600 * SECOND);
        assertThat(counters.value("portmap.rounds")).isBetween(3 + 20L, 3 + 24L);
        router.pcp = true;
        run(4_200 * SECOND);
        assertThat(mapped).as("a router that learned it is found").hasSize(1);
    }

    @Test
    void aNetworkThatChangesAllTheTimeIsNotFlooded() {
        router.pcp = router.pmp = router.upnp = false;
        for (int i = 0; i < 600; i++) {
            step(new PortMap.Input.Network(i % 2 == 0 ? GATEWAY : null));
            run(SECOND / 10);
        }
        assertThat(counters.value("portmap.rounds")).isLessThan(8);
    }

    @Test
    void aNewGatewayBeginsAnew() {
        connect();
        found(PortMap.Finding.WORKS);
        step(new PortMap.Input.Network(null));
        assertThat(mapped).last().isNull();
        assertThat(report().state()).isEqualTo(State.NOT_NEEDED);
        assertThat(report().external()).isNull();
        connect();
        assertThat(mapped).hasSize(3);
        step(new PortMap.Input.Network(new Gateway(FakeRouter.IP, Address.parse("192.168.1.6:9376"))));
        assertThat(router.asked).as("the same router can be told").endsWith("pcp end", "pcp map");
        assertThat(mapped)
                .as("whose answer to that is not taken for the next one")
                .last()
                .isEqualTo(onlyMapping());
    }

    @Test
    void aHostWithAPublicAddressNeedsNone() {
        step(new PortMap.Input.Network(
                new Gateway(Address.parse("198.51.100.1:0"), Address.parse("198.51.100.2:9376"))));
        run(100 * SECOND);
        assertThat(sent).isZero();
        assertThat(report().state()).isEqualTo(State.NOT_NEEDED);
    }

    @Test
    void aLocationElsewhereIsNotFollowed() {
        for (String host : List.of("203.0.113.9:80", "192.168.1.2:5000", "router.example:80", "127.0.0.1:8080")) {
            PortMapTest t = new PortMapTest();
            t.router.pcp = t.router.pmp = false;
            t.router.locationHost = host;
            t.connect();
            assertThat(t.router.asked).as(host).doesNotContain("describe");
            assertThat(t.report().state()).isEqualTo(State.SILENT);
        }
        for (String url : List.of("http://203.0.113.9/ctl", "http://127.0.0.1:8080/x", "ftp://192.168.1.1/", "/a b")) {
            PortMapTest t = new PortMapTest();
            t.router.pcp = t.router.pmp = false;
            t.router.controlUrl = url;
            t.connect();
            assertThat(t.router.asked).as(url).last().isEqualTo("describe");
        }
    }

    @Test
    void anAnswerWithAnotherNonceIsNone() {
        router.garbage = true;
        router.pmp = false;
        connect();
        assertThat(mapped).isEmpty();
        assertThat(counters.value("portmap.malformed")).isPositive();
    }

    @Test
    void theEndOfTheNodeIsTheEndOfTheMapping() {
        connect();
        step(new PortMap.Input.Stop());
        assertThat(router.mappings).isEmpty();
        step(new PortMap.Input.Network(null));
        run(100_000 * SECOND);
        assertThat(router.asked).containsExactly("pcp map", "pcp end");
    }

    @Test
    void aCoreThatTriesMappingsIsToldAgain() {
        connect();
        step(new PortMap.Input.Tell());
        assertThat(mapped).containsExactly(onlyMapping(), onlyMapping());
    }

    @Test
    void itKeepsTheLawsOfCoresWhateverComes() {
        CoreLaws.check(
                () -> new PortMap(NONCE, Rng.seeded(2), new Counters()),
                new PortMap.Input.Tick(),
                PortMapTest::anyInput,
                5_000);
    }

    private static PortMap.Input anyInput(Rng rng, List<PortMap.Output> before) {
        FakeRouter router = new FakeRouter();
        router.pcp = rng.below(2) == 0;
        router.pmp = rng.below(3) == 0;
        router.lifetimeS = rng.below(3) == 0 ? rng.below(100) : 7_200;
        router.pcpResult = rng.below(4) == 0 ? rng.below(16) : 0;
        for (PortMap.Output o : before) {
            if (rng.below(3) == 0) break;
            if (o instanceof PortMap.Output.Send s)
                return mangle(rng, router.datagram(0, s.to(), s.bytes().toArray()));
            if (o instanceof PortMap.Output.Fetch f) {
                String body = router.fetch(f).body();
                if (rng.below(3) == 0) body = body.substring(rng.below(body.length() + 1));
                return new PortMap.Input.Fetched(f.ticket(), rng.below(3) == 0 ? 500 : 200, body);
            }
            if (o instanceof PortMap.Output.Mapped m && m.external() != null) {
                return new PortMap.Input.Found(m.external(), PortMap.Finding.values()[rng.below(4)]);
            }
        }
        return switch (rng.below(20)) {
            case 0 -> new PortMap.Input.Network(rng.below(3) == 0 ? null : GATEWAY);
            case 1 -> new PortMap.Input.Tell();
            case 2 ->
                new PortMap.Input.Datagram(Address.parse("192.168.1.1:5351"), Bytes.copyOf(rng.bytes(rng.below(80))));
            default -> null;
        };
    }

    private static PortMap.Input mangle(Rng rng, PortMap.Input input) {
        if (!(input instanceof PortMap.Input.Datagram d) || rng.below(2) == 0) return input;
        byte[] bytes = d.bytes().toArray();
        for (int i = rng.below(3); i >= 0; i--) bytes[rng.below(bytes.length)] = (byte) rng.nextInt();
        return new PortMap.Input.Datagram(d.from(), Bytes.copyOf(bytes, 0, bytes.length - rng.below(3)));
    }
}
