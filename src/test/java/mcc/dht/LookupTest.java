package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.wire.Contact;
import org.junit.jupiter.api.Test;

class LookupTest {
    private static final DhtConfig CONFIG = DhtConfig.of(Bytes.utf8("test"));
    private final Lookup lookup = new Lookup(1, Id.ZERO, new LookupGoal.Nodes(Ticket.ofHost(7)), CONFIG, 0);

    @Test
    void atMostAlphaWaitAndTheNearestAreAskedFirst() {
        know(20, 30, 10, 40, 50, 60);
        assertThat(askAll()).containsExactly(10L, 20L, 30L, 40L);
        assertThat(lookup.next()).isNull();
        assertThat(lookup.isDone()).isFalse();
    }

    @Test
    void itEndsWhenTheNearestHaveAnsweredAndEnoughInAll() {
        know(10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120);
        int asked = 0;
        for (List<Lookup.Peer> wave = askPeers(); !wave.isEmpty(); wave = askPeers()) {
            assertThat(lookup.isDone()).isFalse();
            asked += wave.size();
            for (Lookup.Peer peer : wave) answer(peer, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120);
        }
        assertThat(lookup.isDone()).isTrue();
        assertThat(asked).isEqualTo(Lookup.FLOOR);
        assertThat(lookup.responded(16)).hasSize(Lookup.FLOOR).startsWith(contact(10), contact(20));
        assertThat(lookup.standing(16, true)).hasSize(12);
    }

    @Test
    void peersThatOnlyOneOtherNamedDoNotEndIt() {
        know(1, 2, 3, 4, 5, 6, 7, 8, 900);
        List<Long> asked = new ArrayList<>();
        for (List<Lookup.Peer> wave = askPeers(); !wave.isEmpty(); wave = askPeers()) {
            for (Lookup.Peer peer : wave) {
                asked.add(peer.position.w0());
                if (peer.position.equals(at(900))) answer(peer, 10, 20, 30, 40);
                else answer(peer);
            }
        }
        assertThat(asked).contains(900L, 10L, 20L, 30L, 40L);
        assertThat(lookup.isDone()).isTrue();
    }

    @Test
    void somebodyNearerPutsOffTheEnd() {
        know(10, 20, 30, 40);
        List<Lookup.Peer> asked = askPeers();
        know(5);
        for (Lookup.Peer peer : asked) lookup.answered(peer, 1, Trace.Result.CLOSER, 1);
        assertThat(lookup.isDone()).isFalse();
        assertThat(askAll()).containsExactly(5L);
    }

    @Test
    void fewOfTheDeadPeersThatALiarNamesAreAsked() {
        know(1_000, 2_000);
        List<Lookup.Peer> first = askPeers();
        answer(first.getFirst(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        answer(first.getLast(), 500, 600);
        List<Long> asked = new ArrayList<>();
        for (List<Lookup.Peer> wave = askPeers(); !wave.isEmpty(); wave = askPeers()) {
            for (Lookup.Peer peer : wave) {
                asked.add(peer.position.w0());
                if (peer.position.w0() < 100) lookup.failed(peer, 1, false);
                else answer(peer, 500, 600, 1_000, 2_000);
            }
        }
        assertThat(lookup.isDone()).isTrue();
        assertThat(asked).contains(500L, 600L).hasSizeLessThanOrEqualTo(2 + 2 * Lookup.CREDIT);
        assertThat(lookup.standing(16, true))
                .extracting(c -> c.node().w0())
                .containsExactly(500L, 600L, 1_000L, 2_000L);
    }

    @Test
    void whatWasNamedAtOneAddressAloneIsTriedAtTheOtherTooWhenOthersNameIt() {
        know(1_000, 2_000);
        List<Lookup.Peer> first = askPeers();
        Contact wrong = new Contact(at(5), List.of(Address.v4(1, 1)));
        Contact right = new Contact(at(5), List.of(Address.v4(2, 2)));
        lookup.add(wrong, at(5), first.getFirst(), false);
        lookup.answered(first.getFirst(), 1, Trace.Result.CLOSER, 1);
        Lookup.Peer peer = askPeers().getFirst();
        assertThat(peer.contact).isEqualTo(wrong);
        lookup.failed(peer, 2, true);
        lookup.add(right, at(5), first.getLast(), false);
        lookup.answered(first.getLast(), 3, Trace.Result.CLOSER, 0);
        Lookup.Peer again = askPeers().getFirst();
        assertThat(again.contact.addresses()).containsExactlyInAnyOrder(Address.v4(1, 1), Address.v4(2, 2));
    }

    @Test
    void aSlowPeerGivesItsSlotBackAndMayStillAnswer() {
        know(10, 20, 30, 40, 50);
        List<Lookup.Peer> asked = askPeers();
        lookup.slow(asked.get(1));
        lookup.slow(asked.get(1));
        assertThat(askAll()).containsExactly(50L);
        lookup.answered(asked.get(1), 9, Trace.Result.CLOSER, 0);
        assertThat(asked.get(1).state).isEqualTo(Lookup.State.RESPONDED);
    }

    @Test
    void aNearPeerThatTimedOutGetsOneLastLook() {
        know(10, 20, 30, 40, 50);
        List<Lookup.Peer> asked = askPeers();
        lookup.failed(asked.getFirst(), 1, false);
        for (Lookup.Peer peer : asked.subList(1, 4)) lookup.answered(peer, 1, Trace.Result.CLOSER, 0);
        for (Lookup.Peer peer : askPeers()) {
            if (peer != asked.getFirst()) lookup.answered(peer, 1, Trace.Result.CLOSER, 0);
        }
        if (asked.getFirst().state == Lookup.State.FAILED) assertThat(askAll()).containsExactly(10L);
        lookup.failed(asked.getFirst(), 2, false);
        assertThat(lookup.next()).as("no third time").isNull();
        assertThat(lookup.isDone()).isTrue();
        assertThat(asked.getFirst().asks).isEqualTo(2);
    }

    @Test
    void lastLooksGoOutTogether() {
        know(10, 20, 30, 40);
        List<Lookup.Peer> asked = askPeers();
        for (Lookup.Peer peer : asked.subList(0, 3)) lookup.failed(peer, 1, false);
        lookup.answered(asked.get(3), 1, Trace.Result.CLOSER, 0);
        assertThat(askAll()).containsExactly(10L, 20L, 30L);
    }

    @Test
    void anUnreachablePeerGetsNoLastLook() {
        know(10, 20);
        List<Lookup.Peer> asked = askPeers();
        lookup.failed(asked.getFirst(), 1, true);
        lookup.answered(asked.get(1), 1, Trace.Result.CLOSER, 0);
        assertThat(lookup.next()).isNull();
        assertThat(lookup.isDone()).isTrue();
    }

    @Test
    void onlyTheListedTransitionsHappen() {
        for (Lookup.State from : Lookup.State.values()) {
            assertThat(after(from, p -> lookup.answered(p, 1, Trace.Result.CLOSER, 0)))
                    .isEqualTo(from == Lookup.State.WAITING ? Lookup.State.RESPONDED : from);
            assertThat(after(from, p -> lookup.failed(p, 1, false)))
                    .isEqualTo(from == Lookup.State.WAITING ? Lookup.State.FAILED : from);
            assertThat(after(from, lookup::slow)).isEqualTo(from);
            if (from == Lookup.State.HEARD || from == Lookup.State.FAILED) {
                assertThat(after(from, p -> lookup.asked(p, 1))).isEqualTo(Lookup.State.WAITING);
            } else {
                assertThatThrownBy(() -> after(from, p -> lookup.asked(p, 1))).isInstanceOf(Invariant.Broken.class);
            }
        }
    }

    @Test
    void itRemembersTheNearestOnly() {
        for (int i = 200; i > 0; i--) know(i);
        assertThat(lookup.standing(1_000, true)).hasSize(Lookup.PEERS);
        assertThat(lookup.add(contact(3), at(3))).as("known").isFalse();
    }

    @Test
    void aFarPeerThatWaitsDoesNotKeepNearerOnesOut() {
        know(1_000);
        askPeers();
        for (int i = 200; i > 100; i--) know(i);
        assertThat(lookup.standing(1, true).getFirst().node()).isEqualTo(at(101));
    }

    @Test
    void withNobodyToAskItIsDoneAtOnce() {
        assertThat(lookup.next()).isNull();
        assertThat(lookup.isDone()).isTrue();
    }

    /** An answer that names these peers. */
    private void answer(Lookup.Peer peer, long... places) {
        for (long place : places) lookup.add(contact(place), at(place), peer, false);
        lookup.answered(peer, 1, Trace.Result.CLOSER, 0);
    }

    private long peers = 1_000;

    private Lookup.State after(Lookup.State from, java.util.function.Consumer<Lookup.Peer> what) {
        Lookup.Peer peer = null;
        long place = --peers;
        know(place);
        while (peer == null) {
            Lookup.Peer next = lookup.next();
            if (next == null) throw new IllegalStateException("no peer at " + place);
            if (next.position.equals(at(place))) peer = next;
            else lookup.asked(next, 0);
        }
        if (from != Lookup.State.HEARD) lookup.asked(peer, 0);
        if (from == Lookup.State.RESPONDED) lookup.answered(peer, 0, Trace.Result.CLOSER, 0);
        if (from == Lookup.State.FAILED) lookup.failed(peer, 0, true);
        what.accept(peer);
        Lookup.State after = peer.state;
        if (after == Lookup.State.WAITING) lookup.failed(peer, 1, true);
        if (after == Lookup.State.HEARD) {
            lookup.asked(peer, 1);
            lookup.failed(peer, 1, true);
        }
        return after;
    }

    private void know(long... places) {
        for (long place : places) lookup.add(contact(place), at(place));
    }

    private static Id at(long place) {
        return new Id(place, 0, 0, 0);
    }

    private static Contact contact(long place) {
        return new Contact(at(place), List.of());
    }

    private List<Long> askAll() {
        return askPeers().stream().map(p -> p.position.w0()).toList();
    }

    private List<Lookup.Peer> askPeers() {
        List<Lookup.Peer> out = new ArrayList<>();
        for (Lookup.Peer peer = lookup.next(); peer != null; peer = lookup.next()) {
            lookup.asked(peer, 0);
            out.add(peer);
        }
        return out;
    }
}
