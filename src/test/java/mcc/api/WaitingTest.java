package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mcc.node.Problem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WaitingTest {
    private static final long LONG_NS = 3_600_000_000_000L;
    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final Waiting waiting = new Waiting(vertx);
    private int looks;
    private long index = 1;

    @AfterEach
    void close() {
        await(vertx.close());
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    /** Runs where the readers live. */
    private void on(Runnable what) {
        Promise<Object> done = Promise.promise();
        context.runOnContext(_ -> {
            what.run();
            done.complete();
        });
        await(done.future());
    }

    private Future<Operations.Answer> list(JsonObject p) {
        looks++;
        return Future.succeededFuture(Operations.Answer.of(p.copy().put("index", index)));
    }

    private Future<Operations.Answer> read(JsonObject p, long known, long leftNs) {
        return waiting.read("list", this::list, p, known, System.nanoTime() + leftNs);
    }

    @Test
    void aThousandReadersShareEachLookAndTheAnswer() {
        List<Future<Operations.Answer>> readers = new ArrayList<>();
        List<Future<Operations.Answer>> over = new ArrayList<>();
        on(() -> {
            JsonObject p = new JsonObject().put("index", 1).put("wait", "30s").put("filter", "x");
            for (int i = 0; i < Waiting.MAX; i++) readers.add(read(p.copy(), 1, LONG_NS));
            over.add(read(p, 1, LONG_NS));
            assertThat(looks).isEqualTo(1);
            index = 2;
        });
        List<Operations.Answer> answers = await(Future.all(readers)).list();
        assertThat(answers).allMatch(a -> a.body() == answers.getFirst().body(), "the very same");
        assertThat(looks).isEqualTo(2);
        assertThat(answers.getFirst().body().getString("filter")).isEqualTo("x");
        assertThat(over.getFirst().cause()).isInstanceOf(Problem.class);
        on(() -> readers.add(read(new JsonObject(), 1, LONG_NS)));
        assertThat(await(readers.getLast()).body().getLong("index"))
                .as("there is room again, and it has changed already")
                .isEqualTo(2);
    }

    @Test
    void whoseTimeIsOverIsAnsweredAndTheOthersWaitOn() {
        List<Future<Operations.Answer>> readers = new ArrayList<>();
        on(() -> {
            readers.add(read(new JsonObject(), 1, LONG_NS));
            readers.add(read(new JsonObject(), 1, 0));
            readers.add(read(new JsonObject(), 7, LONG_NS));
        });
        assertThat(await(readers.get(1)).body().getLong("index")).isEqualTo(1);
        assertThat(await(readers.get(2)).body().getLong("index")).isEqualTo(1);
        assertThat(readers.getFirst().isComplete()).isFalse();
        on(() -> index = 2);
        await(readers.getFirst());
    }

    @Test
    void aLookThatFailsIsToldToAllWhoWait() {
        List<Future<Operations.Answer>> readers = new ArrayList<>();
        on(() -> {
            for (int i = 0; i < 2; i++) {
                readers.add(waiting.read(
                        "broken",
                        _ -> {
                            throw new Problem("validation", "no such field", null);
                        },
                        new JsonObject(),
                        1,
                        System.nanoTime() + LONG_NS));
            }
        });
        assertThat(readers).allMatch(r -> r.cause() instanceof Problem);
    }

    @Test
    void whoLeavesMakesRoomForOthers() {
        List<Future<Operations.Answer>> readers = new ArrayList<>();
        List<Future<Operations.Answer>> over = new ArrayList<>();
        on(() -> {
            for (int i = 0; i < Waiting.MAX; i++) readers.add(read(new JsonObject(), 1, LONG_NS));
            over.add(read(new JsonObject(), 1, LONG_NS));
            readers.forEach(waiting::leave);
            over.add(read(new JsonObject(), 1, LONG_NS));
        });
        assertThat(over.getFirst().failed()).isTrue();
        assertThat(over.getLast().isComplete()).as("it waits").isFalse();
    }

    /** Each list that one waits for is looked at as often as all of them allow together. */
    @Test
    void readersOfManyListsDoNotMultiplyTheLooks() {
        List<Long> atNs = new ArrayList<>();
        Promise<Object> third = Promise.promise();
        on(() -> {
            for (int i = 0; i < 200; i++) read(new JsonObject().put("filter", i), 1, LONG_NS);
            waiting.read(
                    "last",
                    p -> {
                        atNs.add(System.nanoTime());
                        if (atNs.size() == 3) third.complete();
                        return list(p);
                    },
                    new JsonObject(),
                    1,
                    System.nanoTime() + LONG_NS);
        });
        await(third.future());
        double seconds = (atNs.getLast() - atNs.getFirst()) / 1e9;
        assertThat(looks / seconds)
                .as("looks a second at 200 lists, the first ones included")
                .isLessThan(500);
    }

    /** Where lists are read seldom, readers are answered no later for it. */
    @Test
    void whoseTimeIsOverIsAnsweredThoughThereAreManyLists() {
        List<String> order = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Future<?>> readers = new ArrayList<>();
        Promise<Object> later = Promise.promise();
        on(() -> {
            for (int i = 0; i < 900; i++)
                read(new JsonObject().put("filter", i), 1, LONG_NS); // each is read every 4.5 s
            readers.add(
                    read(new JsonObject().put("filter", "own"), 1, 300_000_000L).onSuccess(_ -> order.add("own")));
            vertx.setTimer(600, _ -> {
                readers.add(
                        read(new JsonObject().put("filter", 7), 1, 300_000_000L).onSuccess(_ -> order.add("joined")));
                vertx.setTimer(2_500, _ -> {
                    order.add("later");
                    later.complete();
                });
            });
        });
        await(later.future());
        assertThat(order).containsExactly("own", "joined", "later");
    }
}
