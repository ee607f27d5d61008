package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/** Queries to a core that wait for its answer, by ticket; at most {@link #MAX}. */
final class OpenQuestions {
    /** Queries that may wait. */
    static final int MAX = 4096;

    private record Waiting<A>(Class<A> type, Promise<A> promise) {
        void answer(Object answer) {
            promise.tryComplete(type.cast(answer));
        }
    }

    private final Map<Long, Waiting<?>> open = new LinkedHashMap<>();
    private long next;

    /**
     * Takes a ticket and asks with it; fails at once if too many queries wait.
     *
     * @param type the class of the core's answer
     */
    <A> Future<A> ask(Class<A> type, LongConsumer question) {
        if (open.size() >= MAX) {
            return Future.failedFuture(
                    new Problem("overloaded", "too many queries are waiting already", "try again in a second"));
        }
        long ticket = next++;
        Promise<A> promise = Promise.promise();
        open.put(ticket, new Waiting<>(type, promise));
        question.accept(ticket);
        return promise.future();
    }

    void answer(long ticket, Object answer) {
        Waiting<?> waiting = open.remove(ticket);
        if (waiting != null) waiting.answer(answer);
    }

    /** Fails all that still wait, as the core they were put to is gone. */
    void close() {
        for (Waiting<?> waiting : List.copyOf(open.values())) {
            waiting.promise()
                    .tryFail(new Problem(
                            "node-not-ready",
                            "that part of the node stopped before it answered",
                            "try again in a second"));
        }
        open.clear();
    }

    void fail(long ticket, Throwable problem) {
        Waiting<?> waiting = open.remove(ticket);
        if (waiting != null) waiting.promise().tryFail(problem);
    }
}
