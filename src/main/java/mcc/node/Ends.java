package mcc.node;

import java.util.HashSet;
import java.util.Set;
import java.util.function.BiConsumer;
import mcc.udp.UdpSockets;
import org.jspecify.annotations.Nullable;

/** The ephemeral ends that the session verticle has opened for one verticle: they end with it. For one context. */
final class Ends {
    private final Bus bus;
    private final Set<Integer> open = new HashSet<>();
    private boolean closed;

    Ends(Bus bus) {
        this.bus = bus;
    }

    /** Opens one; tells {@code then} the ticket and the end, or null where there is none. Nothing is told once it is closed. */
    void open(long ticket, boolean v4, BiConsumer<Long, UdpSockets.@Nullable Ephemeral> then) {
        bus.ask(Bus.SESSION, new SessionVerticle.Query.OpenEnd(v4)).onComplete(done -> {
            UdpSockets.Ephemeral end = done.result();
            if (closed) {
                if (end != null) tellToClose(end.number());
                return;
            }
            if (end != null) open.add(end.number());
            then.accept(ticket, end);
        });
    }

    void close(int end) {
        open.remove(end);
        tellToClose(end);
    }

    /** The links were started again: their sockets are gone, and with them all ends. */
    void lost() {
        open.clear();
    }

    void closeAll() {
        closed = true;
        open.forEach(this::tellToClose);
        open.clear();
    }

    private void tellToClose(int end) {
        bus.ask(Bus.SESSION, new SessionVerticle.Query.CloseEnd(end));
    }
}
