package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import mcc.api.PathText.Facts;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Id;
import mcc.link.PathCause;
import mcc.link.PathReport;
import mcc.link.Peer;
import mcc.nat.NatReport;
import mcc.nat.NatReport.Filtering;
import mcc.nat.NatReport.Mapping;
import mcc.nat.Reachability;
import mcc.punch.PunchReport;
import mcc.punch.PunchReport.Outcome;
import mcc.wire.Capabilities;
import mcc.wire.Outside.Allocation;
import org.junit.jupiter.api.Test;

/** What is said of a pair, and to whom. */
class PathTextTest {
    private static final Id PEER = new Id(1, 2, 3, 4);
    private static final Id RELAY = new Id(5, 6, 7, 8);
    private static final Address AT = Address.parse("203.0.113.7:41641");
    private static final long SECOND = 1_000_000_000L;
    private static final NatReport.Side UNKNOWN = side(Mapping.UNKNOWN, Reachability.UNKNOWN);

    private Allocation ports = Allocation.UNKNOWN;
    private long capabilities = Capabilities.PUNCHES;
    private final List<PathReport.Change> changes = new ArrayList<>();
    private final List<PunchReport.Attempt> attempts = new ArrayList<>();
    private NatReport.Side own = UNKNOWN;
    private NatReport.Udp udp = NatReport.Udp.OK;
    private Peer link = link(null, RELAY);

    private static NatReport.Side side(Mapping mapping, Reachability reachable) {
        NatReport.Ports ports = new NatReport.Ports(NatReport.Ports.Kind.UNKNOWN, 0, 0, 0);
        return new NatReport.Side(mapping, ports, null, 3, List.of(), Filtering.UNKNOWN, reachable, -1, false, 0);
    }

    private static Peer link(Address at, Id relay) {
        return new Peer(PEER, at, relay, true, "", 0, 0, 0, 0, 0, 0, 0, 0);
    }

    private Facts facts() {
        PathReport paths = new PathReport(link != null, null, capabilities, changes, List.of(), 0);
        PunchReport punch = new PunchReport(true, true, Core.NEVER, ports, attempts, attempts.size(), 0, 0);
        NatReport nat = new NatReport(udp, own, UNKNOWN, List.of(), List.of());
        return new Facts(PEER, link, paths, punch, nat, List.of("0.0.0.0:9376"), null);
    }

    private void change(long atNs, String kind, PathCause cause) {
        boolean relay = kind.equals("relay");
        changes.add(new PathReport.Change(
                atNs, kind, relay || kind.equals("none") ? null : AT, relay ? RELAY : null, cause, 0));
    }

    private void attempt(Outcome outcome, int candidates) {
        List<Address> all = new ArrayList<>();
        for (int i = 0; i < candidates; i++) all.add(AT);
        attempts.add(new PunchReport.Attempt(0, all, 7 * candidates, Core.NEVER, outcome));
    }

    private String advice(String side) {
        for (Object each : PathText.advice(facts())) {
            JsonObject advice = (JsonObject) each;
            if (advice.getString("side").equals(side)) return advice.getString("text");
        }
        return "";
    }

    @Test
    void aRelayedPathSaysHowFarTheSearchForADirectOneIs() {
        assertThat(PathText.verdict(facts()))
                .startsWith("A relay (" + RELAY.shortText() + ") carries the packets: ")
                .endsWith("a direct path is about to be tried.");
        attempt(Outcome.ASKED, 0);
        assertThat(PathText.verdict(facts())).endsWith("the peer is being asked for its addresses.");
        attempt(Outcome.TRIED, 6);
        assertThat(PathText.verdict(facts())).endsWith("2 attempts at 6 addresses brought no answer yet.");
        attempt(Outcome.UNANSWERED, 0);
        assertThat(PathText.verdict(facts())).endsWith("did not answer when it was asked for its addresses.");
        attempt(Outcome.DIRECT, 1);
        assertThat(PathText.verdict(facts())).endsWith("the direct path that was found was lost.");
        capabilities = 0;
        assertThat(PathText.verdict(facts())).endsWith("the peer does not punch holes.");
        assertThat(advice("peer")).contains("update it");
    }

    @Test
    void aDirectPathSaysHowLongARelayServedBefore() {
        link = link(AT, null);
        change(SECOND, "direct", PathCause.HANDSHAKE);
        assertThat(PathText.verdict(facts())).isEqualTo("Packets go straight to the peer.");
        change(2 * SECOND, "relay", PathCause.SILENCE);
        change(3 * SECOND, "relay", PathCause.CIRCUIT_ENDED);
        change(3 * SECOND + SECOND / 2, "direct", PathCause.BETTER);
        change(9 * SECOND, "direct", PathCause.BETTER);
        assertThat(PathText.verdict(facts()))
                .isEqualTo("Packets go straight to the peer, after a relay carried them for 1.5 s.");
        assertThat(PathText.advice(facts())).isEmpty();
    }

    @Test
    void aPeerThatIsGoneSaysWhy() {
        link = null;
        assertThat(PathText.verdict(facts())).isEqualTo("There is no path: the peer has not answered yet.");
        for (PathCause cause : PathCause.values()) {
            change(0, "none", cause);
            assertThat(PathText.verdict(facts()))
                    .startsWith("There is no path: ")
                    .endsWith(".");
            assertThat(PathText.cause(changes.getLast())).isNotEmpty();
        }
    }

    @Test
    void theSideThatCanChangeSomethingIsNamed() {
        own = side(Mapping.ADDRESS_AND_PORT_DEPENDENT, Reachability.NO);
        assertThat(advice("this"))
                .isEqualTo("the router gives every destination another port: map UDP 9376 on it by hand, or allow"
                        + " port mapping");
        own = side(Mapping.NONE, Reachability.NO);
        assertThat(advice("this")).contains("firewall", "UDP 9376");
        own = side(Mapping.ENDPOINT_INDEPENDENT, Reachability.NO);
        assertThat(advice("this")).contains("nothing to do");
        own = side(Mapping.ENDPOINT_INDEPENDENT, Reachability.YES);
        assertThat(advice("this")).isEqualTo("anybody reaches it: nothing to do");
        own = UNKNOWN;
        assertThat(advice("this")).contains("not known", "mcc netcheck --again");
        udp = NatReport.Udp.BLOCKED;
        assertThat(advice("this")).contains("blocks UDP");
        assertThat(advice("peer")).contains("has not told", "mcc netcheck");
        ports = Allocation.SHARED;
        assertThat(advice("peer")).contains("nothing to do there");
        ports = Allocation.SEQUENTIAL;
        assertThat(advice("peer")).contains("its router gives every destination another port", "port mapping there");
    }

    @Test
    void twoRoutersThatAllowNoDirectPathAreSaidToBeWhy() {
        own = side(Mapping.ADDRESS_AND_PORT_DEPENDENT, Reachability.NO);
        ports = Allocation.RANDOM;
        attempt(Outcome.TRIED, 2);
        assertThat(PathText.verdict(facts()))
                .endsWith("both routers give every destination another port, so that no" + " direct path can be made.");
        own = side(Mapping.ENDPOINT_INDEPENDENT, Reachability.NO);
        assertThat(PathText.verdict(facts())).endsWith("1 attempt at 2 addresses brought no answer yet.");
    }
}
