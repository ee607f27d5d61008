package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.core.Id;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.Resident;
import mcc.node.SessionVerticle;
import mcc.node.StreamAccess;
import mcc.node.StreamPort;
import mcc.wire.Contact;
import mcc.wire.pb.TunnelOpened;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many streams of one peer at once. */
class BurstTest {
    /** More than may wait at one address of the bus. */
    private static final int MANY = 2 * Bus.CREDIT;

    private static final Id NOWHERE = new Id(1, 2, 3, 4);

    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final Visitor visitor = new Visitor();

    @TempDir
    Path folder;

    private Rig rig;
    private Node provider;
    private Contact to;

    /** Asks for an endpoint that nobody has, on many streams that it opens all at once. */
    private final class Visitor extends VerticleBase implements Resident {
        private Bus bus;

        @Override
        public Future<?> start() {
            return Future.succeededFuture();
        }

        Future<StreamAccess> access() {
            return bus.ask(Bus.SESSION, new SessionVerticle.Query.Streams());
        }

        void burst(StreamAccess access) {
            context.runOnContext(_ -> {
                for (int i = 0; i < MANY; i++) ask(access.open(to));
            });
        }

        private void ask(StreamPort port) {
            Envelope envelope = new Envelope();
            port.brokenHandler(_ -> answers.add("broken"));
            port.bytesHandler((bytes, length) -> {
                if (envelope.take(bytes, length))
                    answers.add(envelope.answer().getCode().name());
            });
            port.attach(context);
            port.write(Envelope.open(NOWHERE, false, 0));
        }
    }

    @BeforeEach
    void start() {
        rig = new Rig(folder);
        provider = rig.node("provider");
        to = new Contact(
                provider.parts().id(),
                List.of(Address.parse(provider.parts().status().udp().getFirst())));
    }

    @AfterEach
    void end() {
        rig.close();
    }

    private Node user() {
        List<Node.Edge> edges = List.of(parts -> {
            visitor.bus = parts.bus();
            return visitor;
        });
        return rig.node("user", Policy.open(), edges);
    }

    @Test
    void eachStreamOfABurstIsAnswered() throws InterruptedException {
        user();
        visitor.burst(Rig.get(visitor.access()));
        for (int i = 0; i < MANY; i++) {
            assertThat(answers.poll(Rig.PATIENCE_S, TimeUnit.SECONDS)).isEqualTo(TunnelOpened.Code.NOT_HERE.name());
        }
    }

    @Test
    void streamAccessEndsWithItsLinksAndTheNextOnesGiveANewOne() throws InterruptedException {
        Node user = user();
        StreamAccess access = Rig.get(visitor.access());
        user.parts().bus().send(Bus.LINKS, null); // breaks the packet loop's verticle
        Rig.await("the access is closed", access::isClosed);
        Rig.await("there is another", () -> {
            StreamAccess other = Rig.get(visitor.access().otherwise(access));
            return other != access && !other.isClosed();
        });
        visitor.burst(Rig.get(visitor.access()));
        for (int i = 0; i < MANY; i++) {
            assertThat(answers.poll(Rig.PATIENCE_S, TimeUnit.SECONDS)).isEqualTo(TunnelOpened.Code.NOT_HERE.name());
        }
    }
}
