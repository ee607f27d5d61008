package mcc.tunnel;

import io.vertx.core.Future;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A local UDP port that leads somewhere: each client's address is a flow with a far end of its own ({@link UdpFlows}). */
final class UdpForward {
    /** Whose forward it is. */
    interface Owner {
        /** Whether the node has room for one more flow. */
        boolean mayOpen();

        /** Opens the far end of a flow. */
        Future<? extends FlowEnd> open();

        /** A flow begins; {@link #over} is called for each. */
        void opened();

        void sent(int bytes);

        void received(int bytes);

        /** A far end is silent: the next one to be opened should be another. */
        void silent(FlowEnd end);

        /**
         * A flow is over.
         *
         * @param end its far end; null when there never was one
         * @param broken whether it failed
         */
        void over(@Nullable FlowEnd end, boolean broken);
    }

    private final UdpFlows<InetSocketAddress> flows;
    private UdpSocket.@Nullable Listener listener;

    private UdpForward(Sockets sockets, long idleNs, Owner owner) {
        flows = new UdpFlows<>(sockets.vertx(), UdpFlows.FLOWS_MAX, idleNs, new Clients(owner), sockets.counters());
    }

    /** Listens on the context's event loop. */
    static Future<UdpForward> listen(
            Sockets sockets, Descriptors.Side side, InetSocketAddress at, String name, long idleNs, Owner owner) {
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

    /** The bytes that wait for far ends, with what each datagram costs beside. */
    int waitingBytes() {
        return flows.waitingBytes();
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

    private final class Clients implements UdpFlows.Owner<InetSocketAddress> {
        private final Owner owner;

        Clients(Owner owner) {
            this.owner = owner;
        }

        @Override
        public boolean mayOpen() {
            return owner.mayOpen();
        }

        @Override
        public Future<? extends FlowEnd> open(InetSocketAddress client) {
            return owner.open();
        }

        @Override
        public void opened() {
            owner.opened();
        }

        @Override
        public void sent(int bytes) {
            owner.sent(bytes);
        }

        @Override
        public void received(int bytes) {
            owner.received(bytes);
        }

        @Override
        public void answer(InetSocketAddress client, byte[] datagram) {
            if (listener != null) listener.send(client, datagram);
        }

        @Override
        public void silent(FlowEnd end) {
            owner.silent(end);
        }

        @Override
        public void over(@Nullable FlowEnd end, boolean broken) {
            owner.over(end, broken);
        }
    }
}
