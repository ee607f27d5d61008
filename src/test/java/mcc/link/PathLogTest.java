package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Knock;
import mcc.link.PathReport.State;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** What is told of the paths to a peer afterwards. */
class PathLogTest extends VirtualNet {
    private static final long FOR_A = 0x1111_2222_3333_4444L;
    private static final long FOR_B = 0x5555_6666_7777_8888L;
    private static final Address DEAD = Address.parse("192.0.2.99:9");

    private final Host a = host("192.0.2.1:1");
    private final Host b = host("198.51.100.2:2");
    private final Host relay = host("203.0.113.3:3");
    /** Whether a and b reach each other without the relay. */
    private boolean direct;

    PathLogTest() {
        relay.links.relayBy(relay.sink);
        carried = f -> direct || f.from().equals(relay.at) || f.to().equals(relay.at);
        carries = 1_300;
    }

    private static Id id(Host host) {
        return host.identity.id();
    }

    private PathReport report(Host at, Host of) {
        return at.links.paths(now, id(of));
    }

    private static PathReport.Try of(PathReport report, Address at) {
        return report.tries().stream()
                .filter(t -> at.equals(t.at()))
                .findFirst()
                .orElseThrow();
    }

    /** Joins the two by the relay; a also knows an address at which nobody is. */
    private void joinByRelay() {
        for (Host host : List.of(a, b)) host.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping()));
        run(SECOND);
        b.input(new LinkInput.Welcome(List.of(id(relay))));
        Contact behind = new Contact(id(b), List.of(DEAD), List.of(relay.contact()));
        assertThat(a.links.open(now, behind)).isNotNull();
        a.turn();
        run(3 * SECOND); // until it tries its addresses: no relay brings it there
        relay.input(new LinkInput.Bind(id(a), FOR_A, id(b), FOR_B, 0));
        a.input(new LinkInput.Way(id(b), id(relay), FOR_A));
        run(3 * SECOND);
    }

    @Test
    void aRelayedPathIsToldWithItsRelayAndTheAddressesThatDidNotAnswer() {
        joinByRelay();
        PathReport report = report(a, b);
        assertThat(report.linked()).isTrue();
        assertThat(report.changes()).hasSize(1);
        PathReport.Change first = report.changes().getFirst();
        assertThat(first.kind()).isEqualTo("relay");
        assertThat(first.relay()).isEqualTo(id(relay));
        assertThat(first.at()).isNull();
        assertThat(first.cause()).isEqualTo(PathCause.HANDSHAKE);
        PathReport.Try dead = of(report, DEAD);
        assertThat(dead.state()).isEqualTo(State.SILENT);
        assertThat(dead.answeredNs()).isEqualTo(Core.NEVER);
        assertThat(dead.times()).isPositive();
        assertThat(report.tries().stream().filter(t -> t.at() == null)).anySatisfy(t -> {
            assertThat(t.relay()).isEqualTo(id(relay));
            assertThat(t.state()).isEqualTo(State.IN_USE);
        });
    }

    @Test
    void aDirectPathThatTakesOverIsToldWithItsTimeAndItsCause() {
        joinByRelay();
        a.input(new LinkInput.Knock(id(b), b.at, PacketSink.ANY, Knock.PLAIN));
        assertThat(of(report(a, b), b.at).state()).isEqualTo(State.WAITING);
        run(3 * SECOND);
        assertThat(of(report(a, b), b.at).state()).isEqualTo(State.SILENT);
        direct = true;
        long asked = now;
        a.input(new LinkInput.Knock(id(b), b.at, PacketSink.ANY, Knock.PLAIN));
        run(SECOND);
        PathReport report = report(a, b);
        PathReport.Try tried = of(report, b.at);
        assertThat(tried.state()).isEqualTo(State.IN_USE);
        assertThat(tried.times()).isGreaterThanOrEqualTo(2);
        assertThat(tried.lastNs()).isGreaterThanOrEqualTo(asked);
        assertThat(tried.answeredNs()).isEqualTo(asked + 4 * latencyNs);
        assertThat(tried.rttNs()).isEqualTo(2 * latencyNs);
        PathReport.Change last = report.changes().getLast();
        assertThat(last)
                .isEqualTo(new PathReport.Change(
                        asked + 4 * latencyNs, "direct", b.at, null, PathCause.BETTER, 2 * latencyNs));
        assertThat(report.changes()).hasSize(2);
    }

    @Test
    void aLostRelayAndALostPeerAreTold() {
        joinByRelay();
        relay.input(new LinkInput.Shutdown());
        run(100 * MS);
        PathReport.Change lost = report(a, b).changes().getLast();
        assertThat(lost.kind()).isEqualTo("none");
        assertThat(lost.cause()).isEqualTo(PathCause.CIRCUIT_ENDED);
        PathReport report = report(a, relay);
        assertThat(report.linked()).as("the log outlives the link").isFalse();
        assertThat(report.changes().getLast().cause()).isEqualTo(PathCause.CLOSED);
        assertThat(report.tries()).extracting(PathReport.Try::state).containsOnly(State.ANSWERED);
    }

    @Test
    void ofEachPeerTheNewestIsKeptAndTheRestIsCounted() {
        Counters counters = new Counters();
        PathLog log = new PathLog(counters);
        Path[] paths = new Path[40];
        for (int i = 0; i < 40; i++) {
            paths[i] = new Path(0, Address.parse("198.51.100." + i + ":1"));
            log.at(i);
            log.tried(id(b), paths[i].remote, null);
            log.moved(id(b), paths[i], null, PathCause.BETTER);
        }
        PathReport report = log.report(40, id(b), null);
        assertThat(report.changes()).hasSize(PathLog.CHANGES_MAX);
        assertThat(report.changes().getLast().at()).isEqualTo(paths[39].remote);
        assertThat(report.tries()).hasSize(PathLog.TRIES_MAX);
        assertThat(report.tries().getLast().at()).isEqualTo(paths[39].remote);
        assertThat(report.dropped()).isEqualTo(40 - PathLog.CHANGES_MAX + 40 - PathLog.TRIES_MAX);
        assertThat(counters.value("link.path-log.dropped")).isEqualTo(report.dropped());
        for (int i = 0; i < PathLog.PEERS_MAX; i++) log.tried(new Id(7, 7, 7, i), DEAD, null);
        assertThat(log.report(40, id(b), null).changes()).isEmpty();
        assertThat(counters.value("link.path-log.evicted")).isEqualTo(1);
    }

    @Test
    void whoAsksAboutAPeerThatIsNotKnownPushesNobodyOut() {
        Counters counters = new Counters();
        PathLog log = new PathLog(counters);
        log.tried(id(b), DEAD, null);
        for (int i = 0; i < 2 * PathLog.PEERS_MAX; i++) {
            assertThat(log.report(1, new Id(7, 7, 7, i), null).tries()).isEmpty();
        }
        assertThat(log.report(1, id(b), null).tries()).hasSize(1);
        assertThat(counters.value("link.path-log.evicted")).isZero();
    }
}
