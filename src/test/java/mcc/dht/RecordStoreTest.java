package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Message.Verdict;
import mcc.wire.Record;
import org.junit.jupiter.api.Test;

class RecordStoreTest {
    private static final Bytes NETWORK = Bytes.utf8("test");
    private static final long NOW = 5 * DhtConfig.SECOND;
    private static final long EPOCH = 1_800_000_000_000L;
    private static final Address AT = Address.v4(0x08080808, 9);
    private final Rng rng = Rng.seeded(4);
    private final Identity writer = Identity.fromSeed(rng.bytes(32));
    private final Id key = Id.random(rng);
    private static final Id HERE = Id.ZERO;
    private final Counters counters = new Counters();
    private final RecordStore store = store(DhtConfig.Limits.defaults());

    @Test
    void aSignedRecordIsKeptAndFound() {
        Record record = record(1, 60_000);
        assertThat(put(record)).isEqualTo(Verdict.KEPT);
        assertThat(put(record)).as("the same again").isEqualTo(Verdict.KEPT);
        assertThat(found()).containsExactly(record);
    }

    @Test
    void aForgedRecordIsRefused() {
        Record good = record(1, 60_000);
        byte[] signature = good.signature().toArray();
        signature[7] ^= 1;
        assertThat(put(Record.parse(good.raw(), Bytes.owning(signature)))).isEqualTo(Verdict.INVALID);
        Record elsewhere = Record.sign(good.content(), Bytes.utf8("other"), writer::sign);
        assertThat(put(elsewhere)).as("of another network").isEqualTo(Verdict.INVALID);
        Identity other = Identity.fromSeed(rng.bytes(32));
        assertThat(put(Record.sign(good.content(), NETWORK, other::sign)))
                .as("signed by another")
                .isEqualTo(Verdict.INVALID);
        assertThat(found()).isEmpty();
    }

    @Test
    void onlyANewerVersionReplaces() {
        put(record(5, 60_000));
        assertThat(put(record(4, 60_000))).isEqualTo(Verdict.OLD);
        Record newer = record(6, 60_000);
        assertThat(put(newer)).isEqualTo(Verdict.KEPT);
        assertThat(found()).containsExactly(newer);
        assertThat(store.size()).isEqualTo(1);
    }

    @Test
    void aWithdrawnRecordCannotBeReplayed() {
        Record old = record(5, 600_000);
        put(old);
        assertThat(put(record(6, 0))).isEqualTo(Verdict.KEPT);
        assertThat(found()).isEmpty();
        assertThat(put(old)).isEqualTo(Verdict.OLD);
        assertThat(put(record(7, 60_000))).isEqualTo(Verdict.KEPT);
    }

    @Test
    void anExpiredRecordCannotBeReplayed() {
        Record record = record(5, 1_000);
        put(record);
        long later = NOW + DhtConfig.SECOND;
        assertThat(store.find(later - 1, key, 0, List.of()).records()).hasSize(1);
        assertThat(store.find(later, key, 0, List.of()).records()).isEmpty();
        assertThat(store.store(later, EPOCH, AT, record)).isEqualTo(Verdict.OLD);
        assertThat(store.store(
                        later + RecordStore.TOMBSTONE_NS, EPOCH + RecordStore.TOMBSTONE_NS / DhtConfig.MS, AT, record))
                .as("when the tombstone is gone, its time of issue is too old")
                .isEqualTo(Verdict.INVALID);
    }

    @Test
    void theTimeOfIssueMustBeNear() {
        Record record = record(1, 60_000);
        assertThat(store.store(NOW, EPOCH + 600_001, AT, record)).isEqualTo(Verdict.INVALID);
        assertThat(store.store(NOW, EPOCH - 600_001, AT, record)).isEqualTo(Verdict.INVALID);
        assertThat(store.store(NOW, EPOCH + 600_000, AT, record)).isEqualTo(Verdict.KEPT);
    }

    @Test
    void onlyTheWriterRenews() {
        put(record(5, 600_000));
        long later = NOW + 40 * DhtConfig.SECOND;
        Message.Beat beat = new Message.Beat(key, Id.ZERO, 5);
        assertThat(store.renew(later, Id.random(rng), beat)).isFalse();
        assertThat(store.renew(later, writer.id(), new Message.Beat(key, Id.ZERO, 4)))
                .isFalse();
        assertThat(ageMs(later)).isEqualTo(40_000);
        assertThat(store.renew(later, writer.id(), beat)).isTrue();
        assertThat(ageMs(later)).isZero();
    }

    @Test
    void limitsHoldPerKeyAndInAll() {
        RecordStore perKey = store(new DhtConfig.Limits(3, 100, 1 << 20, 100, 1, 1, 1));
        RecordStore inAll = store(new DhtConfig.Limits(100, 3, 1 << 20, 100, 1, 1, 1));
        RecordStore inBytes =
                store(new DhtConfig.Limits(100, 100, 3 * Item.bytes(record(1, 60_000)) + 9, 100, 1, 1, 1));
        for (RecordStore limited : List.of(perKey, inAll, inBytes)) {
            List<Verdict> verdicts = new ArrayList<>();
            for (int i = 0; i < 5; i++) verdicts.add(limited.store(NOW, EPOCH, AT, record(key, slot(i), 1, 60_000)));
            assertThat(verdicts).startsWith(Verdict.KEPT, Verdict.KEPT).endsWith(Verdict.FULL, Verdict.FULL);
            assertThat(limited.store(NOW, EPOCH, AT, record(key, slot(0), 2, 60_000)))
                    .as("a newer version needs no room")
                    .isEqualTo(Verdict.KEPT);
            limited.check(NOW);
        }
    }

    @Test
    void aNewcomerIsKeptThoughOthersFilledTheStore() {
        RecordStore small = store(new DhtConfig.Limits(1_000, 1_000, 1 << 20, 2_000, 1, 1, 1));
        for (int i = 0; i < 4; i++) {
            Identity greedy = identity();
            for (int j = 0; j < 400; j++) store(small, greedy, AT, Id.random(rng), 700);
        }
        assertThat(counters.value("dht.storeFull")).as("it was full").isPositive();
        for (int i = 0; i < 20; i++) {
            assertThat(store(small, identity(), AT, Id.random(rng), 700)).isEqualTo(Verdict.KEPT);
            small.check(NOW);
        }
        assertThat(counters.value("dht.recordGaveWay")).isGreaterThanOrEqualTo(20);
    }

    @Test
    void ofWritersThatHaveTheSameTheNearerRecordsAreKept() {
        RecordStore small = store(new DhtConfig.Limits(1_000, 50, 1 << 20, 2_000, 1, 1, 1));
        List<Id> keys = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            keys.add(Id.random(rng));
            store(small, identity(), AT, keys.getLast(), 60);
        }
        keys.sort(HERE.byDistance());
        for (int i = 0; i < 50; i++) {
            assertThat(small.find(NOW, keys.get(i), 0, List.of()).total())
                    .as("number %d", i)
                    .isEqualTo(1);
        }
    }

    @Test
    void manyWritersBehindOneAddressHideNobodyElse() {
        RecordStore perKey = store(new DhtConfig.Limits(50, 1_000, 1 << 20, 2_000, 1, 1, 1));
        RecordStore inAll = store(new DhtConfig.Limits(1_000, 50, 1 << 20, 2_000, 1, 1, 1));
        for (RecordStore full : List.of(perKey, inAll)) {
            for (int i = 0; i < 200; i++) store(full, identity(), Address.v4(0x01020300 + i, 9), key, 60);
            assertThat(full.size()).isEqualTo(50);
            Identity honest = identity();
            assertThat(store(full, honest, Address.v4(0x05060708, 9), key, 60)).isEqualTo(Verdict.KEPT);
            boolean shown = full.find(NOW, key, 0, List.of()).records().stream()
                    .anyMatch(held -> held.record().content().writer().equals(honest.id()));
            assertThat(shown).as("on the first page").isTrue();
        }
    }

    @Test
    void aThousandRecordsOfTwoWritersHideNoService() {
        Identity honest = identity();
        store(store, honest, AT, key, 300);
        for (Identity junk : List.of(identity(), identity())) {
            for (int i = 0; i < 600; i++) store(store, junk, AT, key, 700);
        }
        Identity late = identity();
        assertThat(store(store, late, AT, key, 300)).isEqualTo(Verdict.KEPT);
        for (int round = 0; round < 20; round++) {
            Set<Id> seen = new LinkedHashSet<>();
            long cursor = 0;
            for (int page = 0; page < 8 && (page == 0 || cursor != 0); page++) {
                Message.Values values = store.find(NOW, key, cursor, contacts());
                values.records()
                        .forEach(held -> seen.add(held.record().content().writer()));
                cursor = values.cursor();
            }
            assertThat(seen).contains(honest.id(), late.id());
        }
        store.check(NOW);
    }

    @Test
    void recordsThatNobodyStandsBehindGiveWayFirst() {
        RecordStore perKey = store(new DhtConfig.Limits(3, 100, 1 << 20, 100, 1, 1, 1));
        Identity dead = identity();
        store(perKey, dead, AT, key, 60);
        long later = NOW + 40 * DhtConfig.SECOND;
        for (int i = 0; i < 3; i++) {
            assertThat(perKey.store(later, EPOCH, AT, record(identity(), key, slot(9), 1, 600_000, 60)))
                    .isEqualTo(Verdict.KEPT);
        }
        assertThat(perKey.size()).isEqualTo(3);
        assertThat(perKey.store(later, EPOCH, AT, record(identity(), key, slot(9), 1, 600_000, 60)))
                .isEqualTo(Verdict.FULL);
    }

    @Test
    void aNewVersionIsChargedItsOwnSizeAndTheOldOneNoLonger() {
        RecordStore small = store(new DhtConfig.Limits(100, 100, 30_000, 100, 1, 1, 1));
        for (int i = 0; i < 20; i++) store(small, identity(), AT, Id.random(rng), 10);
        for (int round = 2; round < 50; round++) {
            for (int i = 0; i < 5; i++) {
                small.store(NOW, EPOCH, AT, record(writer, key, slot(i), round, 60_000, round % 2 == 0 ? 700 : 10));
                small.check(NOW);
            }
        }
        long before = counters.value("dht.recordExpired");
        small.expire(NOW + 600 * DhtConfig.SECOND, null);
        assertThat(counters.value("dht.recordExpired") - before).isLessThanOrEqualTo(25);
    }

    private Identity identity() {
        return Identity.fromSeed(rng.bytes(32));
    }

    private Verdict store(RecordStore into, Identity by, Address at, Id under, int bytes) {
        return into.store(NOW, EPOCH, at, record(by, under, Id.random(rng), 1, 600_000, bytes));
    }

    @Test
    void pagesHoldEveryRecordOnceInAnOrderThatDiffersForEachReader() {
        for (int i = 0; i < 40; i++) store.store(NOW, EPOCH, AT, record(key, slot(i), 1, 60_000));
        Set<Record> firsts = new LinkedHashSet<>();
        for (int round = 0; round < 60; round++) {
            List<Record> seen = new ArrayList<>();
            long cursor = 0;
            do {
                Message.Values page = store.find(NOW, key, cursor, contacts());
                assertThat(page.total()).isEqualTo(40);
                page.records().forEach(held -> seen.add(held.record()));
                cursor = page.cursor();
            } while (cursor != 0);
            assertThat(seen).hasSize(40).doesNotHaveDuplicates();
            firsts.add(seen.getFirst());
        }
        assertThat(firsts).hasSizeGreaterThan(10);
    }

    @Test
    void anyCursorIsAnswered() {
        for (int i = 0; i < 5; i++) store.store(NOW, EPOCH, AT, record(key, slot(i), 1, 60_000));
        for (int i = 0; i < 1_000; i++) {
            assertThat(store.find(NOW, key, rng.nextLong(), List.of()).records())
                    .hasSizeLessThanOrEqualTo(5);
        }
    }

    @Test
    void tombstonesStayWithinTheirLimit() {
        RecordStore small = store(new DhtConfig.Limits(100, 100, 1 << 20, 10, 1, 1, 1));
        for (int i = 0; i < 50; i++) {
            small.store(NOW, EPOCH, AT, record(key, slot(i), 1, 1_000));
            small.store(NOW, EPOCH, AT, record(key, slot(i), 2, 0));
            small.check(NOW);
        }
    }

    private RecordStore store(DhtConfig.Limits limits) {
        DhtConfig c = DhtConfig.of(NETWORK);
        DhtConfig config = new DhtConfig(
                NETWORK,
                c.k(),
                c.alpha(),
                c.alphaMax(),
                c.nearest(),
                c.renewedHolders(),
                c.maxRequests(),
                c.minTimeoutNs(),
                c.maxTimeoutNs(),
                c.storeLeaseMs(),
                c.staleNs(),
                c.refreshNs(),
                c.maintainNs(),
                limits);
        return new RecordStore(config, HERE, Signing.of(writer), rng.split(), counters);
    }

    private List<Contact> contacts() {
        List<Contact> out = new ArrayList<>();
        for (int i = 0; i < 16; i++) out.add(new Contact(Id.random(rng), List.of()));
        return out;
    }

    private Verdict put(Record record) {
        return store.store(NOW, EPOCH, AT, record);
    }

    private List<Record> found() {
        return store.find(NOW, key, 0, List.of()).records().stream()
                .map(Message.Held::record)
                .toList();
    }

    private long ageMs(long nowNs) {
        return store.find(nowNs, key, 0, List.of()).records().getFirst().beatAgeMs();
    }

    private static Id slot(int i) {
        return new Id(0, 0, 0, i + 1);
    }

    private Record record(long seq, long leaseMs) {
        return record(key, Id.ZERO, seq, leaseMs);
    }

    private Record record(Id under, Id slot, long seq, long leaseMs) {
        return record(writer, under, slot, seq, leaseMs, 60);
    }

    private static Record record(Identity writer, Id under, Id slot, long seq, long leaseMs, int bytes) {
        var content = new Record.Content(
                under, writer.id(), slot, seq, EPOCH, leaseMs, 30_000, Bytes.EMPTY, Bytes.utf8("b".repeat(bytes)));
        return Record.sign(content, NETWORK, writer::sign);
    }
}
