package mcc.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.tun.InnerAddress;
import mcc.wire.Provider.Protocol;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegistrationTest {
    @Test
    void whatIsLeftOutIsFilledIn() {
        Registration r = ((Registration.Parsed.Valid) Registration.of(draft("web", 80), "open")).registration();
        assertThat(r.service()).isEqualTo(new ServiceName("open", "web"));
        assertThat(r.host()).isEqualTo("127.0.0.1");
        assertThat(r.leaseMs()).isEqualTo(30_000);
        assertThat(r.check()).isEqualTo(Registration.Check.NONE);
    }

    @Test
    void allFaultsAreToldAtOnceWithTheirPointers() {
        var draft = new Registration.Draft(
                "a b",
                "Web",
                "",
                70_000,
                "sctp",
                0,
                List.of("ok", "x".repeat(33)),
                Map.of("a/b", "v".repeat(65)),
                1L,
                new Registration.CheckDraft("magic", null, "no slash", 1L, 1L, 0),
                null,
                null,
                null);
        assertThat(faults(draft))
                .containsExactlyInAnyOrder(
                        "/id",
                        "/service",
                        "/host",
                        "/port",
                        "/protocol",
                        "/weight",
                        "/tags/1",
                        "/meta/a~1b",
                        "/leaseMs",
                        "/check/type",
                        "/check/path",
                        "/check/intervalMs",
                        "/check/timeoutMs",
                        "/check/failures");
    }

    @Test
    void anIdHasOneTo64Characters() {
        assertThat(Registration.of(draft("x".repeat(64)), "open")).isInstanceOf(Registration.Parsed.Valid.class);
        for (String id : List.of("", "x".repeat(65), "é", "a/b", "a\nb")) {
            assertThat(faults(draft(id))).as(id).containsExactly("/id");
        }
    }

    private static Registration.Draft draft(String id) {
        return new Registration.Draft(id, "web", null, 80, null, null, null, null, null, null, null, null, null);
    }

    private static Registration.PortDraft at(Integer port, Integer endPort, String protocol) {
        return new Registration.PortDraft(port, endPort, protocol);
    }

    private static Registration.Draft ported(
            Integer port, String protocol, Registration.CheckDraft check, Registration.PortDraft... ports) {
        return new Registration.Draft(
                "a", "dns", null, port, protocol, null, null, null, null, check, null, null, List.of(ports));
    }

    private static Registration valid(Registration.Draft draft) {
        return ((Registration.Parsed.Valid) Registration.of(draft, "open")).registration();
    }

    @Test
    void oneRegistrationNamesSeveralPortsOfEitherProtocol() {
        Registration r =
                valid(ported(null, null, null, at(53, null, "udp"), at(53, null, "tcp"), at(50_000, 50_100, "tcp")));
        assertThat(r.ports()).hasToString("53/udp+tcp, 50000-50100/tcp");
        assertThat(List.of(r.port(), r.protocol())).as("the short form").containsExactly(53, Protocol.UDP);
        assertThat(List.of(
                        r.ports().choose(true, 0),
                        r.ports().choose(false, 0),
                        r.ports().choose(false, 50_100)))
                .containsExactly(53, 53, 50_100);
        assertThat(r.ports().choose(true, 50_000)).as("not of UDP").isZero();
        assertThat(valid(draft("web", 80)).ports()).hasToString("80/tcp");
        assertThat(valid(ported(53, "udp", null, at(53, null, "udp"))).ports()).hasToString("53/udp");
    }

    @Test
    void whatIsWrongWithPortsIsToldByItsPointer() {
        assertThat(faults(ported(null, null, null))).containsExactly("/ports");
        assertThat(faults(ported(null, null, null, at(null, null, null)))).containsExactly("/ports/0/port");
        assertThat(faults(ported(null, null, null, at(53, 52, null)))).containsExactly("/ports/0/endPort");
        assertThat(faults(ported(null, null, null, at(53, null, null), at(1, null, "sctp"))))
                .containsExactly("/ports/1/protocol");
        assertThat(faults(ported(null, null, null, at(80, null, "tcp"), at(70, 90, "http"))))
                .as("HTTP is TCP")
                .containsExactly("/ports");
        assertThat(faults(ported(null, null, null, at(1, 1_025, null)))).containsExactly("/ports");
        assertThat(valid(ported(null, null, null, at(1, 1_024, null))).ports()).hasToString("1-1024/tcp");
        Registration.PortDraft[] many = new Registration.PortDraft[17];
        for (int i = 0; i < many.length; i++) many[i] = at(i + 1, null, "tcp");
        assertThat(faults(ported(null, null, null, many))).containsExactly("/ports");
        assertThat(faults(ported(54, "tcp", null, at(53, null, "udp"))))
                .as("the short form says another first port")
                .containsExactlyInAnyOrder("/port", "/protocol");
        assertThat(faults(draft("web", null))).containsExactly("/port");
    }

    @Test
    void checksAndHeadersAreOfThePortsOfTcp() {
        var tcp = new Registration.CheckDraft("tcp", null, null, null, null, null);
        assertThat(valid(ported(null, null, tcp, at(53, null, "udp"), at(5_353, null, "tcp")))
                        .checkPort())
                .isEqualTo(5_353);
        assertThat(faults(ported(null, null, tcp, at(53, null, "udp")))).containsExactly("/check/type");
        var own = new Registration.CheckDraft("tcp", 8_080, null, null, null, null);
        assertThat(valid(ported(null, null, own, at(53, null, "udp"))).checkPort())
                .isEqualTo(8_080);
        assertThat(faults(ported(
                        null, null, new Registration.CheckDraft("tcp", 0, null, null, null, null), at(1, null, null))))
                .containsExactly("/check/port");
        Registration.PortDraft[] both = {at(53, null, "udp"), at(53, null, "tcp")};
        for (int n = 1; n <= 2; n++) {
            var draft = new Registration.Draft(
                    "a",
                    "dns",
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    "v2",
                    null,
                    List.of(both).subList(0, n));
            if (n == 1) assertThat(faults(draft)).containsExactly("/proxy");
            else assertThat(valid(draft).delivery().proxy()).isTrue();
        }
    }

    @Test
    void nothingIsTheServiceOfAnotherOrganisation() {
        assertThat(faults(draft("acme/web", 80))).containsExactly("/service");
    }

    @Test
    void aHeaderThatNamesTheCallerIsForConnectionsAlone() {
        assertThat(faults(delivered("udp", "v2", null))).containsExactly("/proxy");
        assertThat(faults(delivered("tcp", "v1", 10L))).containsExactlyInAnyOrder("/proxy", "/idleMs");
        var parsed = (Registration.Parsed.Valid) Registration.of(delivered("http", "v2", 60_000L), "open");
        assertThat(parsed.registration().delivery()).isEqualTo(new Registration.Delivery(true, 60_000));
    }

    private static Registration.Draft delivered(String protocol, String proxy, Long idleMs) {
        return new Registration.Draft(
                "a", "web", null, 80, protocol, null, null, null, null, null, proxy, idleMs, null);
    }

    @Test
    void whatIsValidAlwaysFitsARecord() {
        Map<String, String> meta = new java.util.LinkedHashMap<>();
        for (int i = 0; i < 4; i++) meta.put("k".repeat(15) + i, "v".repeat(64));
        var draft = new Registration.Draft(
                "a", "s".repeat(63), null, 1, null, null, List.of("t".repeat(4)), meta, null, null, null, null, null);
        assertThat(Registration.of(draft, "open")).isInstanceOf(Registration.Parsed.Valid.class);
        meta.put("more", "more");
        assertThat(faults(draft)).containsExactly("/meta");
    }

    @Test
    void theEndpointNamesNodeAndRegistration() {
        Registration r = ((Registration.Parsed.Valid) Registration.of(draft("web", 80), "open")).registration();
        assertThat(r.endpoint(Id.ZERO)).isNotEqualTo(r.endpoint(new Id(1, 0, 0, 0)));
        assertThat(r.endpoint(Id.ZERO)).isEqualTo(r.endpoint(Id.ZERO));
    }

    @ParameterizedTest
    @CsvSource({"web,open,web", "acme/web,acme,web", "open/a-1,open,a-1", "0,open,0"})
    void namesAreRead(String text, String org, String name) {
        assertThat(ServiceName.parse(text, "open")).isEqualTo(new ServiceName(org, name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "a/", "/a", "A", "-a", "a-", "a_b", "a/b/c", "a b", "é"})
    void whatIsNoNameIsRefused(String text) {
        assertThat(ServiceName.parse(text, "open")).isNull();
        assertThat(ServiceName.parse("x".repeat(64), "open")).isNull();
    }

    @Test
    void keysDifferByNetworkOrganisationAndName() {
        Bytes network = Bytes.utf8("n");
        assertThat(List.of(
                        new ServiceName("a", "bc").key(network),
                        new ServiceName("ab", "c").key(network),
                        new ServiceName("a", "bc").key(Bytes.utf8("m"))))
                .doesNotHaveDuplicates();
    }

    private static Registration.Draft draft(@Nullable String service, @Nullable Integer port) {
        return new Registration.Draft("a", service, null, port, null, null, null, null, null, null, null, null, null);
    }

    private static List<String> faults(Registration.Draft draft) {
        return ((Registration.Parsed.Invalid) Registration.of(draft, "open"))
                .faults().stream().map(Registration.Fault::pointer).toList();
    }

    @Test
    void anEndpointsAddressLeadsToTheKeyOfItsRecord() {
        Id endpoint = Id.random(Rng.seeded(8));
        assertThat(Registration.key(endpoint))
                .isEqualTo(InnerAddress.of("net", endpoint).position());
    }

    @Test
    void aServiceOfUdpIsCheckedByNothingThatConnects() {
        for (String type : List.of("tcp", "http")) {
            var check = new Registration.CheckDraft(type, null, null, null, null, null);
            var draft = new Registration.Draft(
                    "d", "dns", null, 53, "udp", null, null, null, null, check, null, null, null);
            assertThat(Registration.of(draft, "open"))
                    .isInstanceOfSatisfying(
                            Registration.Parsed.Invalid.class,
                            invalid -> assertThat(invalid.faults().getFirst().pointer())
                                    .isEqualTo("/check/type"));
        }
        var check = new Registration.CheckDraft("ttl", null, null, null, null, null);
        var draft =
                new Registration.Draft("d", "dns", null, 53, "udp", null, null, null, null, check, null, null, null);
        assertThat(Registration.of(draft, "open")).isInstanceOf(Registration.Parsed.Valid.class);
    }
}
