package mcc.node;

import io.vertx.core.Context;
import java.util.function.Consumer;
import mcc.wire.Contact;

/**
 * How a {@link Resident} opens and accepts streams without a bus message for each. It is asked for once
 * ({@link SessionVerticle.Query.Streams}) and belongs to the links that run then; after a restart of the links, a new one is
 * needed.
 */
public final class StreamAccess {
    private final StreamHub hub;

    StreamAccess(StreamHub hub) {
        this.hub = hub;
    }

    /** Whether its links have ended. */
    public boolean isClosed() {
        return hub.isClosed();
    }

    /**
     * Opens a stream; what is written waits for the session.
     *
     * @throws Problem if no stream can be opened
     */
    public StreamPort open(Contact to) {
        return hub.openFor(to);
    }

    /** Passes each stream that a peer opens to a taker, on this context of the packet loop, until its verticle ends. */
    public void serve(Context context, Consumer<StreamPort> taker) {
        hub.serve(context, taker);
    }
}
