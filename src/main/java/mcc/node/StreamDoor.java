package mcc.node;

import io.vertx.core.Context;
import java.util.function.Consumer;
import mcc.wire.Contact;

/**
 * How a {@link Resident} opens and takes streams without a message on the bus for each. Asked for once
 * ({@link SessionVerticle.Query.Door}) of the links that run now; those that come after them give another.
 */
public final class StreamDoor {
    private final StreamHub hub;

    StreamDoor(StreamHub hub) {
        this.hub = hub;
    }

    /** Whether the links are no more. */
    public boolean isClosed() {
        return hub.isClosed();
    }

    /**
     * Opens a stream: what is written waits for the session.
     *
     * @throws Problem where there can be none
     */
    public StreamPort open(Contact to) {
        return hub.openFor(to);
    }

    /** Hands each stream that a peer opens to a taker, on this context of the packet loop, until its verticle ends. */
    public void serve(Context context, Consumer<StreamPort> taker) {
        hub.serve(context, taker);
    }
}
