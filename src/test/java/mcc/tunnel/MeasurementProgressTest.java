package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.NodeEvent;
import mcc.node.Resident;
import mcc.node.Settings;
import mcc.node.StreamPort;
import mcc.wire.Contact;
import mcc.wire.pb.TunnelOpened;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A measurement by one node of this process; the far end is another's stream that the test has in its hand. */
class MeasurementProgressTest {
    private static final int PATIENCE_S = 60;
    /** What a stream carries to an end that does not read. */
    private static final int WINDOW_BYTES = 256 * 1024;

    @TempDir
    Path folder;

    private final List<Node> nodes = new ArrayList<>();
    private final BlockingQueue<NodeEvent> events = new LinkedBlockingQueue<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private Guest here;
    private Guest there;

    /** Admits each measurement, and reads nothing of it. */
    private static final class Guest extends VerticleBase implements Resident {
        private final Bus bus;
        private final BlockingQueue<StreamPort> admitted = new LinkedBlockingQueue<>();

        Guest(Node.Parts parts) {
            bus = parts.bus();
        }

        @Override
        public Future<?> start() {
            bus.on(Bus.INCOMING, port -> {
                port.attach(context);
                port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
                admitted.add(port);
            });
            return Future.succeededFuture();
        }

        void measure(Contact to, int seconds, Runnable ended) {
            context.runOnContext(_ -> Measurement.begin(vertx, context, bus, "b-1", to, seconds, ended));
        }

        void breakOff() throws InterruptedException {
            StreamPort port = admitted.poll(PATIENCE_S, TimeUnit.SECONDS);
            assertThat(port).as("a measurement's stream").isNotNull();
            context.runOnContext(_ -> port.cancel());
        }
    }

    @BeforeEach
    void start() {
        there = node("there");
        here = node("here");
        here.bus.on(Bus.EVENTS, event -> {
            if (event.type().startsWith("bench.")) events.add(event);
        });
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

    private NodeEvent next() throws InterruptedException {
        NodeEvent event = events.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertThat(event).as("an event").isNotNull();
        return event;
    }

    @Test
    void whatTheFarEndDoesNotTakeIsNotCountedAsMoved() throws Exception {
        Node.Parts far = nodes.getFirst().parts();
        Contact to =
                new Contact(far.id(), List.of(Address.parse(far.status().udp().getFirst())));
        here.measure(to, 2, ended::countDown);
        NodeEvent first = next();
        assertThat(first.type()).isEqualTo("bench.progress");
        assertThat(first.data().getInteger("second")).isEqualTo(1);
        assertThat(first.data().getLong("bitsPerSecond"))
                .as("what was acknowledged in about a second, and not what this node holds beside it")
                .isPositive()
                .isLessThan(WINDOW_BYTES * 8 * 5 / 4);
        NodeEvent second = next();
        assertThat(second.data().getInteger("second")).isEqualTo(2);
        assertThat(second.data().getLong("bitsPerSecond")).isZero();
        there.breakOff();
        NodeEvent last = next();
        assertThat(last.type()).isEqualTo("bench.failed");
        assertThat(last.data().getString("reason")).contains("broke the stream off");
        assertThat(ended.await(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
    }
}
