package mcc.api;

import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import mcc.node.NodeEvent;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last events of this node, numbered since its start, and those who read new ones as they come. */
final class EventLog {
    private static final Logger LOG = LoggerFactory.getLogger(EventLog.class);

    /** Events kept. */
    static final int MAX = 2_000;

    /** One event with its number. */
    record Entry(String id, long number, Instant at, NodeEvent event) {
        JsonObject toJson() {
            return new JsonObject()
                    .put("id", id)
                    .put("at", at.toString())
                    .put("type", event.type())
                    .put("data", event.data());
        }
    }

    private final String epoch = Long.toString(System.currentTimeMillis() / 1000, 36);
    private final ArrayDeque<Entry> entries = new ArrayDeque<>();
    private final List<Consumer<Entry>> readers = new ArrayList<>();
    private long next = 1;

    void add(NodeEvent event) {
        Entry entry = new Entry(epoch + "-" + next, next, Instant.now(), event);
        next++;
        entries.add(entry);
        if (entries.size() > MAX) entries.removeFirst();
        for (Consumer<Entry> reader : List.copyOf(readers)) {
            try {
                reader.accept(entry);
            } catch (RuntimeException e) {
                LOG.error("a reader of events failed unexpectedly", e); // the others read on
            }
        }
    }

    void read(Consumer<Entry> reader) {
        readers.add(reader);
    }

    void leave(Consumer<Entry> reader) {
        readers.remove(reader);
    }

    /** The kept events, oldest first. */
    List<Entry> all() {
        return List.copyOf(entries);
    }

    /** The number in an ID that was given since this start; −1 for any other text. */
    long number(@Nullable String id) {
        if (id == null || !id.startsWith(epoch + "-")) return -1;
        String text = id.substring(epoch.length() + 1);
        return text.matches("[0-9]{1,15}") ? Long.parseLong(text) : -1;
    }

    /** The number that the next event will have. */
    long next() {
        return next;
    }

    /** The number of the oldest kept event; that of the next event if none is kept. */
    long oldest() {
        return entries.isEmpty() ? next : entries.getFirst().number();
    }

    /** Whether a type is among those asked for: a list with commas, {@code a.*} for all types of a, null for all. */
    static boolean matches(@Nullable String types, String type) {
        if (types == null || types.isBlank()) return true;
        for (String each : types.split(",")) {
            String wanted = each.strip();
            if (wanted.equals(type) || wanted.equals("*")) return true;
            if (wanted.endsWith(".*") && type.startsWith(wanted.substring(0, wanted.length() - 1))) return true;
        }
        return false;
    }
}
