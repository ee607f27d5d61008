package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.node.Problem;
import mcc.node.SessionVerticle.EndpointPort;
import mcc.registry.Health;
import mcc.registry.Offer;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.ServiceName;
import mcc.wire.Ports;
import mcc.wire.Provider;
import mcc.wire.Provider.Protocol;
import org.junit.jupiter.api.Test;

/** Which port is asked for, of nodes that announce their ports and of earlier ones that do not. */
class WantedTest {
    private static final Ports DNS = new Ports(List.of(
            new Ports.Range(53, 53, Protocol.UDP),
            new Ports.Range(53, 53, Protocol.TCP),
            new Ports.Range(80, 90, Protocol.HTTP)));

    private static Offer offer(Protocol protocol, Ports ports) {
        Rng rng = Rng.seeded(3);
        Provider provider = new Provider(
                Id.random(rng),
                Id.random(rng),
                Id.random(rng),
                List.of(),
                protocol,
                ports,
                100,
                0,
                List.of(),
                Map.of(),
                "open",
                "dns");
        return new Offer(provider, Health.PASS, "", null, 1_000, false, new Offer.Score(0, 0, 1));
    }

    @Test
    void aNodeThatTellsItsPortsIsAskedForThoseAlone() {
        Offer dns = offer(Protocol.UDP, DNS);
        for (boolean udp : new boolean[] {true, false}) {
            assertThat(Wanted.exactly(0).isAt(dns, udp)).isTrue();
            assertThat(Wanted.exactly(53).isAt(dns, udp)).isTrue();
            assertThat(Wanted.exactly(54).isAt(dns, udp)).isFalse();
            assertThat(Wanted.exactly(85).isAt(dns, udp)).isEqualTo(!udp);
        }
        assertThat(Wanted.exactly(85).of(dns, false)).isEqualTo(85);
        assertThat(Wanted.exactly(0).of(dns, false)).as("its first").isZero();
        assertThat(Wanted.exactly(0).isAt(offer(Protocol.UDP, Ports.of(53, Protocol.UDP)), false))
                .as("the other protocol")
                .isFalse();
    }

    @Test
    void aBrowsersPortIsUsedIfTheServiceHasItAndTheFirstOtherwise() {
        Wanted browser = new Wanted(80, true);
        assertThat(browser.of(offer(Protocol.UDP, DNS), false)).isEqualTo(80);
        Offer other = offer(Protocol.TCP, Ports.of(8_000, Protocol.TCP));
        assertThat(browser.isAt(other, false)).isTrue();
        assertThat(browser.of(other, false)).as("its first").isZero();
        assertThat(browser.isAt(offer(Protocol.UDP, Ports.of(80, Protocol.UDP)), false))
                .isFalse();
    }

    /** Such a node refuses a port that it does not have; one of version 0.1 connects to the only port that it has. */
    @Test
    void anEarlierNodeIsAskedForWhateverIsWantedByItsProtocol() {
        Offer old = offer(Protocol.UDP, Ports.UNKNOWN);
        assertThat(Wanted.exactly(5_353).isAt(old, true)).isTrue();
        assertThat(Wanted.exactly(5_353).of(old, true)).isEqualTo(5_353);
        assertThat(Wanted.exactly(5_353).isAt(old, false)).isFalse();
        assertThat(new Wanted(80, true).of(offer(Protocol.TCP, Ports.UNKNOWN), false))
                .isZero();
        assertThat(Wanted.exactly(0).isUdp(old)).isTrue();
    }

    @Test
    void theProtocolIsThatOfTheFirstSuchPort() {
        Offer dns = offer(Protocol.UDP, DNS);
        assertThat(List.of(0, 53, 85))
                .extracting(port -> Wanted.exactly(port).isUdp(dns))
                .containsExactly(true, true, false);
    }

    @Test
    void whereThereAreTooManyPortsToListenForEachServiceHasSome() {
        List<Registry.LocalView> views = List.of(
                view("ftp", new Ports.Range(50_000, 50_100, Protocol.TCP)),
                view("dns", DNS.ranges().toArray(Ports.Range[]::new)));
        Set<EndpointPort> all = Hosted.wanted(views, 1_000).keySet();
        assertThat(all).hasSize(101 + 13);
        Set<EndpointPort> few = Hosted.wanted(views, 6).keySet();
        Id ftp = views.getFirst().endpoint();
        Id dns = views.getLast().endpoint();
        assertThat(few)
                .containsExactly(
                        new EndpointPort(ftp, false, 50_000),
                        new EndpointPort(dns, true, 53),
                        new EndpointPort(dns, false, 53),
                        new EndpointPort(dns, false, 80),
                        new EndpointPort(ftp, false, 50_001),
                        new EndpointPort(ftp, false, 50_002));
    }

    @Test
    void whatIsNotListenedForIsToldWithAWayOut() {
        Problem problem = Hosted.tooMany(114, 6);
        assertThat(problem.detail()).contains("114 ports").contains("only 6");
        assertThat(problem.hint()).contains("register fewer ports");
    }

    private static Registry.LocalView view(String name, Ports.Range... ports) {
        Registration app = new Registration(
                name,
                new ServiceName("open", name),
                "127.0.0.1",
                new Ports(List.of(ports)),
                100,
                List.of(),
                Map.of(),
                30_000,
                Registration.Check.NONE,
                Registration.Delivery.PLAIN);
        return new Registry.LocalView(app, app.endpoint(Id.ZERO), Health.PASS, "", 0, 0);
    }
}
