package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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
    private static final long NOW = 5 * Config.SECOND;
    private static final long EPOCH = 1_800_000_000_000L;
    private final Rng rng = Rng.seeded(4);
    private final Identity writer = Identity.fromSeed(rng.bytes(32));
    private final Id key = Id.random(rng);
    private final RecordStore store = store(Config.Limits.defaults());

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
        long later = NOW + Config.SECOND;
        assertThat(store.find(later - 1, key, 0, List.of()).records()).hasSize(1);
        assertThat(store.find(later, key, 0, List.of()).records()).isEmpty();
        assertThat(store.store(later, EPOCH, record)).isEqualTo(Verdict.OLD);
        assertThat(store.store(later + RecordStore.GRAVE_NS, EPOCH + RecordStore.GRAVE_NS / Config.MS, record))
                .as("when the grave is gone, its time of issue is too old")
                .isEqualTo(Verdict.INVALID);
    }

    @Test
    void theTimeOfIssueMustBeNear() {
        Record record = record(1, 60_000);
        assertThat(store.store(NOW, EPOCH + 600_001, record)).isEqualTo(Verdict.INVALID);
        assertThat(store.store(NOW, EPOCH - 600_001, record)).isEqualTo(Verdict.INVALID);
        assertThat(store.store(NOW, EPOCH + 600_000, record)).isEqualTo(Verdict.KEPT);
    }

    @Test
    void onlyTheWriterBeats() {
        put(record(5, 600_000));
        long later = NOW + 40 * Config.SECOND;
        Message.Beat beat = new Message.Beat(key, Id.ZERO, 5);
        assertThat(store.beat(later, Id.random(rng), beat)).isFalse();
        assertThat(store.beat(later, writer.id(), new Message.Beat(key, Id.ZERO, 4)))
                .isFalse();
        assertThat(ageMs(later)).isEqualTo(40_000);
        assertThat(store.beat(later, writer.id(), beat)).isTrue();
        assertThat(ageMs(later)).isZero();
    }

    @Test
    void limitsHoldPerKeyPerWriterAndInAll() {
        RecordStore perWriter = store(new Config.Limits(100, 3, 100, 1 << 20, 100, 1, 1, 1));
        RecordStore perKey = store(new Config.Limits(3, 100, 100, 1 << 20, 100, 1, 1, 1));
        RecordStore inAll = store(new Config.Limits(100, 100, 3, 1 << 20, 100, 1, 1, 1));
        RecordStore inBytes = store(new Config.Limits(100, 100, 100, 600, 100, 1, 1, 1));
        for (RecordStore limited : List.of(perWriter, perKey, inAll, inBytes)) {
            List<Verdict> verdicts = new ArrayList<>();
            for (int i = 0; i < 5; i++) verdicts.add(limited.store(NOW, EPOCH, record(key, slot(i), 1, 60_000)));
            assertThat(verdicts).startsWith(Verdict.KEPT, Verdict.KEPT).endsWith(Verdict.FULL, Verdict.FULL);
            assertThat(limited.store(NOW, EPOCH, record(key, slot(0), 2, 60_000)))
                    .as("a newer version needs no room")
                    .isEqualTo(Verdict.KEPT);
            limited.check(NOW);
        }
    }

    @Test
    void pagesTellEveryRecordOnceAndBeginAnywhere() {
        for (int i = 0; i < 40; i++) store.store(NOW, EPOCH, record(key, slot(i), 1, 60_000));
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
        for (int i = 0; i < 5; i++) store.store(NOW, EPOCH, record(key, slot(i), 1, 60_000));
        for (int i = 0; i < 1_000; i++) {
            assertThat(store.find(NOW, key, rng.nextLong(), List.of()).records())
                    .hasSizeLessThanOrEqualTo(5);
        }
    }

    @Test
    void gravesStayWithinTheirLimit() {
        RecordStore small = store(new Config.Limits(100, 100, 100, 1 << 20, 10, 1, 1, 1));
        for (int i = 0; i < 50; i++) {
            small.store(NOW, EPOCH, record(key, slot(i), 1, 1_000));
            small.store(NOW, EPOCH, record(key, slot(i), 2, 0));
            small.check(NOW);
        }
    }

    private RecordStore store(Config.Limits limits) {
        Config c = Config.of(NETWORK);
        Config config = new Config(
                NETWORK,
                c.k(),
                c.alpha(),
                c.alphaMax(),
                c.nearest(),
                c.beatHolders(),
                c.maxRequests(),
                c.minTimeoutNs(),
                c.maxTimeoutNs(),
                c.storeLeaseMs(),
                c.staleNs(),
                c.refreshNs(),
                c.maintainNs(),
                limits);
        return new RecordStore(config, Signing.of(writer), rng.split(), new Counters());
    }

    private List<Contact> contacts() {
        List<Contact> out = new ArrayList<>();
        for (int i = 0; i < 16; i++) out.add(new Contact(Id.random(rng), List.of()));
        return out;
    }

    private Verdict put(Record record) {
        return store.store(NOW, EPOCH, record);
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
        var content = new Record.Content(
                under, writer.id(), slot, seq, EPOCH, leaseMs, 30_000, Bytes.EMPTY, Bytes.utf8("b".repeat(60)));
        return Record.sign(content, NETWORK, writer::sign);
    }
}
