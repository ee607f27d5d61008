package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded store: named maps of text, in one file of the data folder. A worker verticle, so that disks may be slow.
 *
 * <p>A write is answered after it was forced to disk. A file that cannot be opened is moved aside, said loudly, and the
 * node starts with an empty one; a disk that is full or read-only fails the write and nothing else, and whoever asked
 * for it leaves things as they were.
 */
public final class StoreVerticle extends VerticleBase {
    /** What may be asked. */
    public sealed interface Query {
        /** A change; answered when it is on disk. */
        sealed interface Change extends Query, Ask<Ask.Done> {}

        /** Keeps a value. */
        record Put(String map, String key, String value) implements Change {}

        /** Forgets a value. */
        record Remove(String map, String key) implements Change {}

        /** Answered by a sorted map of all keys and values. */
        record All(String map) implements Query, Ask<Map<String, String>> {}
    }

    private static final Logger LOG = LoggerFactory.getLogger(StoreVerticle.class);
    private static final String FILE = "store.mv";
    /** The code of a write that failed, here and among the node's problems. */
    static final String FAILED = "store-failed";

    private final Bus bus;
    private final Path folder;
    private final Status status;
    private @Nullable MVStore store;

    StoreVerticle(Bus bus, Path folder, Status status) {
        this.bus = bus;
        this.folder = folder;
        this.status = status;
    }

    @Override
    public Future<?> start() {
        store = open();
        bus.serve(Bus.STORE, this::onQuery);
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        if (store != null) store.close(1000);
        return Future.succeededFuture();
    }

    private MVStore open() {
        Path file = folder.resolve(FILE);
        try {
            return at(file);
        } catch (MVStoreException e) {
            if (!Files.exists(file)) throw unusable(file, e);
            Path aside = folder.resolve(FILE + ".corrupt-" + System.currentTimeMillis());
            try {
                Files.move(file, aside);
            } catch (IOException _) {
                throw unusable(file, e);
            }
            LOG.error(
                    "the store {} is corrupt ({}); it was moved to {} and the node starts with an empty one:"
                            + " registrations and forwards have to be made again",
                    file,
                    e.getMessage(),
                    aside);
            bus.publish(Bus.EVENTS, new NodeEvent("store.corrupt", new JsonObject().put("movedTo", aside.toString())));
            return at(file);
        }
    }

    private static MVStore at(Path file) {
        return new MVStore.Builder().fileName(file.toString()).open();
    }

    private static Problem unusable(Path file, Exception e) {
        return new Problem(
                "store-unusable",
                "the store " + file + " cannot be opened: " + e.getMessage(),
                "mend its owner and mode");
    }

    private Ask.Reply onQuery(Query query) {
        if (store != null && store.isClosed()) reopen(store);
        MVStore store = this.store;
        if (store == null) return Ask.Reply.failed(new Problem("node-not-ready", "the store is closed", null));
        try {
            Ask.Reply answer = answer(store, query);
            if (query instanceof Query.Change) status.solved(FAILED);
            return answer;
        } catch (MVStoreException e) {
            LOG.error("the store cannot be written: {}", e.getMessage());
            reopen(store);
            String reason = reason(e);
            String hint = "free space on the disk of " + folder + " or make it writable, then try again";
            status.problem(FAILED, "warning", "changes cannot be saved, so none is made: " + reason, hint);
            return Ask.Reply.failed(
                    new Problem(FAILED, "nothing was changed, because it could not be saved: " + reason, hint));
        }
    }

    /** What the system said, without what the store wraps around it. */
    private static String reason(Throwable e) {
        Throwable deepest = e;
        while (deepest.getCause() != null) deepest = deepest.getCause();
        return deepest instanceof IOException ? Problem.text(deepest) : "the store does not take it";
    }

    /** A store that failed to write refuses everything after; a fresh one may find room again, and has what was saved. */
    private void reopen(MVStore failed) {
        failed.closeImmediately();
        try {
            store = at(folder.resolve(FILE));
        } catch (MVStoreException e) {
            LOG.error("the store cannot be opened again: {}", e.getMessage());
        }
    }

    private static Ask.Reply answer(MVStore store, Query query) {
        return switch (query) {
            case Query.Put put -> {
                open(store, put.map()).put(put.key(), put.value());
                force(store);
                yield put.reply(new Ask.Done());
            }
            case Query.Remove remove -> {
                open(store, remove.map()).remove(remove.key());
                force(store);
                yield remove.reply(new Ask.Done());
            }
            case Query.All all -> all.reply(new TreeMap<>(open(store, all.map())));
        };
    }

    private static MVMap<String, String> open(MVStore store, String map) {
        return store.openMap(map);
    }

    private static void force(MVStore store) {
        store.commit();
        store.sync();
    }
}
