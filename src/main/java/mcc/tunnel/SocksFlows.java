package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One UDP association of a SOCKS5 client (RFC 1928 section 7): a UDP port for that client alone, and a flow for each service
 * that it names. It lives as long as the client's connection.
 *
 * <p>Only datagrams from the client's own address are taken, and only from one port: the one that it named, otherwise the one
 * of the first datagram. Limits: {@link #ASSOCIATIONS_MAX} of a node, {@link #FLOWS_MAX} flows in each. Fragments are dropped,
 * as the RFC allows.
 */
final class SocksFlows {
    static final int ASSOCIATIONS_MAX = 256;
    static final int FLOWS_MAX = 64;

    /** A service as the client names it. */
    private record Named(String name, int port) {}

    private final Sockets sockets;
    private final InetAddress client;
    private final UdpFlows<Named> flows;
    private final long timer;
    private final Vertx vertx;
    private int port;
    private UdpSocket.@Nullable Listener listener;

    /**
     * How flows are opened, and when they end.
     *
     * @param suspect is told of a far end that failed or is silent, so that another one is opened next
     * @param idleMs after so long without a datagram a flow is over
     */
    record Setup(Socks.Opener<UdpSocket> opener, Consumer<FlowEnd> suspect, long idleMs) {}

    private SocksFlows(Vertx vertx, Sockets sockets, Setup setup, InetAddress client, int port) {
        this.vertx = vertx;
        this.sockets = sockets;
        this.client = client;
        this.port = port;
        long idleNs = setup.idleMs * 1_000_000;
        flows = new UdpFlows<>(
                vertx, FLOWS_MAX, idleNs, Named::name, new Owner(setup), this::answer, sockets.counters());
        timer = vertx.setPeriodic(500, _ -> {
            flows.expire(System.nanoTime());
            flows.watch(System.nanoTime());
        });
    }

    /**
     * Opens an association.
     *
     * @param port the port from which the client will send; 0 if it does not know yet
     */
    static Future<SocksFlows> open(Vertx vertx, Sockets sockets, Setup setup, TcpSocket client, int port) {
        InetAddress from = client.remote().getAddress();
        SocksFlows made = new SocksFlows(vertx, sockets, setup, from, port);
        InetSocketAddress at = new InetSocketAddress(client.local().getAddress(), 0);
        return sockets.listenUdp(Descriptors.Side.USER, at, "the SOCKS5 proxy", made::onDatagram)
                .map(listener -> {
                    made.listener = listener;
                    return made;
                })
                .onFailure(_ -> made.close());
    }

    /** The address to which the client is to send. */
    InetSocketAddress address() {
        if (listener == null) throw new IllegalStateException("not listening");
        return listener.address();
    }

    void close() {
        vertx.cancelTimer(timer);
        if (listener != null) listener.close();
        flows.close();
    }

    private void onDatagram(InetSocketAddress from, byte[] bytes) {
        SocksDatagram datagram = SocksDatagram.parse(bytes);
        boolean mine = from.getAddress().equals(client) && (port == 0 || port == from.getPort());
        if (!mine || datagram == null) {
            sockets.counters().add(mine ? "tunnel.socks.malformed" : "tunnel.socks.stranger");
            return;
        }
        port = from.getPort();
        flows.send(new Named(datagram.name(), datagram.port()), datagram.bytes());
    }

    private void answer(Named named, byte[] datagram) {
        if (listener == null) return;
        listener.send(new InetSocketAddress(client, port), SocksDatagram.from(named.name(), named.port(), datagram));
    }

    private final class Owner implements UdpFlows.Owner<Named> {
        private final Setup setup;

        Owner(Setup setup) {
            this.setup = setup;
        }

        @Override
        public boolean mayOpen() {
            return true; // the limit of the association is enough
        }

        @Override
        public Future<? extends FlowEnd> open(Named named) {
            Target target = Names.parse(named.name());
            if (target == null) return Future.failedFuture("no service has that name");
            return setup.opener
                    .open(target, Wanted.exactly(named.port()))
                    .map(opened -> FlowStream.end(opened.way(), sockets.counters()));
        }

        @Override
        public void opened() {}

        @Override
        public void sent(int bytes) {}

        @Override
        public void received(int bytes) {}

        @Override
        public void silent(FlowEnd end) {
            setup.suspect.accept(end);
        }

        @Override
        public void over(@Nullable FlowEnd end, boolean broken) {
            if (end != null && broken) setup.suspect.accept(end);
        }
    }
}
