package mcc.tunnel;

import io.vertx.core.Future;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A local UDP port that leads somewhere: each client's address is a flow with a far end of its own ({@link UdpFlows}). */
final class UdpForward {
    private final UdpFlows<InetSocketAddress> flows;
    private UdpSocket.@Nullable Listener listener;

    private UdpForward(Sockets sockets, long idleNs, UdpFlows.Owner<InetSocketAddress> owner) {
        flows = new UdpFlows<>(
                sockets.vertx(),
                UdpFlows.FLOWS_MAX,
                idleNs,
                InetSocketAddress::getAddress,
                owner,
                this::answer,
                sockets.counters());
    }

    /** Listens on the context's event loop. */
    static Future<UdpForward> listen(
            Sockets sockets,
            Descriptors.Side side,
            InetSocketAddress at,
            String name,
            long idleNs,
            UdpFlows.Owner<InetSocketAddress> owner) {
        UdpForward forward = new UdpForward(sockets, idleNs, owner);
        return sockets.listenUdp(side, at, name, forward.flows::send).map(listener -> {
            forward.listener = listener;
            return forward;
        });
    }

    InetSocketAddress address() {
        if (listener == null) throw new IllegalStateException("not listening");
        return listener.address();
    }

    /** The bytes that wait for far ends, with what each datagram costs besides. */
    int waitingBytes() {
        return flows.waitingBytes();
    }

    /** Ends the flow unused for longest; false where there is none. */
    boolean giveWay() {
        return flows.giveWay();
    }

    /** Ends flows that were unused for too long; to be called once a second. */
    void expire(long nowNs) {
        flows.expire(nowNs);
    }

    /** Looks for silent far ends; to be called several times a second. */
    void watch(long nowNs) {
        flows.watch(nowNs);
    }

    void close() {
        if (listener != null) listener.close();
        flows.close();
    }

    private void answer(InetSocketAddress client, byte[] datagram) {
        if (listener != null) listener.send(client, datagram);
    }
}
