package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import mcc.punch.Punch;
import mcc.punch.PunchReport;
import mcc.udp.UdpSockets;
import org.jspecify.annotations.Nullable;

/** Hosts {@link Punch}. */
public final class PunchVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        /** What was done to reach a peer without a relay. */
        record Report(Id peer) implements Query, Ask<PunchReport> {}

        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    private final Bus bus;
    private final Counters counters = new Counters();
    private final Punch punch;
    private final Ends ends;
    private @Nullable CoreHost<Punch.Input, Punch.Output> host;

    PunchVerticle(Bus bus, Id self, Rng rng) {
        this.bus = bus;
        punch = new Punch(self, rng, counters);
        ends = new Ends(bus);
    }

    @Override
    public Future<?> start() {
        CoreHost<Punch.Input, Punch.Output> made = new CoreHost<>(vertx, punch, new Punch.Input.Tick(), this::deliver);
        host = made;
        bus.on(Bus.PUNCH_CORE, made::handle);
        bus.serve(Bus.PUNCH, this::onQuery);
        bus.on(Bus.STARTED, started -> {
            if (started.mailbox() == Mailbox.LINKS) ends.lost();
        });
        Deliveries.post(bus, Wiring.started(Mailbox.PUNCH));
        return Future.succeededFuture();
    }

    private void deliver(Punch.Output output) {
        switch (output) {
            case Punch.Output.OpenEnd o -> ends.open(o.ticket(), o.v4(), this::opened);
            case Punch.Output.CloseEnd o -> ends.close(o.end());
            case Punch.Output.Ask _, Punch.Output.Reply _, Punch.Output.Challenge _, Punch.Output.Echo _ ->
                Deliveries.post(bus, Wiring.route(output));
        }
    }

    private void opened(long ticket, UdpSockets.@Nullable Ephemeral end) {
        CoreHost<Punch.Input, Punch.Output> host = this.host;
        if (host == null) return;
        host.handle(
                end == null
                        ? new Punch.Input.NotOpened(ticket)
                        : new Punch.Input.Opened(ticket, end.number(), end.local()));
    }

    private Ask.Reply onQuery(Query query) {
        return switch (query) {
            case Query.Report q -> q.reply(punch.report(q.peer()));
            case Query.Counts q -> q.reply(counters.snapshot());
        };
    }

    @Override
    public Future<?> stop() {
        if (host != null) host.close();
        host = null;
        ends.closeAll();
        return Future.succeededFuture();
    }
}
