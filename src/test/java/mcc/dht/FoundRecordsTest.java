package mcc.dht;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Record;
import org.junit.jupiter.api.Test;

/** What a lookup keeps of what holders return. */
class FoundRecordsTest {
    private static final int LIMIT = 64;

    private final Rng rng = Rng.seeded(4);
    private final Id key = Id.random(rng);
    private final Id liar = Id.random(rng);
    private final Id honest = Id.random(rng);
    private final FoundRecords found = new FoundRecords(LIMIT);

    private Record record() {
        return record(30_000);
    }

    private Record record(long beatMs) {
        var content =
                new Record.Content(key, Id.random(rng), Id.random(rng), 1, 1, 60_000, beatMs, Bytes.EMPTY, Bytes.EMPTY);
        return Record.sign(content, Bytes.utf8("test"), _ -> Bytes.owning(new byte[64]));
    }

    private List<Record> kept() {
        return found.holdings(0).stream().map(Holding::record).toList();
    }

    @Test
    void aHolderThatReturnsRecordsWithoutEndHidesNoneOfAnothers() {
        for (int i = 0; i < 1_000; i++) found.add(record(), 0, liar);
        assertThat(found.wants(liar)).isFalse();
        assertThat(found.wants(honest)).isTrue();
        List<Record> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) all.add(record());
        for (Record each : all) found.add(each, 0, honest);
        for (int i = 0; i < 1_000; i++) found.add(record(), 0, liar);
        assertThat(kept()).hasSize(LIMIT).containsAll(all);
    }

    @Test
    void eachOfTwoThatReturnWithoutEndHasHalf() {
        for (int i = 0; i < 1_000; i++) found.add(record(), 0, liar);
        List<Record> others = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            others.add(record());
            found.add(others.getLast(), 0, honest);
        }
        assertThat(kept()).hasSize(LIMIT).filteredOn(others::contains).hasSizeBetween(LIMIT / 2 - 1, LIMIT / 2);
    }

    @Test
    void whatSeveralReturnIsNobodysShareAndComesFirst() {
        Record shared = record();
        found.add(shared, 0, liar);
        for (int i = 0; i < 1_000; i++) found.add(record(), 0, liar);
        found.add(shared, 5, honest);
        for (int i = 0; i < 40; i++) found.add(record(), 0, honest);
        assertThat(kept()).hasSize(LIMIT).contains(shared);
        assertThat(found.holdings(5).getFirst().record()).isEqualTo(shared);
    }

    @Test
    void aRecordThatIsNeverRenewedIsLiveHoweverOldAndAnotherWhileItIsRenewed() {
        found.add(record(0), 0, honest);
        found.add(record(30_000), 0, honest);
        assertThat(found.holdings(29_999 * DhtConfig.MS))
                .extracting(Holding::live)
                .containsExactly(true, true);
        assertThat(found.holdings(30_000 * DhtConfig.MS))
                .allSatisfy(held -> assertThat(held.live())
                        .isEqualTo(held.record().content().beatMs() == 0));
    }
}
