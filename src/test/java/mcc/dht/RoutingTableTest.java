package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import org.junit.jupiter.api.Test;

class RoutingTableTest {
    private static final int K = 16;
    private final Rng rng = Rng.seeded(1);
    private final Id self = Id.random(rng);
    private final RoutingTable table = new RoutingTable(self, K, new Counters());
    private int next;

    @Test
    void contactsStandWhereTheirSharedBitsSay() {
        for (int i = 0; i < 2_000; i++) table.heard(i, contact(), Id.random(rng), 0, false);
        table.check();
        assertThat(table.size(0)).isEqualTo(K);
        assertThat(table.size()).isGreaterThan(6 * K);
    }

    @Test
    void theClosestAreTrulyTheClosestOfAllContacts() {
        List<Id> all = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            Id position = Id.random(rng);
            if (table.heard(i, contact(), position, 0, false)) all.add(position);
        }
        for (int i = 0; i < 500; i++) {
            Id target = i % 2 == 0 ? Id.random(rng) : new Id(self.w0() ^ (rng.nextLong() >>> i % 20), 1, 2, 3);
            List<Id> expected =
                    all.stream().sorted(target.byDistance()).limit(K).toList();
            assertThat(table.closest(target, K).stream().map(e -> e.position)).containsExactlyElementsOf(expected);
        }
    }

    @Test
    void anAskerIsToldOfOthersButNotOfContactsInDoubt() {
        List<Id> all = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            Id position = Id.random(rng);
            if (table.heard(i, contact(), position, 0, false)) all.add(position);
        }
        Id target = Id.random(rng);
        all.sort(target.byDistance());
        table.silent(200, all.get(2), 100);
        List<Id> expected = new ArrayList<>(all);
        expected.removeAll(List.of(all.get(0), all.get(2)));
        assertThat(table.closest(target, K, all.get(0)).stream().map(e -> e.position))
                .containsExactlyElementsOf(expected.subList(0, K));
        assertThat(table.closest(target, all.size(), all.get(0))).hasSize(all.size() - 2);
    }

    @Test
    void aFullBucketKeepsTheOldAndRemembersTheNew() {
        List<Id> old = fillFarthest();
        Id late = far();
        assertThat(table.heard(99, contact(), late, 0, false)).isFalse();
        assertThat(table.find(late)).isNull();
        assertThat(table.silent(200, old.get(3), 100)).isFalse();
        assertThat(table.silent(300, old.get(3), 199)).as("was in flight then").isFalse();
        assertThat(table.silent(400, old.get(3), 200))
                .as("the second failure drops it")
                .isTrue();
        assertThat(table.find(late)).as("the replacement takes its place").isNotNull();
        assertThat(table.size()).isEqualTo(K);
        table.check();
    }

    @Test
    void whoAnsweredAgainIsNoLongerInDoubt() {
        List<Id> old = fillFarthest();
        table.silent(50, old.getFirst(), 40);
        assertThat(table.closest(old.getFirst(), 1).getFirst().position).isNotEqualTo(old.getFirst());
        table.heard(100, contact(), old.getFirst(), 5, false);
        assertThat(table.closest(old.getFirst(), 1).getFirst().position).isEqualTo(old.getFirst());
        assertThat(table.silent(200, old.getFirst(), 150)).isFalse();
    }

    @Test
    void theLeastRecentlyHeardComesFirst() {
        List<Id> old = fillFarthest();
        table.heard(100, contact(), old.getFirst(), 0, false);
        assertThat(table.leastRecentlyHeard(0).position).isEqualTo(old.get(1));
    }

    @Test
    void onePrefixFillsAtMostTwoPlacesOfABucketUnlessItIsLocal() {
        for (int i = 0; i < 10; i++) {
            table.heard(i, new Contact(Id.random(rng), List.of(Address.v4(0x08080800 + i, 5))), far(), 0, false);
        }
        assertThat(table.size()).isEqualTo(RoutingTable.PER_PREFIX);
        for (int i = 0; i < 10; i++) {
            table.heard(i, new Contact(Id.random(rng), List.of(Address.v4(0x0a000000 + i, 5))), far(), 0, false);
        }
        assertThat(table.size()).isEqualTo(RoutingTable.PER_PREFIX + 10);
        for (int i = 0; i < 10; i++) {
            Address v6 = new Address(0x20010db8_00010000L + i, 1, 5);
            table.heard(i, new Contact(Id.random(rng), List.of(v6)), far(), 0, false);
        }
        assertThat(table.size()).isEqualTo(2 * RoutingTable.PER_PREFIX + 10);
    }

    @Test
    void weAreNotOurOwnContact() {
        assertThat(table.heard(1, contact(), self, 0, false)).isFalse();
        assertThat(table.find(self)).isNull();
    }

    @Test
    void leavesAreContactsOnlyAsLongAsNobodyElseIs() {
        List<Id> leaves = new ArrayList<>();
        for (int i = 0; i < 3 * K; i++) {
            Id position = Id.random(rng);
            if (table.heard(i, contact(), position, 0, true)) leaves.add(position);
            table.check();
        }
        assertThat(table.size()).isEqualTo(leaves.size()).isGreaterThan(K);
        assertThat(table.members()).isZero();
        Id other = far(); // its bucket is full of leaves
        assertThat(table.heard(99, contact(), other, 0, false)).isTrue();
        assertThat(table.size()).isEqualTo(1);
        assertThat(table.heard(100, contact(), leaves.getFirst(), 0, true)).isFalse();
        assertThat(table.size()).isEqualTo(1);
        table.said(other, true);
        assertThat(table.size()).as("there is nobody else").isEqualTo(1);
        assertThat(table.members()).isZero();
        table.check();
    }

    @Test
    void whateverNodesSayTheTableKeepsItsRules() {
        List<Id> nodes = new ArrayList<>();
        for (int i = 0; i < 60; i++) nodes.add(i % 2 == 0 ? far() : Id.random(rng));
        for (int i = 0; i < 20_000; i++) {
            Id node = nodes.get(rng.below(nodes.size()));
            boolean leaf = rng.below(10) < i / 2_000;
            switch (rng.below(4)) {
                case 0 -> table.said(node, leaf);
                case 1 -> table.silent(i, node, i - 1);
                case 2 -> table.drop(node);
                default -> table.heard(i, contact(), node, 0, leaf);
            }
            table.check();
        }
    }

    private List<Id> fillFarthest() {
        List<Id> out = new ArrayList<>();
        for (int i = 0; i < K; i++) {
            out.add(far());
            assertThat(table.heard(i, contact(), out.getLast(), 0, false)).isTrue();
        }
        return out;
    }

    /** A position in bucket 0. */
    private Id far() {
        long w0 = (rng.nextLong() >>> 1) | (~self.w0() & Long.MIN_VALUE);
        return new Id(w0, 0, 0, 0);
    }

    private Contact contact() {
        return new Contact(Id.random(rng), List.of(Address.v4(0x20000001 + (next++ << 8), 5)));
    }
}
