package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import mcc.consortium.Policy;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.link.LinkOutput;
import mcc.overlay.Wiring;
import mcc.registry.ServiceName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What peers cause cannot fill a mailbox that does not keep up. */
class BusTest {
    private static final LinkOutput UP =
            new LinkOutput.Up(Subject.of(Id.random(Rng.seeded(1))), Address.v4(0x7f000001, 9), 0);

    private final Vertx vertx = Vertx.vertx();
    private final Bus bus = new Bus(vertx);
    private final Counters counters = new Counters();

    @AfterEach
    void stop() {
        Node.await(vertx.close(), 10_000);
    }

    /** A reader of the DHT's mailbox whose loop is busy until the first latch opens, and that counts down the second. */
    private void readSlowly(CountDownLatch busy, CountDownLatch read) {
        Context context = vertx.getOrCreateContext();
        CountDownLatch ready = new CountDownLatch(1);
        context.runOnContext(_ -> {
            bus.on(Bus.DHT_CORE, _ -> read.countDown());
            ready.countDown();
            await(busy);
        });
        await(ready);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void offer(int times) {
        for (int i = 0; i < times; i++) Deliveries.offer(bus, Wiring.route(UP), counters);
    }

    @Test
    void aMailboxThatIsNotReadGetsItsCreditAndNoMoreUntilItDoes() {
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch read = new CountDownLatch(Bus.CREDIT);
        readSlowly(busy, read);
        offer(Bus.CREDIT + 10);
        assertThat(counters.value("bus.refused")).isEqualTo(10);
        busy.countDown();
        await(read);
        CountDownLatch more = new CountDownLatch(1);
        offer(5);
        vertx.getOrCreateContext().runOnContext(_ -> more.countDown());
        await(more);
        assertThat(counters.value("bus.refused")).as("room again").isEqualTo(10);
    }

    @Test
    void whatTheNodeItselfSendsIsNotRefusedButCounts() {
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch read = new CountDownLatch(Bus.CREDIT + 1);
        readSlowly(busy, read);
        for (int i = 0; i <= Bus.CREDIT; i++) bus.send(Bus.DHT_CORE, new Dht.Input.Tick());
        offer(1);
        assertThat(counters.value("bus.refused")).isEqualTo(1);
        busy.countDown();
        await(read);
    }

    @Test
    void aReaderThatIsStartedAgainHasItsWholeCredit() {
        CountDownLatch busy = new CountDownLatch(1);
        readSlowly(busy, new CountDownLatch(1));
        offer(Bus.CREDIT + 1);
        bus.on(Bus.DHT_CORE, _ -> {});
        offer(1);
        busy.countDown();
        assertThat(counters.value("bus.refused")).isEqualTo(1);
    }

    @Test
    void aWatchThatTheRegistryRefusesIsForgotten() {
        bus.serve(Bus.STORE, query -> switch (query) {
            case StoreVerticle.Query.All q -> q.reply(java.util.Map.of());
            case StoreVerticle.Query.Change q -> q.reply(new Ask.Done());
        });
        bus.serve(
                Bus.SESSION,
                query -> query instanceof SessionVerticle.Query.Peers q
                        ? q.reply(List.of())
                        : Ask.Reply.failed(new Problem("overloaded", "not asked here", null)));
        RegistryVerticle verticle =
                new RegistryVerticle(bus, "test", Subject.of(Id.random(Rng.seeded(2))), Rng.seeded(3));
        Policies.keep(bus, Policy.open(), List.of());
        Node.await(vertx.deployVerticle(verticle), 10_000);
        List<ServiceName> names = Stream.iterate(0, i -> i + 1)
                .limit(257)
                .map(i -> new ServiceName("open", "s" + i))
                .toList();
        assertThat(refused("a", names.subList(0, 256))).isEmpty();
        List<ServiceName> last = List.of(names.getLast());
        assertThat(refused("b", last)).isEqualTo(last);
        assertThat(refused("b", last)).as("not taken for one that stands").isEqualTo(last);
        assertThat(refused("a", names.subList(1, 256))).isEmpty();
        assertThat(refused("b", last)).as("there is room again").isEmpty();
    }

    private List<ServiceName> refused(String owner, List<ServiceName> services) {
        return Node.await(bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Watching(owner, services)), 10_000);
    }

    /** A store that answers late, as on a machine that starts many nodes at once. */
    @Test
    void anAnswerMayTakeAsLongAsIsSet() {
        bus.serve(
                Bus.STORE,
                query -> ((StoreVerticle.Query.All) query)
                        .replyOnce(vertx.timer(50).map(_ -> Map.of("a", "b"))));
        bus.answerWithin(1);
        assertThatExceptionOfType(Problem.class).isThrownBy(this::all);
        bus.answerWithin(60_000);
        assertThat(all()).containsEntry("a", "b");
    }

    private Map<String, String> all() {
        return Node.await(bus.ask(Bus.STORE, new StoreVerticle.Query.All("x")), 60_000);
    }
}
