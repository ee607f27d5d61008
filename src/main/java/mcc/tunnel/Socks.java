package mcc.tunnel;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import mcc.core.Counters;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * The SOCKS5 proxy (RFC 1928): CONNECT to {@code name.org.mcc} reaches that service by TCP, UDP ASSOCIATE by UDP
 * ({@link SocksFlows}); everything else is refused, so that it cannot be used to reach other networks.
 *
 * <p>A client: greeting → asking → opening → joined; or associated, as long as its connection lasts; or refused. It has
 * {@link #HANDSHAKE_MS} until its request is whole. Limits: {@link #CLIENTS_MAX} clients, of which the address with the most
 * gives one up ({@link Shares}); {@link #GREETING_MAX} that have not said what they want, of which the oldest gives way.
 */
final class Socks {
    /** Opens a way to what a client names. */
    @FunctionalInterface
    interface Opener<S> {
        Future<Opening.Opened<S>> open(Target target, Wanted port);
    }

    /** RFC 1928 section 6. */
    private static final int OK = 0;

    private static final int FAILED = 1;
    private static final int NOT_ALLOWED = 2;
    private static final int HOST_UNREACHABLE = 4;
    private static final int REFUSED = 5;
    private static final int COMMAND_UNSUPPORTED = 7;
    private static final int NO_METHOD = 0xff;

    private static final int HTTP = 80;
    private static final int HTTPS = 443;

    static final int CLIENTS_MAX = 10_000;
    static final int GREETING_MAX = 1_024;
    static final long HANDSHAKE_MS = 10_000;
    /** How long a refused client may take to hear so. */
    private static final long LINGER_MS = 2_000;

    private static final InetSocketAddress NOWHERE = new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0);

    private static final Splice.Meter UNCOUNTED = new Splice.Meter() {
        @Override
        public void sent(int bytes) {}

        @Override
        public void received(int bytes) {}

        @Override
        public void done(boolean broken) {}
    };

    private final Vertx vertx;
    private final Sockets sockets;
    private final Opener<TcpSocket> tcp;
    private final PeerWatch peers;
    private final SocksFlows.Setup udp;
    private final Counters counters;
    private final Shares<InetAddress, TcpSocket> clients = new Shares<>(CLIENTS_MAX);
    private final HalfOpen<InetAddress, Client> greeting = new HalfOpen<>(GREETING_MAX, GREETING_MAX / 2);
    private int associations;

    Socks(Vertx vertx, Sockets sockets, Opener<TcpSocket> tcp, PeerWatch peers, SocksFlows.Setup udp) {
        this.vertx = vertx;
        this.sockets = sockets;
        this.tcp = tcp;
        this.peers = peers;
        this.udp = udp;
        counters = sockets.counters();
    }

    Future<TcpSocket.Listener> listen(InetSocketAddress at) {
        return sockets.listen(Descriptors.Side.USER, at, "the SOCKS5 proxy", this::accept);
    }

    private void accept(TcpSocket socket) {
        InetAddress from = socket.remote().getAddress();
        if (greeting.isFull(from) || !clients.hasRoom(from)) {
            counters.add("tunnel.socks.refused");
            socket.abort();
            return;
        }
        TcpSocket other = clients.add(from, socket);
        if (other != null) other.abort();
        socket.onClose(() -> clients.remove(socket));
        Client client = new Client(socket);
        Client oldest = greeting.add(from, client);
        if (oldest != null) {
            counters.add("tunnel.socks.evicted");
            oldest.socket.abort();
        }
        client.begin();
    }

    private final class Client implements TcpSocket.Handler {
        private final TcpSocket socket;
        private final SocksReader reader = new SocksReader();
        private boolean asked;
        private boolean refused;
        private long timer;
        private @Nullable SocksFlows flows;

        Client(TcpSocket socket) {
            this.socket = socket;
        }

        void begin() {
            timer = vertx.setTimer(HANDSHAKE_MS, _ -> {
                counters.add("tunnel.socks.late");
                socket.abort();
            });
            socket.start(this);
        }

        @Override
        public void onData(byte[] bytes, int length) {
            if (refused || flows != null) return; // nothing more is expected
            reader.take(bytes, length);
            for (SocksReader.Said said; !asked && !refused && (said = reader.next()) != null; ) {
                switch (said) {
                    case SocksReader.Said.Hello hello -> {
                        int method = hello.withoutPassword() ? 0 : NO_METHOD;
                        say((byte) SocksReader.VERSION, (byte) method);
                        if (method != 0) hangUp();
                    }
                    case SocksReader.Said.Wish wish -> ask(wish);
                    case SocksReader.Said.Nonsense _ -> {
                        counters.add("tunnel.socks.malformed");
                        socket.abort();
                        refused = true;
                    }
                }
            }
        }

        private void ask(SocksReader.Said.Wish wish) {
            asked = true;
            socket.pause();
            settled();
            switch (wish.command()) {
                case SocksReader.CONNECT -> connect(wish);
                case SocksReader.ASSOCIATE -> associate(wish);
                default -> refuse(COMMAND_UNSUPPORTED);
            }
        }

        /** The client has said what it wants, or will not say it any more. */
        private void settled() {
            vertx.cancelTimer(timer);
            greeting.remove(this);
        }

        private void connect(SocksReader.Said.Wish wish) {
            Target target = wish.name() == null ? null : Names.parse(wish.name());
            if (target == null) {
                refuse(NOT_ALLOWED);
                return;
            }
            tcp.open(target, port(wish))
                    .onSuccess(opened -> {
                        reply(OK, NOWHERE);
                        ForwardConnections.join(peers, socket, opened.way(), reader.rest(), UNCOUNTED);
                    })
                    .onFailure(e -> refuse(code(e)));
        }

        /** Browsers name 80 or 443 when the user named no port; any other port is one that the client wants. */
        private static Wanted port(SocksReader.Said.Wish wish) {
            return new Wanted(wish.port(), wish.port() == HTTP || wish.port() == HTTPS);
        }

        private void associate(SocksReader.Said.Wish wish) {
            if (associations >= SocksFlows.ASSOCIATIONS_MAX) {
                counters.add("tunnel.socks.refused");
                refuse(FAILED);
                return;
            }
            associations++;
            socket.onClose(() -> associations--);
            SocksFlows.open(vertx, sockets, udp, socket, wish.port())
                    .onSuccess(made -> {
                        flows = made;
                        socket.onClose(made::close);
                        reply(OK, made.address());
                        socket.resume();
                    })
                    .onFailure(_ -> refuse(FAILED));
        }

        private void reply(int code, InetSocketAddress bound) {
            byte[] ip = bound.getAddress().getAddress();
            byte[] out = new byte[6 + ip.length];
            out[0] = SocksReader.VERSION;
            out[1] = (byte) code;
            out[3] = (byte) (ip.length == 4 ? SocksReader.IPV4 : SocksReader.IPV6);
            System.arraycopy(ip, 0, out, 4, ip.length);
            out[4 + ip.length] = (byte) (bound.getPort() >>> 8);
            out[5 + ip.length] = (byte) bound.getPort();
            say(out);
        }

        private void refuse(int code) {
            reply(code, NOWHERE);
            hangUp();
        }

        /** Ends this direction, and closes after the client's end: closing at once could lose the reply. */
        private void hangUp() {
            refused = true;
            settled();
            socket.end();
            socket.resume();
            long linger = vertx.setTimer(LINGER_MS, _ -> socket.abort());
            socket.onClose(() -> vertx.cancelTimer(linger));
        }

        private void say(byte... bytes) {
            socket.write(bytes, bytes.length);
            socket.flush();
        }

        /** A client that ends before its request is whole wants nothing more; an association ends with its connection. */
        @Override
        public void onEnd() {
            settled();
            socket.closeAfterWrites();
        }

        @Override
        public void onWritable() {}

        @Override
        public void onClosed() {
            settled();
        }
    }

    private static int code(Throwable e) {
        if (!(e instanceof Problem p)) return HOST_UNREACHABLE;
        return p.code().equals(Opening.REFUSED) ? REFUSED : HOST_UNREACHABLE;
    }
}
