package mcc.tunnel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Counters;
import mcc.node.StreamPort;

/**
 * Ends users' connections whose peer has been silent for longer than {@code tunnel.patience}, so that the program can try again
 * by another provider. Limit: there are no more entries than connections.
 */
final class PeerWatch {
    private final Map<StreamPort, TcpSocket> all = new LinkedHashMap<>();
    private final long patienceNs;
    private final Counters.Counter lost;

    /** @param patienceNs how long a peer may be silent; 0 for as long as its link lasts */
    PeerWatch(long patienceNs, Counters counters) {
        this.patienceNs = patienceNs;
        lost = counters.of("tunnel.peer.lost");
    }

    void add(StreamPort port, TcpSocket socket) {
        if (patienceNs == 0) return;
        all.put(port, socket);
        socket.onClose(() -> all.remove(port));
    }

    /** Ends the connections whose peer has been silent for too long; to be called several times a second. */
    void look(long nowNs) {
        List<TcpSocket> gone = new ArrayList<>();
        all.forEach((port, socket) -> {
            if (port.silentNs(nowNs) >= patienceNs) gone.add(socket);
        });
        for (TcpSocket socket : gone) {
            lost.add();
            socket.abort();
        }
    }
}
