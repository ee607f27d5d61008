package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.VerticleBase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.NodeEvent;
import mcc.node.Resident;
import mcc.node.SessionVerticle;
import mcc.node.StreamPort;
import mcc.wire.Contact;
import mcc.wire.pb.TunnelOpened;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real node to which others measure the path: those that may, and as often as they may. */
class MeasuredTest {
    @TempDir
    Path folder;

    private Rig rig;

    @BeforeEach
    void begin() {
        rig = new Rig(folder);
    }

    @AfterEach
    void end() {
        rig.close();
    }

    private static Contact contact(Node node) {
        return new Contact(
                node.parts().id(),
                List.of(Address.parse(node.parts().status().udp().getFirst())));
    }

    /** How a measurement of a second ends. */
    private static NodeEvent measure(Node from, Node to) throws InterruptedException {
        BlockingQueue<NodeEvent> ends = new LinkedBlockingQueue<>();
        from.parts().bus().on(Bus.EVENTS, event -> {
            if (event.type().equals("bench.finished") || event.type().equals("bench.failed")) ends.add(event);
        });
        Rig.get(from.parts().bus().ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Measure(contact(to), 1)));
        NodeEvent end = ends.poll(Rig.PATIENCE_S, TimeUnit.SECONDS);
        assertThat(end).isNotNull();
        return end;
    }

    @Test
    void whoMayNotMeasureIsRefusedAndTheOperatorIsTold() throws Exception {
        Policy others = new Policy(List.of(Grant.of(
                Policy.OPEN,
                new Grant.What.Nodes(),
                new Grant.Whom.Anyone(),
                EnumSet.of(Action.SIGNAL, Action.STORE, Action.RELAY))));
        Node there = rig.node("there", others, List.of(TunnelVerticle::new));
        CompletableFuture<NodeEvent> told = new CompletableFuture<>();
        there.parts().bus().on(Bus.EVENTS, event -> {
            if (event.type().equals("policy.denied")) told.complete(event);
        });
        Node here = rig.node("here");
        NodeEvent end = measure(here, there);
        assertThat(end.type()).isEqualTo("bench.failed");
        NodeEvent denied = told.orTimeout(Rig.PATIENCE_S, TimeUnit.SECONDS).join();
        assertThat(denied.data().getString("action")).isEqualTo("measure");
        assertThat(denied.data().getString("peer")).isEqualTo(here.parts().id().toString());
    }

    @Test
    void whoeverHoldsAsManyAsItMayKeepsNobodyElseOut() throws Exception {
        Node there = rig.node("there");
        Stranger stranger = new Stranger();
        Node silent = rig.node("silent", Policy.open(), List.of(_ -> stranger));
        List<TunnelOpened.Code> codes = new ArrayList<>();
        for (int i = 0; i < Sink.PEER_MAX + 3; i++) codes.add(stranger.measure(silent, there));
        assertThat(codes.subList(0, Sink.PEER_MAX)).containsOnly(TunnelOpened.Code.OK);
        assertThat(codes.subList(Sink.PEER_MAX, codes.size())).containsOnly(TunnelOpened.Code.OVERLOADED);
        assertThat(Rig.counted(there, "tunnel.measure.refused")).isEqualTo(3);
        assertThat(measure(rig.node("here"), there).type()).isEqualTo("bench.finished");
    }

    /** Asks for measurements and sends nothing. */
    static final class Stranger extends VerticleBase implements Resident {
        TunnelOpened.Code measure(Node from, Node to) throws InterruptedException {
            Context home = context;
            StreamPort port = Rig.get(from.parts().bus().ask(Bus.SESSION, new SessionVerticle.Query.Open(contact(to))));
            Envelope envelope = new Envelope();
            BlockingQueue<TunnelOpened> answers = new LinkedBlockingQueue<>();
            home.runOnContext(_ -> {
                port.bytesHandler((bytes, length) -> {
                    if (envelope.take(bytes, length)) answers.add(envelope.answer());
                });
                port.attach(home);
                port.write(Envelope.measure());
            });
            TunnelOpened answer = answers.poll(Rig.PATIENCE_S, TimeUnit.SECONDS);
            assertThat(answer).isNotNull();
            return answer.getCode();
        }
    }
}
