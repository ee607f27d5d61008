package mcc.tunnel;

/** The connections of one TCP forward: each is led to a provider and joined with a stream. */
final class ForwardConnections {
    private static final byte[] NOTHING = new byte[0];

    private final Sockets sockets;
    private final Tunnel tunnel;
    private final Ways ways;
    private final UserApps apps;
    private final PeerWatch peers;
    private final Forwards forwards;

    ForwardConnections(Sockets sockets, Tunnel tunnel, Ways ways, UserApps apps, PeerWatch peers, Forwards forwards) {
        this.sockets = sockets;
        this.tunnel = tunnel;
        this.ways = ways;
        this.apps = apps;
        this.peers = peers;
        this.forwards = forwards;
    }

    void accept(TcpSocket socket) {
        var client = socket.remote().getAddress();
        if (!tunnel.sockets.hasRoom(client)) {
            tunnel.refused++;
            socket.abort();
            return;
        }
        tunnel.connections++;
        tunnel.connectionsTotal++;
        TcpSocket gone = tunnel.sockets.add(client, socket);
        if (gone != null) gone.abort();
        socket.onClose(() -> tunnel.sockets.remove(socket));
        long startedNs = System.nanoTime();
        ways.open(tunnel.target, apps.tcp(), tunnel.wanted()).onComplete(done -> {
            if (done.failed()) {
                forwards.refused(tunnel, done.cause());
                tunnel.done(true);
                socket.abort();
                return;
            }
            forwards.carried(tunnel, done.result(), startedNs);
            join(peers, socket, done.result().way(), NOTHING, sockets.idle(tunnel.idleMs, socket::abort, tunnel));
        });
    }

    /**
     * Joins a local program's connection with the stream that was opened for it.
     *
     * @param early bytes that were read from it before
     */
    static void join(PeerWatch peers, TcpSocket socket, Opening.Way<TcpSocket> way, byte[] early, Splice.Meter meter) {
        if (early.length > 0) meter.sent(early.length);
        switch (way) {
            case Opening.Way.Here<TcpSocket> here -> {
                here.socket().write(early, early.length);
                here.socket().flush();
                LocalSplice.join(socket, here.socket(), meter);
            }
            case Opening.Way.Remote<TcpSocket> remote -> {
                if (early.length > 0) remote.port().write(early);
                byte[] first = remote.first().toArray();
                if (first.length > 0) {
                    meter.received(first.length);
                    socket.write(first, first.length);
                    socket.flush();
                }
                Splice.join(socket, remote.port(), meter);
                peers.add(remote.port(), socket);
            }
        }
    }
}
