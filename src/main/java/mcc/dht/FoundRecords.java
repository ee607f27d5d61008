package mcc.dht;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import mcc.core.Id;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/**
 * The records that a lookup collected: of each writer and slot the newest version, with the most recent heartbeat that any
 * holder heard.
 *
 * <p>A holder may return any number of records that nobody else has. When there are too many, the holder with the most such
 * records loses one of them, so that each holder has a fair share and none can hide what others hold.
 */
final class FoundRecords {
    private record Instance(Id writer, Id slot) {}

    private static final class Best {
        Record record;
        long heardNs;
        /** The nodes that returned this version, our own included. */
        final LinkedHashSet<Id> tellers = new LinkedHashSet<>(4);

        Best(Record record, long heardNs, Id teller) {
            this.record = record;
            this.heardNs = heardNs;
            tellers.add(teller);
        }
    }

    /** At least this many records are collected even if fewer are wanted, so that those of several holders can be preferred. */
    private static final int LEAST = 64;

    private static final int TELLERS = 32;

    private final int limit;
    private final int room;
    private final LinkedHashMap<Instance, Best> all = new LinkedHashMap<>();
    /** How many records each holder returned that no other did. */
    private final LinkedHashMap<Id, Integer> alone = new LinkedHashMap<>();

    private int answers;

    /** @param limit most records wanted; 0 for none */
    FoundRecords(int limit) {
        this.limit = limit;
        room = limit == 0 ? 0 : Math.max(limit, LEAST);
    }

    /** Counts one holder that had records. */
    void answered() {
        answers++;
    }

    int answers() {
        return answers;
    }

    /** Returns whether there is room for a record that only {@code teller} has. */
    boolean wants(Id teller) {
        return all.size() < room || mostAlone() != null && share(teller) + 1 < share(mostAlone());
    }

    /** Returns whether this very record is already there, so that its signature need not be checked again. */
    boolean has(Record record) {
        Best best =
                all.get(new Instance(record.content().writer(), record.content().slot()));
        return best != null && best.record.equals(record);
    }

    /** Adds a record whose signature is valid; {@code heardNs} is when its holder, {@code teller}, last heard the writer. */
    void add(Record record, long heardNs, Id teller) {
        Instance instance =
                new Instance(record.content().writer(), record.content().slot());
        Best best = all.get(instance);
        if (best == null) {
            if (!wants(teller)) return;
            if (all.size() >= room) drop(mostAlone());
            all.put(instance, new Best(record, heardNs, teller));
            count(teller, 1);
        } else if (record.content().seq() > best.record.content().seq()) {
            if (best.tellers.size() == 1) count(best.tellers.getFirst(), -1);
            best.record = record;
            best.heardNs = heardNs;
            best.tellers.clear();
            best.tellers.add(teller);
            count(teller, 1);
        } else if (record.content().seq() == best.record.content().seq()) {
            best.heardNs = Math.max(best.heardNs, heardNs);
            if (best.tellers.size() >= TELLERS) return;
            boolean second = best.tellers.size() == 1 && !best.tellers.contains(teller);
            if (second) count(best.tellers.getFirst(), -1);
            best.tellers.add(teller);
        }
    }

    private int share(@Nullable Id teller) {
        return teller == null ? 0 : alone.getOrDefault(teller, 0);
    }

    private void count(Id teller, int by) {
        alone.merge(teller, by, Integer::sum);
    }

    private @Nullable Id mostAlone() {
        Id most = null;
        for (Id teller : alone.keySet()) if (share(teller) > share(most)) most = teller;
        return most;
    }

    /** Drops the last of the records that only {@code teller} returned. */
    private void drop(@Nullable Id teller) {
        Instance last = null;
        for (var entry : all.entrySet()) {
            LinkedHashSet<Id> tellers = entry.getValue().tellers;
            if (tellers.size() == 1 && tellers.getFirst().equals(teller)) last = entry.getKey();
        }
        if (last == null || teller == null) return;
        all.remove(last);
        count(teller, -1);
    }

    /** Returns what was found; if that is more than the limit, the records that the most holders have. */
    List<Holding> holdings(long nowNs) {
        List<Best> chosen = new ArrayList<>(all.values());
        if (chosen.size() > limit) chosen.sort(Comparator.comparingInt(best -> -best.tellers.size()));
        List<Holding> out = new ArrayList<>();
        for (Best best : chosen.subList(0, Math.min(limit, chosen.size()))) {
            long ageMs = Math.max(0, nowNs - best.heardNs) / DhtConfig.MS;
            long beatMs = best.record.content().beatMs();
            out.add(new Holding(best.record, ageMs, beatMs == 0 || ageMs < beatMs));
        }
        return out;
    }
}
