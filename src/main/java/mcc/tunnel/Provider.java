package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import mcc.consortium.Decision;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.node.Bus;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import mcc.node.RegistryVerticle;
import mcc.node.StreamPort;
import mcc.registry.Registry;
import mcc.wire.pb.TunnelOpened;
import org.jspecify.annotations.Nullable;

/**
 * The far end of tunnels: takes a peer's stream, connects it to the app that the endpoint names, and says so. A flow of
 * datagrams is a stream with a UDP socket of its own.
 */
final class Provider {
    private static final int CONNECT_MS = 5_000;
    private static final int OPEN_MAX = 10_000;
    private static final long LOOK_AGAIN_MS = 3_600_000;
    private static final long ENVELOPE_MS = 10_000;

    private final Vertx vertx;
    private final Context context;
    private final Bus bus;
    private final Admission admission;
    private final Splice.Meter meter;
    private final Counters counters;
    private final Sink sink;
    private final Flows<ServedFlow, ServedFlow> flows;
    private int open;

    /** @param idleNs after this time without a datagram a flow is over */
    Provider(
            Vertx vertx,
            Context context,
            Bus bus,
            Admission admission,
            Splice.Meter meter,
            long idleNs,
            Counters counters) {
        this.counters = counters;
        flows = new Flows<>(OPEN_MAX, idleNs);
        this.vertx = vertx;
        this.context = context;
        this.bus = bus;
        this.admission = admission;
        this.meter = meter;
        sink = new Sink(vertx);
    }

    /** Connections that are served now, and flows. */
    int open() {
        return open;
    }

    /** Flows that are served now. */
    int flows() {
        return flows.size();
    }

    /** Ends the flows that were not used for long; to be called once a second. */
    void expire(long nowNs) {
        flows.expire(nowNs, flow -> {
            counters.add("tunnel.flow.idle");
            flow.end(false);
        });
    }

    void take(StreamPort port) {
        if (open >= OPEN_MAX) {
            refuse(port, TunnelOpened.Code.OVERLOADED, "too many connections");
            return;
        }
        open++;
        Envelope envelope = new Envelope();
        // A user that lost interest breaks the stream off, at any moment until it is joined.
        AtomicBoolean gone = new AtomicBoolean();
        Runnable leave = () -> {
            if (gone.compareAndSet(false, true)) open--;
        };
        long timer = vertx.setTimer(ENVELOPE_MS, _ -> {
            port.cancel();
            leave.run();
        });
        port.brokenHandler(_ -> {
            vertx.cancelTimer(timer);
            leave.run();
        });
        port.bytesHandler((bytes, length) -> {
            boolean whole = envelope.take(bytes, length);
            if (!whole && !envelope.isMalformed()) return;
            vertx.cancelTimer(timer);
            port.pause();
            port.bytesHandler(null);
            Id endpoint = whole ? envelope.endpoint() : null;
            if (whole && envelope.isMeasure()) {
                leave.run();
                if (sink.isBusy()) refuse(port, TunnelOpened.Code.OVERLOADED, "another measurement is under way");
                else sink.take(port, envelope.rest());
            } else if (endpoint == null) refuseOpen(port, gone, TunnelOpened.Code.NOT_HERE, "no such endpoint");
            else find(port, gone, endpoint, envelope);
        });
        port.attach(context);
    }

    private void find(StreamPort port, AtomicBoolean gone, Id endpoint, Envelope asked) {
        boolean udp = asked.isDatagrams();
        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations()).onComplete(found -> {
            Registry.LocalView view = found.succeeded() ? pick((List<?>) found.result(), endpoint, udp) : null;
            Decision decision = view == null ? null : judge(port, view);
            // A node that may not use it is told what it would be told if it did not exist.
            if (view != null && decision instanceof Decision.Allowed allowed) {
                if (udp) connectUdp(port, gone, view, allowed, asked.rest());
                else connect(port, gone, view, allowed, asked.rest());
            } else refuseOpen(port, gone, TunnelOpened.Code.NOT_HERE, "no such endpoint");
        });
    }

    /** A denial is told to the local operator; the peer learns neither the reason nor that there was a decision. */
    private Decision judge(StreamPort port, Registry.LocalView view) {
        Decision decision = admission.judge(port.peer(), view.registration());
        if (decision instanceof Decision.Denied denied) {
            JsonObject data = new JsonObject()
                    .put("peer", port.peer().toString())
                    .put("action", "use")
                    .put("service", view.registration().service().toString())
                    .put(
                            "reason",
                            denied.reason().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .put("ref", denied.ref());
            bus.publish(Bus.EVENTS, new NodeEvent("policy.denied", data));
        }
        return decision;
    }

    private static Registry.@Nullable LocalView pick(List<?> all, Id endpoint, boolean udp) {
        for (Object each : all) {
            Registry.LocalView view = (Registry.LocalView) each;
            if (view.endpoint().equals(endpoint) && view.registration().isUdp() == udp) return view;
        }
        return null;
    }

    private void connect(
            StreamPort port, AtomicBoolean gone, Registry.LocalView view, Decision.Allowed allowed, byte[] early) {
        String host = view.registration().host();
        int tcp = view.registration().port();
        Hosts.resolve(vertx, host, tcp)
                .compose(at -> TcpSocket.connect(context, at, CONNECT_MS))
                .onSuccess(socket -> {
                    if (gone.get()) {
                        socket.abort();
                        return;
                    }
                    port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
                    if (early.length > 0) {
                        socket.write(early, early.length);
                        socket.flush();
                    }
                    Served served = new Served(socket::abort, port, view);
                    served.holdTo(allowed);
                    Splice.join(socket, port, served);
                })
                .onFailure(e -> refuseOpen(
                        port, gone, TunnelOpened.Code.UPSTREAM, "the service does not accept: " + Problem.text(e)));
    }

    private void connectUdp(
            StreamPort port, AtomicBoolean gone, Registry.LocalView view, Decision.Allowed allowed, byte[] early) {
        Hosts.resolve(vertx, view.registration().host(), view.registration().port())
                .compose(at -> UdpSocket.connect(context, at, counters))
                .onSuccess(socket -> {
                    if (gone.get()) {
                        socket.close(true);
                        return;
                    }
                    counters.add("tunnel.flow.served");
                    // Ready before it says so: what comes earlier than that is lost.
                    new ServedFlow(new FlowStream(port, early, counters), socket, port, view).begin(allowed);
                    port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
                })
                .onFailure(e -> refuseOpen(
                        port, gone, TunnelOpened.Code.UPSTREAM, "the service cannot be reached: " + Problem.text(e)));
    }

    /** One flow that was let in: a peer's stream and a socket to the app, joined until either is over. */
    private final class ServedFlow {
        private final FlowStream user;
        private final UdpSocket app;
        private final Served served;
        private boolean over;

        ServedFlow(FlowStream user, UdpSocket app, StreamPort port, Registry.LocalView view) {
            this.user = user;
            this.app = app;
            served = new Served(() -> end(true), port, view);
        }

        void begin(Decision.Allowed allowed) {
            flows.add(System.nanoTime(), this, this); // as many as there may be streams: none gives way
            app.start(new Half(user, false));
            user.start(new Half(app, true));
            served.holdTo(allowed);
        }

        void end(boolean broken) {
            if (over) return;
            over = true;
            flows.remove(this, this);
            user.close(broken);
            app.close(broken);
            served.done(broken);
        }

        private final class Half implements FlowEnd.Handler {
            private final FlowEnd to;
            private final boolean fromUser;

            Half(FlowEnd to, boolean fromUser) {
                this.to = to;
                this.fromUser = fromUser;
            }

            @Override
            public void onDatagram(byte[] datagram) {
                if (over) return;
                flows.use(System.nanoTime(), ServedFlow.this);
                if (fromUser) served.received(datagram.length);
                else served.sent(datagram.length);
                to.send(datagram);
            }

            @Override
            public void onOver(boolean broken) {
                end(broken);
            }
        }
    }

    /** One connection that was let in: it lasts no longer than the decision that let it in, or another like it. */
    private final class Served implements Splice.Meter {
        private final Runnable cut;
        private final StreamPort port;
        private final Registry.LocalView view;
        private long timer = -1;

        Served(Runnable cut, StreamPort port, Registry.LocalView view) {
            this.cut = cut;
            this.port = port;
            this.view = view;
        }

        void holdTo(Decision decision) {
            switch (decision) {
                case Decision.Denied _ -> cut.run();
                case Decision.Allowed a when a.validUntil() == Long.MAX_VALUE -> {}
                case Decision.Allowed a -> {
                    long leftMs = Math.clamp(a.validUntil() - admission.nowMs(), 1, LOOK_AGAIN_MS);
                    timer = vertx.setTimer(leftMs, _ -> holdTo(judge(port, view)));
                }
            }
        }

        @Override
        public void sent(int bytes) {
            meter.sent(bytes);
        }

        @Override
        public void received(int bytes) {
            meter.received(bytes);
        }

        @Override
        public void done(boolean broken) {
            vertx.cancelTimer(timer);
            open--;
            meter.done(broken);
        }
    }

    private void refuseOpen(StreamPort port, AtomicBoolean gone, TunnelOpened.Code code, String detail) {
        if (!gone.compareAndSet(false, true)) return;
        open--;
        refuse(port, code, detail);
    }

    private void refuse(StreamPort port, TunnelOpened.Code code, String detail) {
        port.brokenHandler(_ -> {});
        port.attach(context);
        port.write(Envelope.opened(code, detail));
        port.end();
        port.bytesHandler((_, _) -> {}); // whatever still comes is read and forgotten, so that the stream can end
        port.resume();
    }
}
