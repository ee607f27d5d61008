package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Questions to a core that wait for its answer, by ticket; at most {@link #MAX}. */
final class Tickets {
    /** Questions under way. */
    static final int MAX = 4096;

    private final Map<Long, Promise<Object>> open = new LinkedHashMap<>();
    private long next;

    /** Takes a ticket and asks with it; fails at once when too many wait. */
    Future<Object> ask(java.util.function.LongConsumer question) {
        if (open.size() >= MAX) {
            return Future.failedFuture(
                    new Problem("overloaded", "too many questions wait already", "try again in a second"));
        }
        long ticket = next++;
        Promise<Object> promise = Promise.promise();
        open.put(ticket, promise);
        question.accept(ticket);
        return promise.future();
    }

    void answer(long ticket, Object answer) {
        Promise<Object> promise = open.remove(ticket);
        if (promise != null) promise.tryComplete(answer);
    }

    /** Ends what still waits: whom it was asked of is gone. */
    void close() {
        for (Promise<Object> promise : List.copyOf(open.values())) {
            promise.tryFail(new Problem("node-not-ready", "it stopped before it answered", "try again in a second"));
        }
        open.clear();
    }

    void fail(long ticket, Throwable problem) {
        Promise<Object> promise = open.remove(ticket);
        if (promise != null) promise.tryFail(problem);
    }
}
