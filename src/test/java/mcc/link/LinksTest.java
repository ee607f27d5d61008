package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.session.Cookies;
import mcc.stream.Stream;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Transport;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole links over a simulated network, in virtual time. */
class LinksTest extends VirtualNet {
    @Test
    void aFirstRequestCostsOneRoundTrip() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.FindNode(Id.ZERO)));
        long start = now;
        run(SECOND, () -> !a.all(LinkOutput.Answered.class).isEmpty());
        assertThat(now - start).isEqualTo(2 * latencyNs);
        assertThat(a.all(LinkOutput.Answered.class)).singleElement().satisfies(answer -> {
            assertThat(answer.call()).isEqualTo(7);
            assertThat(answer.from()).isEqualTo(b.identity.id());
            assertThat(answer.at()).isEqualTo(b.at);
        });
        run(SECOND);
        assertThat(b.all(LinkOutput.Asked.class))
                .as("asked once, though early data may be repeated")
                .hasSize(1);
        assertThat(a.all(LinkOutput.Observed.class))
                .allMatch(o -> o.self().equals(a.at))
                .isNotEmpty();
        assertThat(b.all(LinkOutput.Observed.class))
                .allMatch(o -> o.self().equals(b.at))
                .isNotEmpty();
        assertThat(a.links.peer(b.identity.id()).suite()).isEqualTo("AES_256_GCM");
    }

    @Test
    void onlyAPathThatCarriesPacketsIsAskedHowLongTheyMayBe() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.FindNode(Id.ZERO)));
        run(30 * SECOND);
        carries = 1_400;
        a.links.packets().send(now, b.identity.id(), Transport.PACKET, new byte[100], 0, 100, a.sink);
        a.turn();
        run(3 * SECOND);
        assertThat(a.links.packets().max(b.identity.id())).isEqualTo(1_392 - Transport.OVERHEAD_BYTES);
        assertThat(b.links.packets().max(a.identity.id())).isEqualTo(PathMtu.INNER - Transport.OVERHEAD_BYTES);
        assertThat(a.counters.value("link.mtu.black-hole")).isEqualTo(1);
        assertThat(b.counters.value("link.mtu.probes")).isZero();
        long probes = a.counters.value("link.mtu.probes");
        run(60 * SECOND);
        assertThat(a.counters.value("link.mtu.probes"))
                .as("unused, it is left alone")
                .isEqualTo(probes);
    }

    @Test
    void aStreamSurvivesThatThePeerNeverHeardOfTheKeys() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.FindNode(Id.ZERO)));
        run(15 * MS);
        lossPpm = 1_000_000;
        run(6 * MS);
        flights.clear(); // the response arrived; the packet that should confirm it is lost
        run(60 * SECOND);
        assertThat(a.links.peer(b.identity.id()).established()).isTrue();
        assertThat(b.links.peer(a.identity.id())).isNull();
        lossPpm = 0;
        Stream stream = a.links.open(now, b.contact());
        byte[] bytes = rng.bytes(1_000);
        stream.write(bytes, 0, bytes.length);
        a.turn();
        run(10 * SECOND, () -> b.received.containsKey(stream.id()));
        assertThat(b.received.get(stream.id())).isEqualTo(bytes);
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
    }

    @Test
    void streamsUseTheLongestDatagramsThatPass() {
        carries = 8_972;
        assertThat(bulk(4 << 20, 60 * SECOND)).isLessThan(4 * (4 << 20) / 8_972);
        assertThat(hosts.getFirst().counters.value("link.mtu.black-hole")).isZero();
    }

    @Test
    void aPathThatCarriesLessInMidTransferHardlyHoldsItUp() {
        carries = 8_972;
        changes = 2 << 20;
        bulk(4 << 20, 3 * SECOND);
        run(3 * SECOND);
        assertThat(hosts.getFirst().counters.value("link.mtu.black-hole")).isEqualTo(1);
    }

    /** Sends that many bytes within the time, and returns how many datagrams it took; all bytes must arrive unchanged. */
    private int bulk(int bytes, long withinNs) {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        byte[] sent = rng.bytes(bytes);
        Stream stream = a.links.open(now, b.contact());
        int[] written = {0};
        a.turn();
        run(withinNs, () -> {
            int n = stream.write(sent, written[0], bytes - written[0]);
            written[0] += n;
            if (n > 0) a.turn();
            int arrived = b.received.getOrDefault(stream.id(), new byte[0]).length;
            if (arrived > changes) carries = 1_400;
            return arrived == bytes;
        });
        assertThat(b.received.get(stream.id())).isEqualTo(sent);
        return datagrams;
    }

    @Test
    void aLinkIsPlannedOnceHoweverOftenItsDeadlineMoves() {
        bulk(4 << 20, 60 * SECOND);
        for (Host host : hosts) assertThat(host.links.deadlines.size()).isEqualTo(1);
        run(600 * SECOND);
        for (Host host : hosts) assertThat(host.links.deadlines.size()).isEqualTo(1);
    }

    @Test
    void aLinkThatGaveWayIsPlannedNoMore() {
        Host b = host("192.0.2.2:1");
        for (int i = 1; i <= 130; i++) {
            host("198.51.100.1:" + i).input(new LinkInput.Ask(b.contact(), i, new Message.Ping()));
            run(50 * MS);
        }
        assertThat(b.counters.value("link.table.evicted")).isEqualTo(30);
        assertThat(b.links.deadlines.size()).isEqualTo(100);
    }

    @Test
    void anInitiationThatComesTwiceIsAnsweredOnce() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.FindNode(Id.ZERO)));
        byte[] initiation = flights.peek().bytes();
        run(SECOND);
        long answered = b.counters.value("link.handshake.responded");
        b.links.receive(now, initiation, 0, initiation.length, Address.parse("203.0.113.5:5"));
        run(SECOND);
        assertThat(b.counters.value("link.handshake.responded")).isEqualTo(answered);
        assertThat(b.counters.value("link.initiation.repeated")).isEqualTo(1);
        assertThat(b.all(LinkOutput.Asked.class)).hasSize(1);
    }

    @Test
    void whoMayNotLearnThatANodeIsThereHearsNothing() {
        Host a = host("192.0.2.1:1");
        policy = new Policy(List.of());
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.FindNode(Id.ZERO)));
        run(30 * SECOND);
        assertThat(a.all(LinkOutput.Unanswered.class)).hasSize(1);
        assertThat(a.counters.value("udp.rx.packets")).isZero();
        assertThat(b.all(LinkOutput.Asked.class)).isEmpty();
        assertThat(b.counters.value("policy.denied")).isPositive();
        assertThat(b.links.peers()).isEmpty();
    }

    @Test
    void whoDialsWithoutAKeyIsJudgedAsSoonAsItSaysWhoItIs() {
        Host a = host("192.0.2.1:1");
        policy = new Policy(List.of());
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Dial(3, b.at));
        run(30 * SECOND);
        assertThat(b.counters.value("policy.denied")).isPositive();
        assertThat(b.all(LinkOutput.Up.class)).isEmpty();
        assertThat(b.links.peers()).isEmpty();
    }

    @Test
    void aStoreIsNeverEarlyData() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.Beat(Id.ZERO, Id.ZERO, 1)));
        run(SECOND, () -> !b.all(LinkOutput.Asked.class).isEmpty());
        assertThat(now).isGreaterThanOrEqualTo(3 * latencyNs);
        assertThat(b.counters.value("link.early.accepted")).isZero();
    }

    @Test
    void whatNobodyWaitsForAnyLongerIsTriedNoLonger() {
        Host a = host("192.0.2.1:1");
        Host silent = host("192.0.2.2:1");
        silent.silent = true;
        a.input(new LinkInput.Ask(silent.contact(), 1, new Message.Ping()));
        a.input(new LinkInput.Ask(silent.contact(), 2, new Message.Ping()));
        a.input(new LinkInput.Cancel(silent.identity.id(), 1));
        assertThat(a.links.peers()).as("the second still waits").hasSize(1);
        a.input(new LinkInput.Cancel(silent.identity.id(), 2));
        a.input(new LinkInput.Cancel(silent.identity.id(), 2));
        assertThat(a.links.peers()).isEmpty();
        int before = datagrams;
        run(20 * SECOND);
        assertThat(datagrams).isEqualTo(before);
    }

    @Test
    void anAddressWithoutAKeyIsDialled() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Dial(3, b.at));
        run(SECOND, () -> !a.all(LinkOutput.Dialled.class).isEmpty());
        assertThat(a.all(LinkOutput.Dialled.class)).containsExactly(new LinkOutput.Dialled(3, b.identity.id(), b.at));
        a.input(new LinkInput.Ask(b.contact(), 8, new Message.Ping()));
        run(SECOND, () -> !a.all(LinkOutput.Answered.class).isEmpty());
        assertThat(a.all(LinkOutput.Answered.class)).hasSize(1);
        assertThat(b.all(LinkOutput.Up.class)).hasSize(1);
    }

    @Test
    void aDialThatFailsHalfWayLeavesNothingForGood() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Dial(3, b.at));
        run(15 * MS);
        b.silent = true; // its response is on the way
        run(2 * 3_600 * SECOND);
        assertThat(a.all(LinkOutput.NotDialled.class)).hasSize(1);
        assertThat(a.all(LinkOutput.Observed.class)).as("it came").hasSize(1);
        assertThat(a.links.peers()).isEmpty();
    }

    @Test
    void anAddressWhereNobodyIsFailsInTime() {
        Host a = host("192.0.2.1:1");
        a.input(new LinkInput.Dial(3, Address.parse("192.0.2.9:1")));
        Contact ghost = new Contact(Identity.fromSeed(rng.bytes(32)).id(), List.of(Address.parse("192.0.2.9:1")));
        a.input(new LinkInput.Ask(ghost, 1, new Message.Ping()));
        run(20 * SECOND);
        assertThat(a.all(LinkOutput.NotDialled.class)).hasSize(1);
        assertThat(a.all(LinkOutput.Unanswered.class))
                .containsExactly(new LinkOutput.Unanswered(ghost.node(), 1, LinkOutput.Reason.UNREACHABLE));
        assertThat(a.links.deadlineNs()).as("nothing is left to do").isEqualTo(Core.NEVER);
    }

    @Test
    void anotherKeyAtTheAddressIsNotAccepted() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Id wrong = Identity.fromSeed(rng.bytes(32)).id();
        a.input(new LinkInput.Ask(new Contact(wrong, List.of(b.at)), 1, new Message.Ping()));
        run(20 * SECOND);
        assertThat(a.all(LinkOutput.Answered.class)).isEmpty();
        assertThat(a.all(LinkOutput.Unanswered.class)).hasSize(1);
        assertThat(b.counters.value("link.initiation.mac1"))
                .as("dropped before any curve")
                .isPositive();
        assertThat(b.seen).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void bothSidesAtOnceAndAThirdOfAllPacketsLostStillConnect(long seed) {
        for (int i = 0; i < seed; i++) rng.nextLong();
        lossPpm = 330_000;
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.FindNode(Id.ZERO)));
        b.input(new LinkInput.Ask(a.contact(), 2, new Message.FindNode(Id.ZERO)));
        for (int i = 0; i < 60; i++) {
            run(SECOND / 2);
            a.input(new LinkInput.Ask(b.contact(), 100 + i, new Message.Ping()));
            b.input(new LinkInput.Ask(a.contact(), 200 + i, new Message.Ping()));
        }
        assertThat(a.all(LinkOutput.Answered.class)).hasSizeGreaterThan(10);
        assertThat(b.all(LinkOutput.Answered.class)).hasSizeGreaterThan(10);
        assertThat(a.counters.value("link.peer.restarted") + b.counters.value("link.peer.restarted"))
                .isZero();
    }

    @Test
    void bytesCrossAndKeysAreReplacedUnderway() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Stream stream = a.links.open(now, b.contact());
        byte[] sent = rng.bytes(600_000);
        int at = 0;
        for (int i = 0; i < 400; i++) {
            int n = Math.min(1500, sent.length - at);
            assertThat(stream.write(sent, at, n)).isEqualTo(n);
            at += n;
            a.turn();
            run(SECOND);
        }
        stream.finish();
        a.turn();
        run(SECOND);
        assertThat(b.received.get(stream.id())).isEqualTo(sent);
        assertThat(a.counters.value("link.session.established"))
                .as("rekeyed every two minutes")
                .isBetween(4L, 5L);
        assertThat(a.counters.value("link.peer.restarted")).isZero();
        assertThat(a.all(LinkOutput.Down.class)).isEmpty();
    }

    @Test
    void aPeerThatMovesIsFollowedAfterItProvedItsNewAddress() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Stream stream = a.links.open(now, b.contact());
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(SECOND);
        a.at = Address.parse("192.0.2.77:9");
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(SECOND);
        assertThat(b.links.peer(a.identity.id()).at()).isEqualTo(a.at);
        assertThat(b.received.get(stream.id())).hasSize(2000);
        assertThat(a.all(LinkOutput.Observed.class).getLast().self())
                .as("it is told so")
                .isEqualTo(a.at);
    }

    @Test
    void aReplayedPacketFromElsewhereMovesNothing() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        List<Flight> recorded = new ArrayList<>();
        a.input(new LinkInput.Ask(b.contact(), 2, new Message.Ping()));
        recorded.addAll(flights);
        run(SECOND);
        Address mallory = Address.parse("203.0.113.5:5");
        long challenges = b.counters.value("link.path.candidate");
        for (Flight f : recorded) b.links.receive(now, f.bytes(), 0, f.bytes().length, mallory);
        b.turn();
        assertThat(b.counters.value("link.datagram.replayed")).isEqualTo(recorded.size());
        assertThat(b.counters.value("link.path.candidate")).isEqualTo(challenges);
        assertThat(b.links.peer(a.identity.id()).at()).isEqualTo(a.at);
    }

    @Test
    void aRestartedPeerLosesItsStreamsAndIsReachedAgain() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Stream stream = a.links.open(now, b.contact());
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(SECOND);
        hosts.remove(b);
        Host again = new Host(b.identity, "192.0.2.2:1", Aead.Suite.AES_256_GCM);
        a.input(new LinkInput.Ask(again.contact(), 5, new Message.Ping()));
        run(10 * SECOND);
        assertThat(a.all(LinkOutput.StreamsLost.class)).hasSize(1);
        assertThat(stream.write(new byte[1], 0, 1)).isEqualTo(-1);
        a.input(new LinkInput.Ask(again.contact(), 6, new Message.Ping()));
        run(SECOND);
        assertThat(a.all(LinkOutput.Answered.class))
                .extracting(LinkOutput.Answered::call)
                .contains(6L);
    }

    /** A message is never sent again, so an answer under the keys of the earlier instance would be lost. */
    @Test
    void aRestartedPeersFirstRequestIsAnsweredUnderItsNewKeys() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        hosts.remove(b);
        for (String at : List.of("192.0.2.2:2", "192.0.2.2:1")) {
            Host again = new Host(b.identity, at, Aead.Suite.AES_256_GCM);
            again.input(new LinkInput.Ask(a.contact(), 2, new Message.FindNode(Id.ZERO)));
            run(2 * latencyNs);
            assertThat(again.all(LinkOutput.Answered.class)).as("at %s", at).hasSize(1);
            run(SECOND);
            hosts.remove(again);
        }
        assertThat(a.all(LinkOutput.Asked.class)).hasSize(2);
    }

    @Test
    void aRestartedPeerThatDialsByAddressIsTakenBack() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        hosts.remove(b);
        Host again = new Host(b.identity, "192.0.2.2:1", Aead.Suite.AES_256_GCM);
        again.input(new LinkInput.Dial(9, a.at));
        run(SECOND);
        assertThat(again.all(LinkOutput.Dialled.class)).hasSize(1);
        again.input(new LinkInput.Ask(a.contact(), 2, new Message.Ping()));
        a.input(new LinkInput.Ask(again.contact(), 3, new Message.Ping()));
        run(SECOND);
        assertThat(again.all(LinkOutput.Answered.class)).hasSize(1);
        assertThat(a.all(LinkOutput.Answered.class))
                .extracting(LinkOutput.Answered::call)
                .containsExactly(1L, 3L);
    }

    @Test
    void anOutageIsSurvivedAndALongOneEndsTheStreams() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Stream stream = a.links.open(now, b.contact());
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(SECOND);
        b.silent = true;
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(20 * SECOND);
        b.silent = false;
        run(10 * SECOND);
        assertThat(b.received.get(stream.id())).as("twenty seconds of outage").hasSize(2000);
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
        b.silent = true;
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(33 * SECOND);
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
        run(SECOND);
        assertThat(a.all(LinkOutput.StreamsLost.class)).as("after 34 s").hasSize(1);
        assertThat(a.all(LinkOutput.Down.class))
                .containsExactly(new LinkOutput.Down(b.identity.id(), LinkOutput.Reason.UNREACHABLE));
    }

    @Test
    void anIdleStreamLivesAndItsDeadPeerIsNoticed() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Stream stream = a.links.open(now, b.contact());
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(4 * 3600 * SECOND);
        assertThat(a.all(LinkOutput.StreamsLost.class)).as("four idle hours").isEmpty();
        stream.write(new byte[1000], 0, 1000);
        a.turn();
        run(SECOND);
        assertThat(b.received.get(stream.id())).hasSize(2000);
        hosts.remove(b);
        run(47 * SECOND);
        assertThat(a.all(LinkOutput.StreamsLost.class)).isEmpty();
        run(SECOND);
        assertThat(a.all(LinkOutput.StreamsLost.class))
                .as("49 s after it was heard last")
                .hasSize(1);
    }

    @Test
    void aFloodOfInitiationsIsAskedForCookiesAndHonestPeersPass() {
        latencyNs = 5 * MS; // less than the 10 ms after which one more would be answered without a cookie
        Host b = host("192.0.2.2:1");
        List<byte[]> initiations = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            Host spoofed = host("198.51.100.1:" + (i + 1));
            spoofed.input(new LinkInput.Ask(b.contact(), i, new Message.Ping()));
            initiations.add(flights.poll().bytes());
            flights.clear();
        }
        hosts.removeIf(h -> h != b);
        for (int i = 0; i < 300; i++) {
            b.links.receive(
                    now, initiations.get(i), 0, initiations.get(i).length, Address.parse("198.51.100.1:" + i + 1));
        }
        assertThat(b.counters.value("link.cookie.sent")).isEqualTo(200);
        Host honest = host("192.0.2.3:1");
        honest.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        long start = now;
        run(5 * SECOND, () -> !honest.all(LinkOutput.Answered.class).isEmpty());
        assertThat(honest.counters.value("link.cookie.received")).isEqualTo(1);
        assertThat(now - start).isEqualTo(4 * latencyNs);
    }

    /** XX needs only the network's name, and at this rate no cookies are asked for. */
    @Test
    void strangersWhoKnowNoKeySwitchNoEarlyDataOff() {
        Host b = host("192.0.2.2:1");
        byte[] key = Cookies.mac1KeyUnknown("test");
        for (int i = 0; i < Responder.EPHEMERALS_MAX; i++) {
            byte[] noise = rng.bytes(32);
            Initiation.Builder initiation = Initiation.newBuilder()
                    .setSender(i)
                    .setNoise(ByteString.copyFrom(noise))
                    .setMac1(ByteString.copyFrom(Cookies.mac(key, i, noise)))
                    .setPadding(ByteString.copyFrom(new byte[168]));
            byte[] spoofed =
                    Datagram.newBuilder().setXxInitiation(initiation).build().toByteArray();
            b.links.receive(now, spoofed, 0, spoofed.length, Address.parse("198.51.100.1:1"));
            run(10 * MS);
        }
        assertThat(datagrams).as("all were answered").isEqualTo(Responder.EPHEMERALS_MAX);
        assertThat(b.counters.value("link.cookie.sent")).isZero();
        Host a = host("192.0.2.1:1");
        assertThat(firstAnswerNs(a, b)).isEqualTo(2 * latencyNs);
    }

    @Test
    void whatIsRefusedAsEarlyDataIsAskedAgainUnderTheKeys() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.WallClock(1_800_000_000_000L + 3_600_000));
        assertThat(firstAnswerNs(a, b)).isEqualTo(4 * latencyNs);
        assertThat(b.counters.value("link.early.refused")).isEqualTo(1);
        assertThat(b.all(LinkOutput.Asked.class)).hasSize(1);
    }

    private long firstAnswerNs(Host from, Host to) {
        long start = now;
        from.input(new LinkInput.Ask(to.contact(), 7, new Message.FindNode(Id.ZERO)));
        run(SECOND, () -> !from.all(LinkOutput.Answered.class).isEmpty());
        assertThat(from.all(LinkOutput.Answered.class)).hasSize(1);
        return now - start;
    }

    @Test
    void noBytesFromOutsidersThrowOrGrowAnything() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        List<byte[]> real = new ArrayList<>();
        flights.forEach(f -> real.add(f.bytes()));
        run(SECOND);
        Address mallory = Address.parse("203.0.113.5:5");
        int before = b.seen.size();
        for (int i = 0; i < 50_000; i++) {
            byte[] bytes = rng.below(3) == 0
                    ? rng.bytes(rng.below(1400))
                    : real.get(rng.below(real.size())).clone();
            int length = rng.below(2) == 0 ? bytes.length : rng.below(bytes.length + 1);
            for (int flips = rng.below(6); flips >= 0 && length > 0; flips--) {
                bytes[rng.below(length)] ^= (byte) (1 << rng.below(8));
            }
            b.links.receive(now, bytes, 0, length, mallory);
            now += MS;
            if (b.links.deadlineNs() <= now) b.links.handle(now, new LinkInput.Tick());
            b.turn();
            flights.clear();
        }
        assertThat(b.links.peers()).hasSize(1);
        assertThat(b.seen.size() - before).isLessThan(5);
        assertThat(b.links.peer(a.identity.id()).at()).isEqualTo(a.at);
        long dropped = b.counters.value("link.datagram.malformed")
                + b.counters.value("link.initiation.mac1")
                + b.counters.value("link.datagram.unknown-receiver")
                + b.counters.value("link.datagram.forged");
        assertThat(dropped).isGreaterThan(40_000);
    }

    @Test
    void equalSeedsGiveEqualDatagrams() {
        assertThat(new LinksTest().trace()).isEqualTo(new LinksTest().trace());
    }

    private long trace() {
        lossPpm = 100_000;
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        Stream stream = a.links.open(now, b.contact());
        stream.write(new byte[100_000], 0, 100_000);
        a.turn();
        run(5 * SECOND);
        assertThat(b.received.get(stream.id())).hasSize(100_000);
        return datagrams * 31L
                + a.counters.snapshot().hashCode()
                + 17L * b.counters.snapshot().hashCode()
                + rng.nextLong();
    }

    @Test
    void theLawsOfCoresHold() {
        CoreLaws.check(Two::new, new LinkInput.Tick(), Two::anyInput, 1_500);
    }

    /**
     * Links under the laws of cores, with a peer that answers at once. What they send is an output like any other, and what
     * comes back is part of the same step.
     */
    private static final class Two implements Core<LinkInput, Object> {
        private static final Identity PEER = Identity.fromSeed(Rng.seeded(12).bytes(32));
        private static final Address HERE = Address.parse("192.0.2.1:1");
        private static final Address THERE = Address.parse("192.0.2.2:1");
        private final Counters counters = new Counters();
        private final Links links = links(Identity.fromSeed(Rng.seeded(11).bytes(32)), 13, counters);
        private final Links peer = links(PEER, 14, new Counters());
        private final ArrayDeque<Object> said = new ArrayDeque<>();
        private long nowNs;
        private boolean moved;
        private int steps;

        private record Sent(Address to, Bytes datagram) {}

        private static Links links(Identity identity, long seed, Counters counters) {
            var config = new LinkConfig("test", List.of(Aead.Suite.CHACHA20_POLY1305), 8, StreamConfig.defaults());
            return OpenLinks.of(config, identity, Rng.seeded(seed), counters);
        }

        static LinkInput anyInput(Rng rng, List<Object> before) {
            Contact known = new Contact(PEER.id(), List.of(THERE));
            Contact nobody = nobody(rng.below(12));
            return switch (rng.below(13)) {
                case 12 ->
                    new LinkInput.NewPolicy(new PolicyEpoch(
                            rng.below(3) == 0 ? new Policy(List.of()) : Policy.open(), 1 + rng.below(9)));
                case 0 -> new LinkInput.Ask(nobody, rng.nextLong(), new Message.Ping());
                case 1 -> new LinkInput.Dial(rng.below(9), rng.below(2) == 0 ? THERE : HERE);
                case 2 -> new LinkInput.Reply(PEER.id(), rng.nextLong(), new Message.Pong());
                case 3 -> new LinkInput.WallClock(1_800_000_000_000L + rng.below(1 << 30));
                case 4 -> rng.below(20) == 0 ? new LinkInput.Shutdown() : new LinkInput.Tick();
                case 5, 6, 7 -> new LinkInput.Tick();
                default -> new LinkInput.Ask(known, rng.nextLong(), new Message.FindNode(Id.random(rng)));
            };
        }

        /** Opens and ends streams as inputs come, some to the peer and some to nodes that do not exist. */
        private void stream(long now) {
            Contact to = steps % 3 == 0 ? new Contact(PEER.id(), List.of(THERE)) : nobody(steps % 12);
            Stream stream = links.open(now, to);
            if (stream == null) return;
            stream.write(new byte[100], 0, 100);
            if (steps % 4 == 0) stream.reset(now, 1);
            else if (steps % 4 == 1) stream.finish();
        }

        private static Contact nobody(int which) {
            Identity identity = Identity.fromSeed(Rng.seeded(20 + which).bytes(32));
            return new Contact(identity.id(), List.of(Address.parse("192.0.2.9:9")));
        }

        @Override
        public void handle(long now, LinkInput input) {
            nowNs = now;
            if (!(input instanceof LinkInput.Tick) && ++steps % 7 == 0) stream(now);
            links.handle(now, input);
            int rounds = 0;
            do {
                assertThat(rounds++).as("rounds of one step").isLessThan(1_000);
                moved = false;
                // As the packet loop does in each turn: what is due gets its tick.
                for (Links each : List.of(links, peer)) {
                    if (each.deadlineNs() <= now) each.handle(now, new LinkInput.Tick());
                }
                for (LinkOutput o; (o = links.poll()) != null; ) said.add(told(o));
                links.transmit(now, out(HERE, THERE, peer));
                for (LinkOutput o; (o = peer.poll()) != null; ) answer(o);
                peer.transmit(now, out(THERE, HERE, links));
            } while (moved || links.wantsToTransmit() || links.deadlineNs() <= now);
            for (LinkOutput o; (o = links.poll()) != null; ) said.add(told(o));
            assertThat(counters.value("link.deadline.stuck")).isZero();
        }

        /** An output in a form that is equal in equal runs: of a stream only its number. */
        private static Object told(LinkOutput output) {
            return switch (output) {
                case LinkOutput.StreamReadable _, LinkOutput.StreamWritable _, LinkOutput.StreamFinished _ ->
                    output.toString();
                default -> output;
            };
        }

        private void answer(LinkOutput output) {
            if (!(output instanceof LinkOutput.Asked a)) return;
            Message answer = a.request() instanceof Message.Ping ? new Message.Pong() : new Message.Nodes(List.of());
            peer.handle(nowNs, new LinkInput.Reply(a.from().node(), a.call(), answer));
            moved = true;
        }

        private PacketSink out(Address from, Address at, Links to) {
            return (where, buf, offset, length) -> {
                byte[] bytes = Arrays.copyOfRange(buf, offset, offset + length);
                if (to == peer) said.add(new Sent(where, Bytes.owning(bytes.clone())));
                if (!where.equals(at)) return;
                to.receive(nowNs, bytes, 0, length, from);
                moved = true;
            };
        }

        @Override
        public Object poll() {
            return said.poll();
        }

        @Override
        public long deadlineNs() {
            return links.deadlineNs();
        }
    }
}
