package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.consortium.Policy;
import mcc.consortium.Subject;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.node.RegistryVerticle.Query;
import mcc.registry.Registration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Changes of registrations: what they depend on, and what reaches the disk, which is as slow here as each test likes. */
class RegistryVerticleTest {
    /** A write that the disk was asked for, and its end. */
    private record Write(StoreVerticle.Query.Change query, Promise<Ask.Done> done) {}

    private final Vertx vertx = Vertx.vertx();
    private final Bus bus = new Bus(vertx);
    private final BlockingQueue<Write> writes = new LinkedBlockingQueue<>();

    private void start(int registrations) {
        Map<String, String> stored = new TreeMap<>();
        for (int i = 0; i < registrations; i++) {
            Registration each = registration("r" + i, 1);
            stored.put(each.id(), Registrations.toJson(each).encode());
        }
        Policies.keep(bus, Policy.open(), List.of());
        bus.serve(Bus.SESSION, query -> ((SessionVerticle.Query.Peers) query).reply(List.of()));
        bus.serve(Bus.STORE, query -> switch (query) {
            case StoreVerticle.Query.All q -> q.reply(stored);
            case StoreVerticle.Query.Change q -> {
                Promise<Ask.Done> done = Promise.promise();
                writes.add(new Write(q, done));
                yield q.replyOnce(done.future());
            }
        });
        Node.await(
                vertx.deployVerticle(
                        new RegistryVerticle(bus, "test", Subject.of(Id.random(Rng.seeded(2))), Rng.seeded(3))),
                30_000);
    }

    @AfterEach
    void stop() {
        Node.await(vertx.close(), 10_000);
    }

    private static Registration registration(String id, int weight) {
        JsonObject body = new JsonObject().put("service", "web").put("port", 80).put("weight", weight);
        return ((Registration.Parsed.Valid) Registrations.parse(id, body)).registration();
    }

    private Write write() throws InterruptedException {
        Write write = writes.poll(30, TimeUnit.SECONDS);
        assertThat(write).as("the disk is asked").isNotNull();
        return write;
    }

    private <A, Q extends Query & Ask<A>> Future<A> ask(Q query) {
        return bus.ask(Bus.REGISTRY, query);
    }

    private static String outcome(Future<?> future) {
        try {
            Node.await(future, 30_000);
            return "done";
        } catch (Problem p) {
            return p.code();
        }
    }

    private int weight(String id) {
        return Node.await(ask(new Query.Registrations()), 30_000).stream()
                .filter(v -> v.registration().id().equals(id))
                .findFirst()
                .orElseThrow()
                .registration()
                .weight();
    }

    @Test
    void ofTwoChangesThatNeedWhatWasThereOneIsMade() throws Exception {
        start(1);
        RegistryVerticle.Condition first =
                now -> now != null && now.registration().weight() == 1;
        Future<?> one = ask(new Query.Register(registration("r0", 2), first));
        Future<?> two = ask(new Query.Register(registration("r0", 3), first));
        Future<?> three = ask(new Query.Deregister("r0", first));
        write().done().complete();
        assertThat(outcome(one)).isEqualTo("done");
        assertThat(outcome(two)).isEqualTo("precondition-failed");
        assertThat(outcome(three)).isEqualTo("precondition-failed");
        assertThat(writes).isEmpty();
        assertThat(weight("r0")).isEqualTo(2);
    }

    @Test
    void ofTwoThatMakeANewOneOneIsMade() throws Exception {
        start(0);
        RegistryVerticle.Condition absent = java.util.Objects::isNull;
        Future<?> one = ask(new Query.Register(registration("a", 2), absent));
        Future<?> two = ask(new Query.Register(registration("a", 3), absent));
        write().done().complete();
        assertThat(outcome(one)).isEqualTo("done");
        assertThat(outcome(two)).isEqualTo("precondition-failed");
    }

    @Test
    void whatCouldNotBeSavedLeavesTheNextOneItsChance() throws Exception {
        start(0);
        Future<?> one = ask(new Query.Register(registration("a", 2)));
        Future<?> two = ask(new Query.Register(registration("a", 3)));
        write().done().fail(new Problem(StoreVerticle.FAILED, "full", null));
        write().done().complete();
        assertThat(outcome(one)).isEqualTo(StoreVerticle.FAILED);
        assertThat(outcome(two)).isEqualTo("done");
        assertThat(weight("a")).isEqualTo(3);
    }

    @Test
    void whatIsRefusedNeverReachesTheDisk() throws Exception {
        start(1_023);
        Future<?> last = ask(new Query.Register(registration("last", 1)));
        Future<?> over = ask(new Query.Register(registration("over", 1)));
        assertThat(outcome(over)).as("the one before is being saved").isEqualTo("overloaded");
        write().done().complete();
        assertThat(outcome(last)).isEqualTo("done");
        assertThat(outcome(ask(new Query.Register(registration("over", 1))))).isEqualTo("overloaded");
        ask(new Query.Drain());
        assertThat(outcome(ask(new Query.Register(registration("r0", 9))))).isEqualTo("node-not-ready");
        assertThat(writes).isEmpty();
    }

    @Test
    void aDrainWaitsForWhatIsBeingSavedAndNothingIsTakenOffTheDiskAgain() throws Exception {
        start(0);
        Future<?> first = ask(new Query.Register(registration("a", 2)));
        Write saving = write();
        Future<?> drained = ask(new Query.Drain());
        assertThat(outcome(ask(new Query.Register(registration("b", 2))))).isEqualTo("node-not-ready");
        assertThat(drained.isComplete()).isFalse();
        saving.done().complete();
        assertThat(outcome(first)).isEqualTo("done");
        assertThat(outcome(drained)).isEqualTo("done");
        assertThat(weight("a")).as("the disk and the registry have it").isEqualTo(2);
        assertThat(writes).isEmpty();
    }

    @Test
    void aThousandChangesOfOneFollowOneAnother() throws Exception {
        start(0);
        List<Future<?>> all = new java.util.ArrayList<>();
        for (int i = 0; i < 1_024; i++) {
            all.add(ask(new Query.Register(registration("a", 1), java.util.Objects::isNull)));
        }
        Future<?> over = ask(new Query.Register(registration("b", 1)));
        assertThat(outcome(over)).isEqualTo("overloaded");
        write().done().complete();
        assertThat(outcome(all.getFirst())).isEqualTo("done");
        for (Future<?> each : all.subList(1, all.size())) {
            assertThat(outcome(each)).isEqualTo("precondition-failed");
        }
    }
}
