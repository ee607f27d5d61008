package mcc.dht;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import mcc.core.Id;
import mcc.wire.Record;

/**
 * The records that a lookup collected: of each writer and slot the newest version, with the most recent beat that any holder
 * heard.
 */
final class Harvest {
    private record Instance(Id writer, Id slot) {}

    private static final class Best {
        Record record;
        long beatNs;
        int answers = 1;

        Best(Record record, long beatNs) {
            this.record = record;
            this.beatNs = beatNs;
        }
    }

    private final int limit;
    private final LinkedHashMap<Instance, Best> all = new LinkedHashMap<>();
    private int answers;

    Harvest(int limit) {
        this.limit = limit;
    }

    /** Counts one holder that had records. */
    void answered() {
        answers++;
    }

    int answers() {
        return answers;
    }

    int size() {
        return all.size();
    }

    boolean isFull() {
        return all.size() >= limit;
    }

    /** Returns whether this very record is already there, so that its signature need not be checked again. */
    boolean has(Record record) {
        Best best =
                all.get(new Instance(record.content().writer(), record.content().slot()));
        return best != null && best.record.equals(record);
    }

    /** Adds a record whose signature is right; {@code beatNs} is when its holder last heard the writer. */
    void add(Record record, long beatNs) {
        Instance instance =
                new Instance(record.content().writer(), record.content().slot());
        Best best = all.get(instance);
        if (best == null) {
            if (!isFull()) all.put(instance, new Best(record, beatNs));
        } else if (record.content().seq() > best.record.content().seq()) {
            best.record = record;
            best.beatNs = beatNs;
            best.answers = 1;
        } else if (record.content().seq() == best.record.content().seq()) {
            best.beatNs = Math.max(best.beatNs, beatNs);
            best.answers++;
        }
    }

    List<Holding> holdings(long nowNs) {
        List<Holding> out = new ArrayList<>(all.size());
        for (Best best : all.values()) {
            long ageMs = Math.max(0, nowNs - best.beatNs) / Config.MS;
            long beatMs = best.record.content().beatMs();
            out.add(new Holding(best.record, ageMs, beatMs == 0 || ageMs < beatMs, best.answers));
        }
        return out;
    }
}
