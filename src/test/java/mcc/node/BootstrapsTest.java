package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.wire.Contact;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BootstrapsTest {
    private static final Address AT = Address.v4(0xc0000201, 7);
    private static final Address MOVED = Address.v4(0xc0000202, 7);
    /** A net, not a figure. */
    private static final long PATIENCE_S = 60;

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final Bus bus = new Bus(vertx);
    private final Status status = new Status("test");
    private final CountDownLatch silence = new CountDownLatch(1);
    private final BlockingQueue<LinkInput.Dial> dials = new ArrayBlockingQueue<>(100);
    private final BlockingQueue<Contact> met = new ArrayBlockingQueue<>(100);

    @AfterEach
    void end() {
        silence.countDown();
        Node.await(vertx.close(), 10_000);
    }

    @Test
    void aNameServerThatIsSilentAboutSomeHoldsUpNoOther() throws Exception {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 15; i++) texts.add("silent-" + i + ".example:7");
        texts.add("third.example:7");
        Bootstraps bootstraps = bootstraps(texts, (host, _) -> {
            if (host.startsWith("silent")) await(silence);
            return List.of(AT);
        });
        context.runOnContext(_ -> bootstraps.call());
        assertThat(next(dials).to()).isEqualTo(AT);
        assertThat(silence.getCount()).as("the others are silent still").isEqualTo(1);
    }

    @Test
    void anAddressNeedsNoNameServer() throws Exception {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 40; i++) texts.add("silent-" + i + ".example:7");
        texts.add("192.0.2.1:7");
        texts.add("[2001:db8::1]:7");
        Bootstraps bootstraps = bootstraps(texts, (_, _) -> {
            await(silence);
            return List.of();
        });
        context.runOnContext(_ -> bootstraps.call());
        assertThat(next(dials).to()).isEqualTo(AT);
        assertThat(next(dials).to()).isEqualTo(Address.parse("[2001:db8::1]:7"));
        assertThat(Node.await(vertx.executeBlocking(() -> 5), 10_000))
                .as("nobody else waits for a thread")
                .isEqualTo(5);
    }

    @Test
    void aNameThatMovedAndANodeMadeAnewAreFoundWhenNobodyAnswersAnyLonger() throws Exception {
        List<Address> now = new ArrayList<>(List.of(AT));
        Bootstraps bootstraps = bootstraps(List.of("core.example:7"), (_, _) -> List.copyOf(now));
        Id old = Id.random(Rng.seeded(1));
        Id fresh = Id.random(Rng.seeded(2));
        context.runOnContext(_ -> bootstraps.call());
        LinkInput.Dial first = next(dials);
        context.runOnContext(_ -> {
            bootstraps.dialled(new LinkOutput.Dialled(first.ticket(), old, first.to()));
            bootstraps.joined();
        });
        assertThat(next(met).node()).isEqualTo(old);
        context.runOnContext(_ -> {
            now.set(0, MOVED);
            bootstraps.alone();
        });
        LinkInput.Dial second = next(dials);
        assertThat(second.to()).isEqualTo(MOVED);
        context.runOnContext(_ -> bootstraps.dialled(new LinkOutput.Dialled(second.ticket(), fresh, second.to())));
        assertThat(next(met)).isEqualTo(new Contact(fresh, List.of(MOVED)));
    }

    @Test
    void aKeyThatIsNotTheNodesIsToldWithAWayOutAndOneThatAnsweredIsNot() {
        Id right = Id.random(Rng.seeded(1));
        Id wrong = Id.random(Rng.seeded(2));
        List<String> texts = List.of(right + "@192.0.2.1:7", wrong + "@192.0.2.2:7");
        Bootstraps bootstraps = bootstraps(texts, (_, _) -> List.of());
        bootstraps.up(right);
        bootstraps.call();
        bootstraps.call();
        assertThat(status.problems().encode()).as("it may be slow").doesNotContain("with that key");
        bootstraps.call();
        assertThat(status.problems().encode())
                .contains(texts.get(1) + ": no node with that key answers")
                .contains("leave KEY@ out")
                .doesNotContain(texts.get(0) + ": ");
        bootstraps.up(wrong);
        bootstraps.call();
        assertThat(status.problems().encode()).doesNotContain("with that key");
    }

    private Bootstraps bootstraps(List<String> texts, Bootstraps.Resolver resolver) {
        bus.on(Bus.LINKS, input -> dials.add((LinkInput.Dial) input));
        return new Bootstraps(
                vertx, bus, status, texts.stream().map(Addresses::bootstrap).toList(), resolver, met::add);
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T out = queue.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertThat(out).isNotNull();
        return out;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
