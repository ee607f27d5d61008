package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.wire.Contact;
import org.junit.jupiter.api.Test;

class LookupTest {
    private static final Config CONFIG = Config.of(Bytes.utf8("test"));
    private final Lookup lookup = new Lookup(1, Id.ZERO, new LookupGoal.Nodes(7), CONFIG, 0);

    @Test
    void atMostAlphaWaitAndTheNearestAreAskedFirst() {
        know(20, 30, 10, 40, 50, 60);
        assertThat(askAll()).containsExactly(10L, 20L, 30L, 40L);
        assertThat(lookup.next()).isNull();
        assertThat(lookup.isDone()).isFalse();
    }

    @Test
    void itEndsWhenTheNearestHaveAnswered() {
        know(10, 20, 30, 40, 50, 60);
        List<Lookup.Peer> asked = askPeers();
        for (Lookup.Peer peer : asked) lookup.answered(peer, 1, Trace.Result.CLOSER, 0);
        assertThat(lookup.next()).isNull();
        assertThat(lookup.isDone()).isTrue();
        assertThat(lookup.responded(16)).hasSize(4);
        assertThat(lookup.standing(16)).hasSize(6);
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
    void anUnreachablePeerGetsNone() {
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
        assertThat(lookup.standing(1_000)).hasSize(Lookup.PEERS);
        assertThat(lookup.add(contact(3), at(3))).as("known").isFalse();
    }

    @Test
    void aFarPeerThatWaitsDoesNotKeepNearerOnesOut() {
        know(1_000);
        askPeers();
        for (int i = 200; i > 100; i--) know(i);
        assertThat(lookup.standing(1).getFirst().node()).isEqualTo(at(101));
    }

    @Test
    void withNobodyToAskItIsDoneAtOnce() {
        assertThat(lookup.next()).isNull();
        assertThat(lookup.isDone()).isTrue();
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
