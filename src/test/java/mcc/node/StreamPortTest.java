package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.core.Rng;
import mcc.wire.Contact;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streams between two real nodes of this process, as verticles on their packet loops use them. */
class StreamPortTest {
    private static final int PATIENCE_S = 60;
    private static final int MANY = 4 << 20;
    private static final int SOME = 16;

    @TempDir
    Path folder;

    private final List<Node> nodes = new ArrayList<>();
    private Guest here;
    private Guest there;

    /** Lives where the packets are, and takes the streams that peers open. */
    private static final class Guest extends VerticleBase implements Resident {
        private final Bus bus;
        private final BlockingQueue<StreamPort> incoming = new LinkedBlockingQueue<>();

        Guest(Node.Parts parts) {
            bus = parts.bus();
        }

        @Override
        public Future<?> start() {
            bus.on(Bus.INCOMING, incoming::add);
            return Future.succeededFuture();
        }

        Context home() {
            return context;
        }

        /** Runs a task on the packet loop, and waits for it. */
        void run(Runnable task) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            context.runOnContext(_ -> {
                try {
                    task.run();
                    done.complete(null);
                } catch (RuntimeException | Error e) {
                    done.completeExceptionally(e);
                }
            });
            done.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
        }

        StreamPort taken() throws InterruptedException {
            StreamPort port = incoming.poll(PATIENCE_S, TimeUnit.SECONDS);
            assertThat(port).as("a stream that the peer opened").isNotNull();
            return port;
        }
    }

    /** What one end heard. */
    private static final class Ear {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
        private final int goal;
        private int unflushed;

        Ear(int goal) {
            this.goal = goal;
        }

        void listen(StreamPort port) {
            port.bytesHandler((chunk, length) -> {
                bytes.write(chunk, 0, length);
                unflushed += length;
            });
            port.batchHandler(() -> {
                unflushed = 0;
                if (bytes.size() == goal) events.add("all");
            });
            port.endHandler(() -> events.add(unflushed == 0 ? "end" : "end before the batch's"));
            port.brokenHandler(_ -> events.add("broken"));
            port.drainHandler(() -> events.add("drained"));
        }

        String next() throws InterruptedException {
            return events.poll(PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    @BeforeEach
    void start() {
        there = node("there");
        here = node("here");
    }

    @AfterEach
    void stop() {
        for (Node node : nodes) node.close();
    }

    private Guest node(String name) {
        List<Guest> made = new ArrayList<>();
        Map<String, String> values =
                Map.of("data", folder.resolve(name).toString(), "name", name, "listen", "127.0.0.1:0");
        nodes.add(Node.start(Settings.load(values, Map.of(), null), Policy.open(), List.of(parts -> {
            made.add(new Guest(parts));
            return made.getLast();
        })));
        return made.getLast();
    }

    private StreamPort open() {
        Node to = nodes.getFirst();
        Contact contact = new Contact(
                to.parts().id(), List.of(Address.parse(to.parts().status().udp().getFirst())));
        return Node.await(here.bus.ask(Bus.SESSION, new SessionVerticle.Query.Open(contact)), 60_000);
    }

    /** Listens to a stream, and opens it by a byte. */
    private void begin(StreamPort from, Ear ear) {
        here.run(() -> {
            ear.listen(from);
            from.attach(here.home());
            from.write(new byte[1]);
        });
    }

    @Test
    void whatIsWrittenArrivesInOrderHoweverMuchItIs() throws Exception {
        byte[] sent = Rng.seeded(1).bytes(MANY);
        StreamPort from = open();
        here.run(() -> {
            from.attach(here.home());
            for (int at = 0, n; at < MANY; at += n) {
                n = Math.min(50_001, MANY - at);
                assertThat(from.write(Arrays.copyOfRange(sent, at, at + n))).isTrue();
            }
            assertThat(from.isFull()).as("more than a stream takes").isTrue();
            assertThat(from.unacknowledgedBytes()).isEqualTo(MANY);
            from.end();
            assertThat(from.write(new byte[1])).as("after the end").isFalse();
        });
        StreamPort to = there.taken();
        Ear ear = new Ear(MANY);
        there.run(() -> {
            ear.listen(to);
            to.attach(there.home());
        });
        assertThat(ear.next()).isEqualTo("all");
        assertThat(ear.next()).isEqualTo("end");
        assertThat(Arrays.equals(ear.bytes.toByteArray(), sent)).isTrue();
        // The other direction goes on.
        Ear back = new Ear(3);
        here.run(() -> back.listen(from));
        there.run(() -> {
            to.write(new byte[] {1, 2, 3, 4}, 3);
            to.end();
        });
        assertThat(back.next()).isEqualTo("all");
        assertThat(back.next()).isEqualTo("end");
    }

    @Test
    void aReaderThatPausesStopsTheWriterUntilItResumes() throws Exception {
        byte[] sent = Rng.seeded(2).bytes(MANY);
        StreamPort from = open();
        Ear writer = new Ear(0);
        int[] at = {0};
        Runnable fill = () -> {
            while (at[0] < MANY && !from.isFull()) {
                int n = Math.min(10_000, MANY - at[0]);
                from.write(Arrays.copyOfRange(sent, at[0], at[0] + n));
                at[0] += n;
            }
        };
        here.run(() -> {
            writer.listen(from);
            from.drainHandler(fill);
            from.attach(here.home());
            from.write(new byte[1]); // opens it
        });
        StreamPort to = there.taken();
        Ear ear = new Ear(MANY + 1);
        there.run(() -> {
            to.pause();
            ear.listen(to);
            to.attach(there.home());
        });
        here.run(fill);
        // Nothing tells when a writer will write no more; that nothing is handed over while paused is told by the
        // loop's turns.
        for (int i = 0; i < 200; i++) there.run(() -> {});
        assertThat(ear.bytes.size()).isZero();
        there.run(to::resume);
        assertThat(ear.next()).isEqualTo("all");
        assertThat(Arrays.equals(Arrays.copyOfRange(ear.bytes.toByteArray(), 1, MANY + 1), sent))
                .isTrue();
    }

    @Test
    void whoCancelsIsToldNothingMoreAndThePeerIs() throws Exception {
        StreamPort from = open();
        Ear mine = new Ear(-1);
        begin(from, mine);
        StreamPort to = there.taken();
        Ear ear = new Ear(1);
        there.run(() -> {
            ear.listen(to);
            to.attach(there.home());
        });
        assertThat(ear.next()).isEqualTo("all");
        here.run(() -> {
            from.cancel();
            from.cancel();
            assertThat(from.write(new byte[1])).isFalse();
            assertThat(from.sendDatagram(new byte[1])).isFalse();
        });
        assertThat(ear.next()).isEqualTo("broken");
        there.run(() -> assertThat(to.write(new byte[1])).isFalse());
        assertThat(mine.events).isEmpty();
    }

    @Test
    void whatBrokeBeforeAnyoneTookItIsToldThen() throws Exception {
        StreamPort from = open();
        here.run(() -> {
            from.attach(here.home());
            from.write(new byte[] {7});
        });
        StreamPort to = there.taken();
        here.run(from::cancel);
        // A second stream that came through says that the end of the first did too, or comes with it.
        StreamPort second = open();
        here.run(() -> second.write(new byte[1]));
        there.taken();
        Ear ear = new Ear(-1);
        there.run(() -> {
            ear.listen(to);
            to.attach(there.home());
        });
        assertThat(ear.next()).isEqualTo("broken");
        there.run(() -> to.brokenHandler(_ -> ear.events.add("told whoever took it over")));
        assertThat(ear.next()).isEqualTo("told whoever took it over");
    }

    @Test
    void aStreamIsBrokenOffWithTheVerticleThatHasIt() throws Exception {
        Ear ear = new Ear(-1);
        begin(open(), ear);
        StreamPort to = there.taken();
        there.run(() -> to.attach(there.home()));
        there.home().runOnContext(_ -> {
            throw new IllegalStateException("a broken invariant");
        });
        assertThat(ear.next()).isEqualTo("broken");
    }

    @Test
    void streamsBreakWithTheSessionsAndOpenAgainAfterThem() throws Exception {
        Ear ear = new Ear(-1);
        begin(open(), ear);
        StreamPort old = there.taken();
        CompletableFuture<Void> restarted = new CompletableFuture<>();
        here.bus.on(Bus.EVENTS, event -> {
            if (event.type().equals("verticle.restarted")) restarted.complete(null);
        });
        here.bus.ask(Bus.SESSION, new SessionVerticle.Query.Ping(null)); // as a bug would
        assertThat(ear.next()).isEqualTo("broken");
        restarted.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
        Ear next = new Ear(1);
        begin(open(), next);
        StreamPort namesake = there.taken();
        assertThat(namesake.stream.id()).isEqualTo(old.stream.id());
        there.run(() -> {
            old.cancel();
            namesake.attach(there.home()).write(new byte[1]);
        });
        assertThat(next.next()).isEqualTo("all");
        for (int i = 0; i < 10; i++) {
            StreamPort again = open();
            here.run(() -> again.write(new byte[1]));
            there.taken();
        }
    }

    @Test
    void theLongestDatagramGrowsWithThePathWhereNoneWasSent() throws Exception {
        StreamPort from = open();
        here.run(() -> {
            from.attach(here.home());
            assertThat(from.maxDatagramBytes()).isLessThan(1_200);
            from.write(new byte[1]);
        });
        StreamPort to = there.taken();
        there.run(() -> {
            to.bytesHandler((chunk, length) -> to.write(chunk, length)); // tells that it came
            to.attach(there.home());
        });
        int[] max = {0};
        BlockingQueue<Integer> back = new LinkedBlockingQueue<>();
        here.run(() -> from.bytesHandler((_, length) -> back.add(length)));
        for (int sent = 0; sent < MANY && max[0] < 1_200; sent += 1_200) {
            here.run(() -> {
                from.write(new byte[1_200]); // as a flow does with what is too long for a datagram
                max[0] = from.maxDatagramBytes();
            });
            assertThat(back.poll(PATIENCE_S, TimeUnit.SECONDS)).isNotNull();
        }
        assertThat(max[0]).isGreaterThanOrEqualTo(1_200);
    }

    @Test
    void datagramsComeWhilePausedAndAreLostBeforeThereIsAHandler() throws Exception {
        StreamPort from = open();
        here.run(() -> {
            from.attach(here.home());
            from.write(new byte[1]);
        });
        StreamPort to = there.taken();
        BlockingQueue<byte[]> got = new LinkedBlockingQueue<>();
        there.run(() -> {
            to.pause();
            to.attach(there.home());
            to.datagramHandler(got::add);
        });
        here.run(() -> assertThat(from.sendDatagram(new byte[] {1, 2, 3})).isTrue());
        assertThat(got.poll(PATIENCE_S, TimeUnit.SECONDS)).containsExactly(1, 2, 3);
    }

    /** Opens another stream to the same node where the first one broke. */
    private void openAgain(StreamAccess access, Contact to, BlockingQueue<String> heard, String name, boolean again) {
        StreamPort port = access.open(to);
        port.brokenHandler(_ -> {
            heard.add(name);
            if (again) openAgain(access, to, heard, "another", false);
        });
        port.attach(here.home());
        port.write(new byte[1]);
    }

    @Test
    void eachStreamOfALostPeerIsToldThoughTheFirstToldOpenOthersLikeThem() throws Exception {
        Node to = nodes.getFirst();
        Contact contact = new Contact(
                to.parts().id(), List.of(Address.parse(to.parts().status().udp().getFirst())));
        StreamAccess access = Node.await(here.bus.ask(Bus.SESSION, new SessionVerticle.Query.Streams()), 60_000);
        BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        here.run(() -> {
            for (int i = 0; i < SOME; i++) openAgain(access, contact, heard, "first", true);
        });
        for (int i = 0; i < SOME; i++) there.taken();
        nodes.remove(to);
        to.close();
        for (int i = 0; i < SOME; i++)
            assertThat(heard.poll(PATIENCE_S, TimeUnit.SECONDS)).isEqualTo("first");
    }
}
