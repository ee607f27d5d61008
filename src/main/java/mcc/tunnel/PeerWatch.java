package mcc.tunnel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Counters;
import mcc.node.StreamPort;

/**
 * The users' connections that peers carry: one whose peer was silent for longer than the operator is patient is ended, so that
 * its program can try again while others provide. Limit: there are no more than connections.
 */
final class PeerWatch {
    private final Map<StreamPort, TcpSocket> all = new LinkedHashMap<>();
    private final long patienceNs;
    private final Counters.Counter lost;

    /** @param patienceNs 0 for as long as the link itself has hope */
    PeerWatch(long patienceNs, Counters counters) {
        this.patienceNs = patienceNs;
        lost = counters.of("tunnel.peer.lost");
    }

    void add(StreamPort port, TcpSocket socket) {
        if (patienceNs == 0) return;
        all.put(port, socket);
        socket.onClose(() -> all.remove(port));
    }

    /** Ends what lasts too long; to be called some times a second. */
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
