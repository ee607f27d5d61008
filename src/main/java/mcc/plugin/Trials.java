package mcc.plugin;

import io.vertx.core.Future;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers on disk which jars were on trial when the node ended: an entry is written before a jar is started, and closed when
 * the jar has run for a while or failed in an orderly way. A jar whose entry is still open at the next start may have ended
 * the node; after {@link #EXITS_MAX} times it is not started any more. Used on the plugins' context.
 *
 * <p>If several were on trial, each is counted. At the next start those are started one after the other, each alone until its
 * trial is over, so that the right one is found.
 */
final class Trials {
    /** At this number of counted ends a jar is no longer started. */
    static final int EXITS_MAX = 3;

    private static final Logger LOG = LoggerFactory.getLogger(Trials.class);

    /** @param stamp identifies the jar: another one of the same name starts from zero */
    private record Mark(String stamp, int exits, boolean open) {}

    /** Runs blocking steps, one after another. */
    interface Disk {
        <T> Future<T> run(Callable<T> step);
    }

    private final Path file;
    private final Disk disk;
    private final Map<String, Mark> marks = new TreeMap<>();

    /** @param file need not exist yet */
    Trials(Path file, Disk disk) {
        this.file = file;
        this.disk = disk;
    }

    /** Reads the file, and counts the jars that were on trial when the node ended. */
    Future<Void> load() {
        return disk.run(() -> Files.exists(file) ? Files.readString(file) : "{}")
                .map(Trials::parse)
                .otherwise(e -> {
                    LOG.warn("cannot read {}: {}", file, e.getMessage());
                    return Map.of();
                })
                .compose(read -> {
                    read.forEach((id, mark) ->
                            marks.put(id, new Mark(mark.stamp(), mark.exits() + (mark.open() ? 1 : 0), false)));
                    return save();
                });
    }

    private static Map<String, Mark> parse(String text) {
        Map<String, Mark> out = new TreeMap<>();
        try {
            JsonObject all = new JsonObject(text);
            for (String id : all.fieldNames()) {
                JsonObject mark = all.getJsonObject(id);
                out.put(
                        id,
                        new Mark(
                                mark.getString("stamp", ""),
                                mark.getInteger("exits", 0),
                                mark.getBoolean("open", false)));
            }
        } catch (DecodeException | ClassCastException e) {
            LOG.warn("the record of plugins' starts is not readable and begins again: {}", e.getMessage());
        }
        return out;
    }

    /** How often this jar was on trial when the node ended. */
    int exits(String id, String stamp) {
        Mark mark = marks.get(id);
        return mark == null || !mark.stamp().equals(stamp) ? 0 : mark.exits();
    }

    /** Whether a jar of this name was on trial when the node ended. */
    boolean isSuspect(String id) {
        Mark mark = marks.get(id);
        return mark != null && mark.exits() > 0;
    }

    /** Opens the entry of a jar before it is started; completed when that is written. */
    Future<Void> begin(String id, String stamp) {
        marks.put(id, new Mark(stamp, exits(id, stamp), true));
        return save();
    }

    /** The jar has passed its trial. */
    void passed(String id) {
        if (marks.remove(id) != null) save();
    }

    /** The start of a jar is over, and the node has not ended. */
    void close(String id) {
        Mark mark = marks.get(id);
        if (mark == null || !mark.open()) return;
        marks.put(id, new Mark(mark.stamp(), mark.exits(), false));
        save();
    }

    /** Closes all entries when the node ends in an orderly way, except those of plugins that are ending it. */
    Future<Void> closeAllBut(Set<String> guilty) {
        for (String id : Set.copyOf(marks.keySet())) if (!guilty.contains(id)) close(id);
        return save();
    }

    /** Removes a jar's entry, as the operator wants it to be started again. */
    void forgive(String id) {
        passed(id);
    }

    /** Forgets jars that are no longer there. */
    void retain(Set<String> ids) {
        if (marks.keySet().retainAll(ids)) save();
    }

    /** Writes the file; a failure is only logged, as a full disk is no reason not to start a plugin. */
    private Future<Void> save() {
        JsonObject all = new JsonObject();
        marks.forEach((id, m) -> all.put(
                id,
                new JsonObject().put("stamp", m.stamp()).put("exits", m.exits()).put("open", m.open())));
        String text = all.isEmpty() ? "" : all.encodePrettily();
        return disk.run(() -> write(text)).recover(e -> {
            LOG.warn("cannot write {}: {}", file, e.getMessage());
            return Future.succeededFuture();
        });
    }

    private @Nullable Void write(String text) throws IOException {
        if (text.isEmpty()) {
            Files.deleteIfExists(file);
            return null;
        }
        Path part = file.resolveSibling(file.getFileName() + ".part");
        Files.writeString(part, text);
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        return null;
    }
}
