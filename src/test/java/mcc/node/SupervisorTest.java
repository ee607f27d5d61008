package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.udp.PacketThread;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A verticle that throws where nothing should is started again, and the node says so meanwhile. */
class SupervisorTest {
    private final BlockingQueue<Context> started = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private Vertx vertx;
    private PacketThread packets;
    private Bus bus;
    private Status status;
    private Supervisor supervisor;
    private volatile boolean mayStart = true;

    private final class Fragile extends VerticleBase {
        @Override
        public Future<?> start() {
            if (!mayStart) return Future.failedFuture("it cannot start yet");
            started.add(context);
            return Future.succeededFuture();
        }
    }

    @BeforeEach
    void start() {
        vertx = Vertx.vertx();
        bus = new Bus(vertx);
        status = new Status("test");
        packets = new PacketThread();
        supervisor = new Supervisor(vertx, packets, bus, status);
        bus.on(Bus.EVENTS, event -> events.add(event.type()));
    }

    @AfterEach
    void stop() {
        Node.await(supervisor.stop(), 10_000);
        Node.await(vertx.close(), 10_000);
        packets.close();
    }

    private Context next() throws InterruptedException {
        Context context = started.poll(30, TimeUnit.SECONDS);
        assertThat(context).as("started").isNotNull();
        return context;
    }

    private void throwOn(Context context) {
        context.runOnContext(_ -> {
            throw new IllegalStateException("a broken invariant");
        });
    }

    @Test
    void whatFailsIsStartedAgain() throws Exception {
        Node.await(supervisor.deploy("fragile", Fragile::new, new DeploymentOptions()), 10_000);
        Context first = next();
        throwOn(first);
        Context second = next();
        assertThat(second).isNotSameAs(first);
        assertThat(events.poll(30, TimeUnit.SECONDS)).isEqualTo("verticle.failed");
        assertThat(events.poll(30, TimeUnit.SECONDS)).isEqualTo("verticle.restarted");
        assertThat(status.problems().encode()).doesNotContain("verticle-fragile");
    }

    @Test
    void whatCannotStartAgainIsTriedUntilItCan() throws Exception {
        Node.await(supervisor.deploy("fragile", Fragile::new, new DeploymentOptions()), 10_000);
        Context first = next();
        mayStart = false;
        throwOn(first);
        assertThat(events.poll(30, TimeUnit.SECONDS)).isEqualTo("verticle.failed");
        assertThat(events.poll(30, TimeUnit.SECONDS))
                .as("the second attempt fails too")
                .isEqualTo("verticle.failed");
        assertThat(status.problems().encode()).contains("verticle-fragile");
        mayStart = true;
        next();
    }
}
