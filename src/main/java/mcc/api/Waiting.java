package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import mcc.node.Problem;

/**
 * Readers that wait until a list changes. All who wait for the same list share each reading of it, and the answer when it has
 * changed: many readers cost no more than one, until there is something to send. All lists together are read 200 times a
 * second at most, besides once when a reader comes and once when its time is over.
 */
final class Waiting {
    /** Readers at a time, over all lists. */
    static final int MAX = 1_000;

    /** Between two readings of a list. */
    private static final long LOOK_MS = 250;

    /** Between two readings of any lists: where there are many, each is read less often. */
    private static final long SPACING_MS = 5;

    private static final long MS = 1_000_000;

    private record Reader(long index, long untilNs, Promise<Operations.Answer> promise) {}

    /** The readers of one list. */
    private final class Group {
        private final String key;
        private final Supplier<Future<Operations.Answer>> look;
        private List<Reader> readers = new ArrayList<>();
        /** When the next reading is due; {@link Long#MAX_VALUE} while one is under way. */
        private long dueNs = Long.MAX_VALUE;

        private long timer;

        Group(String key, Supplier<Future<Operations.Answer>> look) {
            this.key = key;
            this.look = look;
        }

        void add(Reader reader) {
            readers.add(reader);
            if (dueNs != Long.MAX_VALUE) plan(LOOK_MS * MS, System.nanoTime());
        }

        /** Plans the next reading, at the latest when a reader's time is over. */
        private void plan(long inNs, long nowNs) {
            long atNs = nowNs + inNs;
            for (Reader reader : readers) atNs = Math.min(atNs, reader.untilNs);
            if (atNs >= dueNs) return;
            vertx.cancelTimer(timer);
            dueNs = atNs;
            timer = vertx.setTimer(Math.max(1, Math.ceilDiv(atNs - nowNs, MS)), _ -> look());
        }

        void look() {
            dueNs = Long.MAX_VALUE;
            Future<Operations.Answer> now;
            try {
                now = look.get();
            } catch (RuntimeException e) {
                now = Future.failedFuture(e);
            }
            now.onSuccess(this::seen).onFailure(this::failed);
        }

        private void seen(Operations.Answer answer) {
            long nowNs = System.nanoTime();
            long index = answer.body().getLong("index", -1L);
            List<Reader> rest = new ArrayList<>();
            List<Reader> served = new ArrayList<>();
            for (Reader reader : readers) {
                boolean done = index != reader.index || nowNs >= reader.untilNs;
                (done ? served : rest).add(reader);
            }
            readers = rest;
            if (rest.isEmpty()) groups.remove(key, this);
            else plan(Math.max(LOOK_MS, SPACING_MS * groups.size()) * MS, nowNs);
            count -= served.size();
            for (Reader reader : served) reader.promise.complete(answer);
        }

        private void failed(Throwable cause) {
            groups.remove(key, this);
            List<Reader> all = readers;
            readers = List.of();
            count -= all.size();
            for (Reader reader : all) reader.promise.fail(cause);
        }
    }

    private final Vertx vertx;
    private final Map<String, Group> groups = new LinkedHashMap<>();
    private int count;

    Waiting(Vertx vertx) {
        this.vertx = vertx;
    }

    /**
     * Answers once the list's index differs from {@code index}, or at {@code untilNs}.
     *
     * @param operation the operation that reads the list
     * @param p its parameters; all but index and wait identify the list
     */
    Future<Operations.Answer> read(
            String operation, Operations.Operation does, JsonObject p, long index, long untilNs) {
        if (count >= MAX) {
            return Future.failedFuture(
                    new Problem("overloaded", "1,000 readers are waiting already", "try again, or read /events"));
        }
        JsonObject list = p.copy();
        list.remove("index");
        list.remove("wait");
        String key = operation + list.encode();
        Reader reader = new Reader(index, untilNs, Promise.promise());
        count++;
        Group group = groups.get(key);
        if (group == null) {
            group = new Group(key, () -> does.apply(list));
            groups.put(key, group);
            group.readers.add(reader);
            group.look();
        } else {
            group.add(reader);
        }
        return reader.promise.future();
    }

    /** The reader of this answer has gone: without this it would count until its time is over. */
    void leave(Future<Operations.Answer> answer) {
        for (Group group : groups.values()) {
            if (group.readers.removeIf(reader -> reader.promise.future().equals(answer))) count--;
        }
    }
}
