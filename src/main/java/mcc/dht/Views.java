package mcc.dht;

import java.util.ArrayList;
import java.util.List;

/** The views of the DHT that the REST interface shows. */
final class Views {
    private final Shared shared;

    Views(Shared shared) {
        this.shared = shared;
    }

    Dht.Status status(int publications, int lookups, boolean joined) {
        int used = 0;
        for (int i = 0; i <= shared.table.deepest(); i++) {
            if (shared.table.size(i) > 0) used++;
        }
        return new Dht.Status(
                shared.config.k(),
                shared.config.alpha(),
                shared.table.size(),
                used,
                estimatedNodes(),
                shared.store.size(),
                publications,
                lookups,
                joined);
    }

    /** From the density of our neighbourhood: of n uniform positions, k are within k/n of the space. */
    private long estimatedNodes() {
        List<Entry> near = shared.table.closest(shared.position, shared.config.k());
        if (near.size() < shared.config.k()) return near.size() + 1L;
        long distance = shared.position.xor(near.getLast().position).w0() >>> 1;
        return Math.max(near.size() + 1L, (long) (near.size() * (0x1p63 / (distance + 1.0))));
    }

    /** Returns the buckets in use, farthest first. A copy. */
    List<Dht.BucketView> buckets() {
        List<Dht.BucketView> out = new ArrayList<>();
        for (int i = 0; i <= shared.table.deepest(); i++) {
            List<Dht.ContactView> contacts = new ArrayList<>();
            for (Entry entry : shared.table.entries(i)) {
                long agoMs = (shared.nowNs - entry.heardNs) / DhtConfig.MS;
                contacts.add(new Dht.ContactView(entry.contact, agoMs, entry.srttNs, entry.failures));
            }
            if (contacts.isEmpty()) continue;
            out.add(new Dht.BucketView(i, prefix(i), contacts.size(), shared.config.k(), List.copyOf(contacts)));
        }
        return List.copyOf(out);
    }

    private String prefix(int index) {
        StringBuilder out = new StringBuilder(index + 1);
        for (int i = 0; i < index; i++) out.append(shared.position.bit(i) ? '1' : '0');
        return out.append(shared.position.bit(index) ? '0' : '1').toString();
    }
}
