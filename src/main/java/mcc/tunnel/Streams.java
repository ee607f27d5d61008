package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Future;
import java.util.function.Consumer;
import mcc.node.Bus;
import mcc.node.Problem;
import mcc.node.SessionVerticle;
import mcc.node.StreamAccess;
import mcc.node.StreamPort;
import mcc.overlay.Mailbox;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * Opens streams to peers, and takes those that peers open: through the links' {@link StreamAccess}, or by messages on the bus
 * while there is none. Used on one context.
 */
final class Streams {
    private final Bus bus;
    private final Context context;
    private final Consumer<StreamPort> taker;
    private @Nullable StreamAccess access;

    /** @param taker takes the streams that peers open */
    Streams(Bus bus, Context context, Consumer<StreamPort> taker) {
        this.bus = bus;
        this.context = context;
        this.taker = taker;
    }

    /** Follows the links, also when they are started again; completes once the present ones were asked. */
    Future<?> follow() {
        bus.on(Bus.INCOMING, taker);
        bus.on(Bus.STARTED, started -> {
            if (started.mailbox() == Mailbox.LINKS) ask();
        });
        return ask().otherwiseEmpty();
    }

    private Future<StreamAccess> ask() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Streams()).onSuccess(given -> {
            access = given;
            given.serve(context, taker);
        });
    }

    /** Opens one; fails with a {@link Problem}. */
    Future<StreamPort> open(Contact to) {
        StreamAccess access = this.access;
        if (access == null || access.isClosed()) return bus.ask(Bus.SESSION, new SessionVerticle.Query.Open(to));
        try {
            return Future.succeededFuture(access.open(to));
        } catch (Problem p) {
            return Future.failedFuture(p);
        }
    }
}
