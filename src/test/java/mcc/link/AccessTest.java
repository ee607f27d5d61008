package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.link.LinkOutput.Reason;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Transport;
import org.junit.jupiter.api.Test;

/** Who may have a link with a node, whichever end begins it, and what a new epoch of the policy does to existing links. */
class AccessTest extends VirtualNet {
    private static final Policy NOBODY = new Policy(List.of());

    private static Policy only(List<Id> peers) {
        List<Grant> grants = new ArrayList<>();
        for (Id peer : peers) grants.add(grant(new Grant.Whom.Node(peer)));
        return new Policy(grants);
    }

    private static Grant grant(Grant.Whom to) {
        return Grant.of(Policy.OPEN, new Grant.What.Nodes(), to, EnumSet.of(Action.SIGNAL));
    }

    private static LinkInput.Ask ping(Host to) {
        return new LinkInput.Ask(to.contact(), 7, new Message.Ping());
    }

    private static List<Id> gone(Host host, Reason reason) {
        return host.all(LinkOutput.Down.class).stream()
                .filter(d -> d.reason() == reason)
                .map(LinkOutput.Down::node)
                .toList();
    }

    @Test
    void whatALinkPutsOutNamesWhoProvedToBeAtItsOtherEnd() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Stream stream = a.links.open(now, b.contact());
        stream.write(new byte[] {1}, 0, 1);
        a.input(ping(b));
        run(SECOND);
        assertThat(a.all(LinkOutput.Up.class)).extracting(LinkOutput.Up::node).containsExactly(subject(b));
        assertThat(b.all(LinkOutput.Up.class)).extracting(LinkOutput.Up::node).containsExactly(subject(a));
        assertThat(b.all(LinkOutput.Asked.class))
                .extracting(LinkOutput.Asked::from)
                .containsExactly(subject(a));
        assertThat(b.all(LinkOutput.StreamOpened.class))
                .extracting(LinkOutput.StreamOpened::peer)
                .containsExactly(subject(a));
        assertThat(b.links.packets().subject(a.identity.id())).isEqualTo(subject(a));
        b.input(new LinkInput.Tell());
        assertThat(b.all(LinkOutput.Stands.class))
                .extracting(LinkOutput.Stands::node)
                .containsExactly(subject(a));
    }

    private static Subject subject(Host host) {
        return Subject.of(host.identity.id());
    }

    @Test
    void whoDialsByKeyJudgesWhomItDialsBeforeAnythingIsSent() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.govern(NOBODY, 2);
        List<Flight> sent = new ArrayList<>();
        tap = sent::add;
        assertThat(a.links.open(now, b.contact())).as("a stream").isNull();
        assertThat(a.links.packets().connect(now, b.contact()))
                .as("keys for packets")
                .isFalse();
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.FindNode(a.identity.id())));
        run(SECOND);
        assertThat(sent).as("no handshake, and no early data in it").isEmpty();
        assertThat(a.all(LinkOutput.Up.class)).isEmpty();
        assertThat(a.all(LinkOutput.Unanswered.class))
                .extracting(LinkOutput.Unanswered::reason)
                .containsExactly(Reason.DENIED);
        assertThat(a.links.peers()).isEmpty();
        assertThat(a.counters.value("policy.denied")).isEqualTo(3);
    }

    @Test
    void anEpochEndsTheHandshakesThatItDoesNotAllowBeforeTheyKnockElsewhere() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Contact unreachable = new Contact(b.identity.id(), List.of(Address.parse("192.0.2.9:1"), b.at));
        a.input(new LinkInput.Ask(unreachable, 7, new Message.Ping()));
        List<Flight> sent = new ArrayList<>();
        tap = sent::add;
        a.govern(NOBODY, 2);
        run(SECOND);
        assertThat(sent).isEmpty();
        assertThat(a.all(LinkOutput.Unanswered.class))
                .extracting(LinkOutput.Unanswered::reason)
                .containsExactly(Reason.DENIED);
        assertThat(a.all(LinkOutput.PolicyEnded.class)).as("no link stood").isEmpty();
    }

    @Test
    void whoAnswersIsJudgedByThePolicyOfThatMoment() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Grant brief = new Grant(
                Policy.OPEN,
                new Grant.What.Nodes(),
                new Grant.Whom.Anyone(),
                EnumSet.of(Action.SIGNAL),
                List.of(),
                0,
                1_800_000_000_000L + 15,
                0,
                0);
        a.govern(new Policy(List.of(brief)), 2);
        List<Flight> sealed = new ArrayList<>();
        tap = f -> {
            if (f.from().equals(a.at) && Transport.looksLike(f.bytes(), 0, f.bytes().length)) sealed.add(f);
        };
        a.input(ping(b));
        run(SECOND);
        assertThat(b.counters.value("link.handshake.responded"))
                .as("the answer came after the grant's end")
                .isPositive();
        assertThat(sealed).isEmpty();
        assertThat(a.all(LinkOutput.Unanswered.class))
                .extracting(LinkOutput.Unanswered::reason)
                .containsExactly(Reason.DENIED);
    }

    @Test
    void whoDialsByAddressJudgesThePeerBeforeItSaysWhoItIs() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.govern(NOBODY, 2);
        a.input(new LinkInput.Dial(3, b.at));
        run(30 * SECOND);
        assertThat(a.all(LinkOutput.NotDialled.class))
                .extracting(LinkOutput.NotDialled::reason)
                .containsExactly(Reason.DENIED);
        assertThat(b.counters.value("policy.allowed") + b.counters.value("policy.denied"))
                .as("nobody was named to it")
                .isZero();
        assertThat(a.links.peers()).isEmpty();
    }

    @Test
    void whatWasAnsweredUnderAnOlderPolicyComesToNothingUnderTheNext() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(ping(b));
        run(SECOND, () -> b.counters.value("link.handshake.responded") > 0);
        b.govern(NOBODY, 2);
        run(20 * SECOND);
        assertThat(b.all(LinkOutput.Up.class)).isEmpty();
        assertThat(b.links.peers()).isEmpty();
        assertThat(b.all(LinkOutput.PolicyEnded.class)).as("no link stood").isEmpty();
    }

    @Test
    void whoAnsweredADialUnderAnOlderPolicyGetsNoKeysUnderTheNext() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Dial(3, b.at));
        run(SECOND, () -> b.counters.value("policy.allowed") > 0);
        a.govern(NOBODY, 2);
        run(30 * SECOND);
        assertThat(a.all(LinkOutput.NotDialled.class))
                .extracting(LinkOutput.NotDialled::reason)
                .containsExactly(Reason.DENIED);
        assertThat(a.all(LinkOutput.Up.class)).isEmpty();
        assertThat(a.links.peers()).isEmpty();
    }

    /** A transfer from a hub to one of its peers. */
    private static final class Transfer {
        final byte[] content;
        final Stream stream;
        int written;

        Transfer(Stream stream, byte[] content) {
            this.stream = stream;
            this.content = content;
        }
    }

    private final Map<Host, Transfer> transfers = new LinkedHashMap<>();

    private void write(Host hub) {
        transfers.forEach((peer, t) -> {
            int left = t.content.length - t.written;
            int n = t.stream.write(t.content, t.written, left);
            t.written += Math.max(0, n);
        });
        hub.turn();
    }

    @Test
    void anEpochEndsTheLinksThatItDoesNotAllowAndNoByteOfTheOthers() {
        for (int seed = 0; seed < 12; seed++) {
            hosts.clear();
            flights.clear();
            transfers.clear();
            endsWhatItDoesNotAllow(Rng.seeded(seed));
        }
    }

    private void endsWhatItDoesNotAllow(Rng draw) {
        lossPpm = 20_000;
        Host hub = host("192.0.2.1:1");
        for (int i = 0; i < 6; i++) {
            Host peer = host("192.0.2." + (10 + i) + ":1");
            if (i % 2 == 0) hub.input(ping(peer));
            else peer.input(ping(hub));
        }
        run(10 * SECOND, () -> hub.all(LinkOutput.Up.class).size() == 6);
        List<Host> peers = hosts.subList(1, hosts.size());
        for (Host peer : peers)
            transfers.put(peer, new Transfer(hub.links.open(now, peer.contact()), draw.bytes(150_000)));
        for (int i = 0; i < 5; i++) {
            write(hub);
            run(10 * MS);
        }
        List<Host> allowed = peers.stream().filter(_ -> draw.below(2) == 0).toList();
        List<Host> denied = peers.stream().filter(p -> !allowed.contains(p)).toList();
        lossPpm = 0; // if a goodbye is lost, the other end notices the silence only later
        hub.govern(only(ids(allowed)), 2);
        assertThat(hub.links.peers()).extracting(Peer::id).containsExactlyInAnyOrderElementsOf(ids(allowed));
        for (int i = 0; i < 400; i++) {
            write(hub);
            run(10 * MS);
        }
        assertThat(gone(hub, Reason.DENIED)).containsExactlyInAnyOrderElementsOf(ids(denied));
        assertThat(hub.all(LinkOutput.Down.class)).hasSameSizeAs(denied);
        assertThat(hub.all(LinkOutput.PolicyEnded.class))
                .isEqualTo(denied.isEmpty() ? List.of() : List.of(new LinkOutput.PolicyEnded(2, denied.size())));
        assertThat(hub.counters.value("policy.ended.links")).isEqualTo(denied.size());
        for (Host peer : allowed) {
            Transfer t = transfers.get(peer);
            assertThat(Arrays.equals(peer.received.get(t.stream.id()), t.content))
                    .isTrue();
            assertThat(peer.all(LinkOutput.Down.class)).isEmpty();
        }
        for (Host peer : denied) {
            assertThat(gone(peer, Reason.CLOSED)).as("was told goodbye").containsExactly(hub.identity.id());
            peer.input(ping(hub));
        }
        run(10 * SECOND);
        assertThat(hub.links.peers()).as("still not let in").hasSameSizeAs(allowed);
        hub.govern(Policy.open(), 3);
        for (Host peer : denied) peer.input(ping(hub));
        run(10 * SECOND);
        assertThat(hub.links.peers()).hasSize(6);
    }

    private static List<Id> ids(List<Host> hosts) {
        return hosts.stream().map(h -> h.identity.id()).toList();
    }

    @Test
    void theNewestOfSeveralEpochsIsInForceInWhateverOrderTheyCome() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Host c = host("192.0.2.3:1");
        a.input(ping(b));
        a.input(ping(c));
        run(SECOND);
        a.govern(only(ids(List.of(b))), 3);
        a.govern(NOBODY, 2);
        run(SECOND);
        assertThat(gone(a, Reason.DENIED)).containsExactly(c.identity.id());
        assertThat(a.counters.value("policy.epoch.old")).isEqualTo(1);
        a.govern(only(ids(List.of(c))), 4);
        a.govern(only(ids(List.of(b, c))), 5);
        run(SECOND);
        assertThat(a.links.peers()).as("what the one in between ended stays so").isEmpty();
        a.input(ping(b));
        run(SECOND);
        assertThat(a.links.peers()).extracting(Peer::id).containsExactly(b.identity.id());
    }

    @Test
    void aPolicyThatFailsCostsTheLinksThatItFailsOverAndNoOther() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(ping(b));
        run(SECOND);
        a.govern(new Policy(List.of(grant(new Grant.Whom.Node(null)))), 2);
        run(SECOND);
        assertThat(gone(a, Reason.DENIED)).containsExactly(b.identity.id());
        assertThat(a.counters.value("policy.failed")).isPositive();
        a.govern(Policy.open(), 3);
        a.input(ping(b));
        run(SECOND);
        assertThat(a.links.peers()).hasSize(1);
    }
}
