package mcc.tunnel;

import io.vertx.core.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.tun.InnerAddress;
import org.jspecify.annotations.Nullable;

/**
 * The far end of what goes to the endpoints of this host at their own addresses: a listener for each, that leads to its app.
 * All are at one address that no app is offered at, on ports that the system chose, and no app of this host registered: so
 * none has a port that an app wants. The virtual interface leads here whom its gate let in ({@link mcc.tun.Redirect}).
 */
final class Hosted {
    /** Connections and flows that pass here at a time. */
    private static final int OPEN_MAX = 10_000;

    private static final class Door {
        final Registration app;
        boolean opening;
        boolean gone;
        TcpSocket.@Nullable Listener listener;

        @Nullable
        UdpForward forward;

        /** 0 while there is none. */
        int port() {
            if (forward != null) return forward.address().getPort();
            return listener == null ? 0 : listener.address().getPort();
        }

        Door(Registration app) {
            this.app = app;
        }

        void close() {
            gone = true;
            if (listener != null) listener.close();
            if (forward != null) forward.close();
        }
    }

    private final Sockets sockets;
    private final InnerAddress desk;
    private final long udpIdleMs;
    private final Splice.Meter meter;
    private final Counters counters;
    private final Consumer<Map<Id, Integer>> told;
    private final Map<Id, Door> doors = new LinkedHashMap<>();
    /** Whose connections pass here, by the address that each comes from. */
    private final Shares<InetAddress, TcpSocket> connections = new Shares<>(OPEN_MAX);

    private int flows;

    /** @param told hears at which ports it listens, by endpoint: at each change, and once a second */
    Hosted(Sockets sockets, InnerAddress desk, long udpIdleMs, Splice.Meter meter, Consumer<Map<Id, Integer>> told) {
        this.sockets = sockets;
        this.desk = desk;
        this.udpIdleMs = udpIdleMs;
        this.meter = meter;
        this.told = told;
        counters = sockets.counters();
    }

    /** Opens what is missing, closes what is gone or in an app's way; to be called once a second. */
    void second(long nowNs, Collection<Registry.LocalView> registrations) {
        Map<Id, Registration> wanted = new LinkedHashMap<>();
        Set<Integer> ports = new HashSet<>();
        for (Registry.LocalView view : registrations) {
            wanted.put(view.endpoint(), view.registration());
            ports.add(view.registration().port());
        }
        doors.entrySet().removeIf(entry -> {
            Door door = entry.getValue();
            if (door.app.equals(wanted.get(entry.getKey())) && !ports.contains(door.port())) return false;
            door.close();
            return true;
        });
        wanted.forEach((endpoint, app) -> {
            Door door = doors.computeIfAbsent(endpoint, _ -> new Door(app));
            if (door.forward != null) door.forward.expire(nowNs);
            if (door.opening || door.listener != null || door.forward != null) return;
            door.opening = true;
            open(door, endpoint).onComplete(done -> {
                door.opening = false;
                if (done.failed()) counters.add("tunnel.hosted.failed");
                if (door.gone) door.close();
                else told.accept(ports());
            });
        });
        told.accept(ports()); // though nothing changed: who hears it may have begun anew
    }

    /** The ports at which it listens, by endpoint. */
    private Map<Id, Integer> ports() {
        Map<Id, Integer> out = new LinkedHashMap<>();
        doors.forEach((endpoint, door) -> {
            if (door.port() > 0) out.put(endpoint, door.port());
        });
        return out;
    }

    void close() {
        for (Door door : doors.values()) door.close();
    }

    private Future<?> open(Door door, Id endpoint) {
        InetSocketAddress at;
        try {
            at = new InetSocketAddress(InetAddress.getByAddress(desk.bytes()), 0);
        } catch (UnknownHostException e) {
            return Future.failedFuture(e);
        }
        String name = "endpoint " + endpoint.shortText();
        if (door.app.isUdp()) {
            long idleNs = 1_000_000 * (door.app.idleMs() > 0 ? door.app.idleMs() : udpIdleMs);
            return UdpForward.listen(sockets, Descriptors.Side.HOSTED, at, name, idleNs, new Owner(door.app))
                    .onSuccess(forward -> door.forward = forward);
        }
        return sockets.listen(Descriptors.Side.HOSTED, at, name, socket -> accept(door.app, endpoint, socket))
                .onSuccess(listener -> door.listener = listener);
    }

    private void accept(Registration app, Id endpoint, TcpSocket user) {
        InetAddress from = user.remote().getAddress();
        if (!connections.hasRoom(from)) {
            counters.add("tunnel.hosted.refused");
            user.abort();
            return;
        }
        TcpSocket gone = connections.add(from, user);
        if (gone != null) gone.abort();
        Runnable leave = () -> connections.remove(user);
        sockets.connect(Descriptors.Side.HOSTED, app, endpoint, user)
                .onSuccess(socket -> {
                    Splice.Meter counted = sockets.idle(app.idleMs(), user::abort, new Counted(leave));
                    LocalSplice.join(user, socket, counted);
                })
                .onFailure(_ -> {
                    leave.run();
                    user.abort();
                });
    }

    /** As at any provider, what the app sends counts as sent. */
    private class Counted implements Splice.Meter {
        private final Runnable leave;

        Counted(Runnable leave) {
            this.leave = leave;
        }

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
            leave.run();
            meter.done(broken);
        }
    }

    private final class Owner extends Counted implements UdpForward.Owner {
        private final Registration app;

        Owner(Registration app) {
            super(() -> flows--);
            this.app = app;
        }

        @Override
        public boolean mayOpen() {
            return flows < OPEN_MAX;
        }

        @Override
        public Future<? extends FlowEnd> open() {
            return sockets.connectUdp(Descriptors.Side.HOSTED, app);
        }

        @Override
        public void opened() {
            flows++;
        }

        @Override
        public void silent(FlowEnd end) {} // an app of this host never is

        @Override
        public void over(@Nullable FlowEnd end, boolean broken) {
            done(broken);
        }
    }
}
