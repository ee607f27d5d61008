package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A real node that measures the path to another node of this process, which does not follow the protocol. */
class MeasurementTest {
    private static final int PATIENCE_S = 60;
    /** More bytes than any answer to a measurement has. */
    private static final int MANY = 8 << 20;
    /** How many bytes a stream carries to an end that does not read. */
    private static final int WINDOW_BYTES = 256 * 1024;

    @TempDir
    Path folder;

    private final List<Node> nodes = new ArrayList<>();
    private final BlockingQueue<NodeEvent> events = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> brokenOff = new LinkedBlockingQueue<>();

    /** Accepts whatever it is asked for, and then does what a test wants. */
    private final class FarEnd extends VerticleBase implements Resident {
        private final Bus bus;
        private final Consumer<StreamPort> then;

        FarEnd(Bus bus, Consumer<StreamPort> then) {
            this.bus = bus;
            this.then = then;
        }

        @Override
        public Future<?> start() {
            bus.on(Bus.INCOMING, port -> {
                port.brokenHandler(_ -> brokenOff.add("broken off"));
                port.bytesHandler((_, _) -> {});
                port.attach(context);
                port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
                then.accept(port);
            });
            return Future.succeededFuture();
        }
    }

    @AfterEach
    void stop() {
        for (Node node : nodes) node.close();
    }

    private Node node(String name, Node.Edge edge) {
        Map<String, String> values =
                Map.of("data", folder.resolve(name).toString(), "name", name, "listen", "127.0.0.1:0");
        nodes.add(Node.start(Settings.load(values, Map.of(), null), Policy.open(), List.of(edge)));
        return nodes.getLast();
    }

    /** @param then what the far end does with the stream, on its own context */
    private void begin(int seconds, Consumer<StreamPort> then) {
        Node there = node("there", parts -> new FarEnd(parts.bus(), then));
        Node here = node("here", TunnelVerticle::new);
        here.parts().bus().on(Bus.EVENTS, event -> {
            if (event.type().startsWith("bench.")) events.add(event);
        });
        Contact to = new Contact(
                there.parts().id(),
                List.of(Address.parse(there.parts().status().udp().getFirst())));
        here.parts().bus().ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Measure(to, seconds));
    }

    private NodeEvent next() throws InterruptedException {
        NodeEvent event = events.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertThat(event).as("an event of the measurement").isNotNull();
        return event;
    }

    /** How a measurement of a second ends. */
    private NodeEvent measure(Consumer<StreamPort> then) throws InterruptedException {
        begin(1, then);
        NodeEvent event = next();
        while (event.type().equals("bench.progress")) event = next();
        return event;
    }

    @Test
    void whatTheFarEndDoesNotTakeIsNotCountedAsMoved() throws Exception {
        BlockingQueue<Runnable> breakOff = new LinkedBlockingQueue<>();
        begin(2, port -> {
            port.pause();
            Context home = Vertx.currentContext();
            breakOff.add(() -> home.runOnContext(_ -> port.cancel()));
        });
        long bits = 0;
        for (int second = 1; second <= 2; second++) {
            NodeEvent progress = next();
            assertThat(progress.type()).isEqualTo("bench.progress");
            assertThat(progress.data().getInteger("second")).isEqualTo(second);
            bits += progress.data().getLong("bitsPerSecond");
        }
        assertThat(bits)
                .as("what was acknowledged, a second each, and not what this node holds beside it")
                .isPositive()
                .isLessThan(WINDOW_BYTES * 8 * 5 / 4);
        breakOff.take().run();
        NodeEvent end = next();
        assertThat(end.type()).isEqualTo("bench.failed");
        assertThat(end.data().getString("reason")).contains("broke the stream off");
    }

    @ParameterizedTest
    @ValueSource(bytes = {0, -1})
    void whoGoesOnWhereOneResultIsDueIsNotListenedTo(byte value) throws Exception {
        byte[] block = new byte[65_536];
        Arrays.fill(block, value);
        int[] poured = {0};
        NodeEvent end = measure(port -> {
            Runnable pour = () -> {
                for (; poured[0] < MANY && !port.isFull(); poured[0] += block.length) port.write(block);
            };
            port.drainHandler(pour);
            pour.run();
        });
        assertThat(end.type()).isEqualTo("bench.failed");
        assertThat(end.data().getString("reason")).isEqualTo("the node answered nonsense");
        assertThat(brokenOff.poll(PATIENCE_S, TimeUnit.SECONDS)).isNotNull();
    }

    @Test
    void aResultThatComesBeforeAllWasSentIsRejected() throws Exception {
        NodeEvent end = measure(port -> {
            port.write(Envelope.measured(1, 1, 1));
            port.end();
        });
        assertThat(end.type()).isEqualTo("bench.failed");
        assertThat(end.data().getString("reason")).isEqualTo("the node ended the stream before its time");
        assertThat(brokenOff.poll(PATIENCE_S, TimeUnit.SECONDS)).isNotNull();
    }
}
