package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.link.LinkInput;
import mcc.link.PacketSink;
import mcc.nat.Nat;
import mcc.udp.UdpSockets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** NAT detection between the sockets and the links: which ends it opens, and that it closes them. */
class NatVerticleTest {
    private static final Address HERE = Address.parse("192.0.2.1:9376");
    private static final int END = PacketSink.EPHEMERAL + 3;

    private final Vertx vertx = Vertx.vertx();
    private final Bus bus = new Bus(vertx);
    private final BlockingQueue<LinkInput> links = new LinkedBlockingQueue<>();
    private final BlockingQueue<Integer> closed = new LinkedBlockingQueue<>();
    private boolean opens = true;

    @BeforeEach
    void standInForTheSockets() {
        bus.on(Bus.LINKS, links::add);
        bus.serve(Bus.SESSION, query -> switch (query) {
            case SessionVerticle.Query.Listening q -> q.reply(List.of(HERE));
            case SessionVerticle.Query.OpenEnd q ->
                opens
                        ? q.reply(new UdpSockets.Ephemeral(END, Address.parse("192.0.2.1:40000")))
                        : Ask.Reply.failed(new Problem("overloaded", "no end", "wait"));
            case SessionVerticle.Query.CloseEnd q -> {
                closed.add(q.number());
                yield q.reply(new Ask.Done());
            }
            default -> throw new AssertionError(query);
        });
    }

    @AfterEach
    void stop() {
        Node.await(vertx.close(), 10_000);
    }

    private String deploy() {
        return Node.await(vertx.deployVerticle(new NatVerticle(bus, "mcc0", Rng.seeded(4))), 30_000);
    }

    private void meet() {
        for (int i = 0; i < 5; i++) {
            Address at = Address.v4(0x20000001 + (i << 16), 9_376);
            Id peer = new Id(i, 1, 2, 3);
            bus.send(Bus.NAT_CORE, new Nat.Input.Up(peer, at));
            bus.send(Bus.NAT_CORE, new Nat.Input.Observed(peer, at, HERE, 0, 0));
        }
    }

    private <T extends LinkInput> T next(Class<T> type) throws InterruptedException {
        for (LinkInput each; (each = links.poll(60, TimeUnit.SECONDS)) != null; ) {
            if (type.isInstance(each)) return type.cast(each);
        }
        throw new AssertionError("no " + type);
    }

    @Test
    void itOpensAnEndAsksOnePeerFromItAndClosesItWhenItEnds() throws InterruptedException {
        String deployed = deploy();
        next(LinkInput.Tell.class);
        meet();
        LinkInput.Probe echo = next(LinkInput.Probe.class);
        assertThat(echo.kind()).isEqualTo(LinkInput.Probe.Kind.ECHO);
        assertThat(echo.local()).isEqualTo(END);
        Node.await(vertx.undeploy(deployed), 30_000);
        assertThat(closed.poll(60, TimeUnit.SECONDS)).isEqualTo(END);
        deploy();
        next(LinkInput.Tell.class);
        meet();
        assertThat(next(LinkInput.Probe.class).nonce()).as("it begins anew").isNotZero();
    }

    @Test
    void withoutAnEndItGoesOn() throws InterruptedException {
        opens = false;
        deploy();
        meet();
        next(LinkInput.Tell.class);
        bus.send(
                Bus.NAT_CORE,
                new Nat.Input.Asked(new Id(0, 1, 2, 3), HERE, 7, new mcc.wire.Message.DialBack(HERE, 5, false)));
        assertThat(next(LinkInput.Reply.class).call()).isEqualTo(7);
    }

    @Test
    void aCheckIsRefusedWhereItCannotHelpAndWhileOneRuns() throws InterruptedException {
        deploy();
        next(LinkInput.Tell.class);
        assertThat(refusal()).isEqualTo("conflict: a check needs two peers");
        meet();
        next(LinkInput.Probe.class);
        assertThat(refusal()).isEqualTo("conflict: a check is under way");
    }

    private String refusal() {
        try {
            Node.await(bus.ask(Bus.NAT, new NatVerticle.Query.Check()), 30_000);
            return "none";
        } catch (Problem problem) {
            return problem.code() + ": " + problem.getMessage().split(" at different")[0];
        }
    }
}
