package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded store, {@link Store}, for the other verticles. A worker verticle, so that slow disks delay no event loop.
 *
 * <p>A write is answered once it was forced to disk. On a full or read-only disk only the write fails, and whoever asked for
 * it changes nothing. A loss is shown as a problem until the operator removes the kept files.
 */
public final class StoreVerticle extends VerticleBase {
    /** Queries to the store. */
    public sealed interface Query {
        /** A change; answered when it is on disk. */
        sealed interface Change extends Query, Ask<Ask.Done> {}

        /** Stores a value. */
        record Put(String map, String key, String value) implements Change {}

        /** Removes a value. */
        record Remove(String map, String key) implements Change {}

        /** Answered by a sorted map of all keys and values. */
        record All(String map) implements Query, Ask<Map<String, String>> {}
    }

    private static final Logger LOG = LoggerFactory.getLogger(StoreVerticle.class);
    /** The code of a failed write, and of the node's problem. */
    static final String FAILED = "store-failed";

    private final Bus bus;
    private final Path folder;
    private final Status status;
    private @Nullable Store store;

    StoreVerticle(Bus bus, Path folder, Status status) {
        this.bus = bus;
        this.folder = folder;
        this.status = status;
    }

    @Override
    public Future<?> start() {
        store = Store.open(folder);
        tellLosses();
        bus.serve(Bus.STORE, this::onQuery);
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        if (store != null) store.close();
        return Future.succeededFuture();
    }

    /** Reports losses by a problem that stays as long as the files do; an event would come before anybody listened. */
    private void tellLosses() {
        List<Path> losses = Store.losses(folder);
        if (losses.isEmpty()) return;
        status.problem(
                "store-lost",
                "warning",
                "the store lost registrations or forwards; what was left of it is in " + losses.getFirst(),
                "register again what is missing, or restore " + folder.resolve(Store.FILE)
                        + " from a backup while the node is stopped; then remove " + folder.resolve(Store.FILE)
                        + ".corrupt-* and restart");
    }

    private Ask.Reply onQuery(Query query) {
        if (store == null || store.isClosed()) reopen();
        Store store = this.store;
        if (store == null) return Ask.Reply.failed(new Problem("node-not-ready", "the store is closed", null));
        try {
            Ask.Reply answer = answer(store, query);
            if (query instanceof Query.Change) status.solved(FAILED);
            return answer;
        } catch (MVStoreException e) {
            LOG.error("the store cannot be written: {}", e.getMessage());
            store.abandon();
            reopen();
            String reason = Store.reason(e);
            String hint = "free space on the disk of " + folder + " or make it writable, then try again";
            status.problem(FAILED, "warning", "changes cannot be saved, so none is made: " + reason, hint);
            return Ask.Reply.failed(
                    new Problem(FAILED, "nothing was changed, because it could not be saved: " + reason, hint));
        }
    }

    /**
     * A store that failed to write refuses everything from then on; a newly opened one may have room again, and has what was
     * saved.
     */
    private void reopen() {
        store = null;
        try {
            store = Store.open(folder);
            tellLosses();
        } catch (Problem p) {
            LOG.error("the store cannot be opened again: {}", p.detail());
        }
    }

    private static Ask.Reply answer(Store store, Query query) {
        return switch (query) {
            case Query.Put put -> {
                store.put(put.map(), put.key(), put.value());
                yield put.reply(new Ask.Done());
            }
            case Query.Remove remove -> {
                store.remove(remove.map(), remove.key());
                yield remove.reply(new Ask.Done());
            }
            case Query.All all -> all.reply(store.all(all.map()));
        };
    }
}
