package mcc.tunnel;

import io.vertx.core.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import mcc.core.Counters;
import mcc.node.Problem;
import mcc.node.SessionVerticle.EndpointPort;
import mcc.node.Status;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.tun.InnerAddress;
import mcc.wire.Ports;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The far end of traffic to this host's endpoints at their own addresses: a listener for each of their ports, which leads to
 * their app. All listen at one address that is no endpoint's, on ports that the system chooses and no app of this host
 * registered, so that none takes a port that an app wants. The virtual interface rewrites packets that its gate let in to these
 * listeners ({@link mcc.tun.Redirect}).
 *
 * <p>Limits: {@link #LISTENERS_MAX} listeners, and a quarter of the sockets that tunnels may have; if there would be more, the
 * first port of each range comes before the others, and a problem says so. {@link #OPEN_MAX} connections and flows.
 */
final class Hosted {
    /** Connections and flows that pass here at a time. */
    static final int OPEN_MAX = 10_000;

    static final int LISTENERS_MAX = 4_096;

    /** The code of the problem while services have more ports than listeners. */
    private static final String TOO_MANY = "endpoint-ports";

    /** Listeners opened in one turn of the loop: some milliseconds. */
    private static final int AT_ONCE = 32;

    private static final Logger LOG = LoggerFactory.getLogger(Hosted.class);

    private static final class Listening {
        final Registration app;
        boolean opening;
        boolean gone;
        TcpSocket.@Nullable Listener listener;

        @Nullable
        UdpForward forward;

        /** The local port at which it listens; 0 while it does not. */
        int port() {
            if (forward != null) return forward.address().getPort();
            return listener == null ? 0 : listener.address().getPort();
        }

        Listening(Registration app) {
            this.app = app;
        }

        void close() {
            gone = true;
            if (listener != null) listener.close();
            if (forward != null) forward.close();
        }
    }

    /** A port of an endpoint whose listener is still to be opened. */
    private record Missing(EndpointPort at, Listening one) {}

    private final Sockets sockets;
    private final Status status;
    private final InnerAddress address;
    private final long udpIdleMs;
    private final Splice.Meter swapped;
    private final Counters counters;
    private final Consumer<Map<EndpointPort, Integer>> told;
    private final int max;
    private final Map<EndpointPort, Listening> listening = new LinkedHashMap<>();
    /** Ports that are to be listened for, in their order. */
    private final ArrayDeque<Missing> missing = new ArrayDeque<>();

    private boolean opening;
    private boolean tooMany;

    /** The connections that pass here, by the address that each comes from. */
    private final Shares<InetAddress, TcpSocket> connections;

    private final Holders<Listening> flows = new Holders<>();
    private final int openMax;

    /**
     * @param openMax how many connections may pass here at a time, and how many flows
     * @param told is told which local port stands for each port of an endpoint: at each change, and once a second
     */
    Hosted(
            Sockets sockets,
            Status status,
            InnerAddress address,
            long udpIdleMs,
            int openMax,
            Splice.Meter meter,
            Consumer<Map<EndpointPort, Integer>> told) {
        max = (int) Math.min(LISTENERS_MAX, sockets.max() / 4);
        this.sockets = sockets;
        this.status = status;
        this.address = address;
        this.udpIdleMs = udpIdleMs;
        this.openMax = openMax;
        connections = new Shares<>(openMax);
        swapped = swapped(meter);
        this.told = told;
        counters = sockets.counters();
    }

    /**
     * Opens listeners that are missing, and closes those no longer wanted or on a port that an app registered; to be called
     * once a second.
     */
    void second(long nowNs, Collection<Registry.LocalView> registrations) {
        Map<EndpointPort, Registration> wanted = wanted(registrations, max);
        int all = 0;
        BitSet ports = new BitSet();
        for (Registry.LocalView view : registrations) {
            for (Ports.Range range : view.registration().ports().ranges()) {
                ports.set(range.first(), range.last() + 1);
                all += range.last() - range.first() + 1;
            }
        }
        tellTooMany(all);
        listening.entrySet().removeIf(entry -> {
            Listening one = entry.getValue();
            if (one.app.equals(wanted.get(entry.getKey())) && !ports.get(one.port())) return false;
            one.close();
            return true;
        });
        wanted.forEach((at, app) -> {
            Listening one = listening.computeIfAbsent(at, _ -> new Listening(app));
            if (one.forward != null) one.forward.expire(nowNs);
            if (one.opening || one.listener != null || one.forward != null) return;
            one.opening = true;
            missing.add(new Missing(at, one));
        });
        if (!opening) openMissing();
        told.accept(ports()); // even if nothing changed: the receiver may have been started again
    }

    private void tellTooMany(int all) {
        boolean before = tooMany;
        tooMany = all > max;
        if (tooMany == before) return;
        if (!tooMany) {
            status.solved(TOO_MANY);
            return;
        }
        Problem problem = tooMany(all, max);
        LOG.warn("{}; {}", problem.detail(), problem.hint());
        status.problem(TOO_MANY, "warning", problem.detail(), String.valueOf(problem.hint()));
    }

    static Problem tooMany(int all, int max) {
        return new Problem(
                TOO_MANY,
                "services of this host have " + all + " ports, of which only " + max
                        + " are open at the services' addresses: packets to the others are dropped",
                "register fewer ports, or start the node with a higher limit of open files; forwards reach all of them");
    }

    /** Opens some at a time, because packets of all links wait meanwhile. */
    private void openMissing() {
        List<Future<?>> some = new ArrayList<>();
        for (Missing next; some.size() < AT_ONCE && (next = missing.poll()) != null; ) {
            Listening one = next.one;
            if (!one.gone) some.add(open(one, next.at).onComplete(done -> opened(one, done.failed())));
        }
        opening = !some.isEmpty();
        if (!opening) return;
        Future.join(some).onComplete(_ -> {
            if (!missing.isEmpty()) {
                sockets.vertx().setTimer(1, _ -> openMissing());
                return;
            }
            opening = false;
            told.accept(ports());
        });
    }

    private void opened(Listening one, boolean failed) {
        one.opening = false;
        if (failed) counters.add("tunnel.hosted.failed");
        if (one.gone) one.close();
    }

    /** The ports to listen for, at most {@code max}; the first port of each range comes before all others. */
    static Map<EndpointPort, Registration> wanted(Collection<Registry.LocalView> registrations, int max) {
        Map<EndpointPort, Registration> out = new LinkedHashMap<>();
        for (boolean rest : new boolean[] {false, true}) {
            for (Registry.LocalView view : registrations) {
                for (Ports.Range range : view.registration().ports().ranges()) {
                    int first = rest ? range.first() + 1 : range.first();
                    int last = rest ? range.last() : range.first();
                    for (int port = first; port <= last && out.size() < max; port++)
                        out.put(new EndpointPort(view.endpoint(), range.isUdp(), port), view.registration());
                }
            }
        }
        return out;
    }

    /** The local port that stands for each port of an endpoint. */
    private Map<EndpointPort, Integer> ports() {
        Map<EndpointPort, Integer> out = new LinkedHashMap<>();
        listening.forEach((at, one) -> {
            if (one.port() > 0) out.put(at, one.port());
        });
        return out;
    }

    void close() {
        for (Listening one : listening.values()) one.close();
    }

    private Future<?> open(Listening one, EndpointPort to) {
        InetSocketAddress at;
        try {
            at = new InetSocketAddress(InetAddress.getByAddress(address.bytes()), 0);
        } catch (UnknownHostException e) {
            return Future.failedFuture(e);
        }
        String name = "endpoint " + to.endpoint().shortText();
        if (to.udp()) {
            long idleNs = 1_000_000 * (one.app.idleMs() > 0 ? one.app.idleMs() : udpIdleMs);
            return UdpForward.listen(sockets, Descriptors.Side.HOSTED, at, name, idleNs, new Owner(one, to.port()))
                    .onSuccess(forward -> one.forward = forward);
        }
        return sockets.listen(Descriptors.Side.HOSTED, at, name, socket -> accept(one.app, to, socket))
                .onSuccess(listener -> one.listener = listener);
    }

    private void accept(Registration app, EndpointPort to, TcpSocket user) {
        InetAddress from = user.remote().getAddress();
        if (!connections.hasRoom(from)) {
            counters.add("tunnel.hosted.refused");
            user.abort();
            return;
        }
        TcpSocket gone = connections.add(from, user);
        if (gone != null) gone.abort();
        user.onClose(() -> connections.remove(user));
        sockets.connect(Descriptors.Side.HOSTED, app, to.port(), to.endpoint(), user)
                .onSuccess(socket -> LocalSplice.join(user, socket, sockets.idle(app.idleMs(), user::abort, swapped)))
                .onFailure(_ -> user.abort());
    }

    /** As at any provider, what the app sends counts as sent. */
    private static Splice.Meter swapped(Splice.Meter meter) {
        return new Splice.Meter() {
            @Override
            public void sent(int bytes) {
                meter.received(bytes);
            }

            @Override
            public void received(int bytes) {
                meter.sent(bytes);
            }

            @Override
            public void done(boolean broken) {
                meter.done(broken);
            }
        };
    }

    /** The listener with most flows loses one to another, so that a crowd at one port leaves room for the others. */
    private boolean giveWay(Listening coming) {
        Listening giver = flows.giver(coming);
        return giver != null && giver.forward != null && giver.forward.giveWay();
    }

    private final class Owner implements UdpFlows.Owner<InetSocketAddress> {
        private final Listening one;
        private final int port;

        Owner(Listening one, int port) {
            this.one = one;
            this.port = port;
        }

        @Override
        public boolean mayOpen() {
            return flows.all() < openMax || giveWay(one);
        }

        @Override
        public Future<? extends FlowEnd> open(InetSocketAddress user) {
            return sockets.connectUdp(Descriptors.Side.HOSTED, one.app, port);
        }

        @Override
        public void opened() {
            flows.add(one);
        }

        @Override
        public void silent(FlowEnd end) {} // an app of this host never is

        @Override
        public void sent(int bytes) {
            swapped.sent(bytes);
        }

        @Override
        public void received(int bytes) {
            swapped.received(bytes);
        }

        @Override
        public void over(@Nullable FlowEnd end, boolean broken) {
            flows.remove(one);
            swapped.done(broken);
        }
    }
}
