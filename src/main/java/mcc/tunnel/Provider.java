package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
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
 *
 * <p>Limits: {@link #OPEN_MAX} connections and flows of those who were let in. Who was not takes no place among them:
 * {@link #ASKING_PEER_MAX} streams of one peer may ask, {@link #ASKING_MAX} of all.
 */
final class Provider {
    private static final int CONNECT_MS = 5_000;
    private static final int OPEN_MAX = 10_000;
    /** Streams whose opener was not let in yet: of all peers, and of one. */
    private static final int ASKING_MAX = 10_000;

    private static final int ASKING_PEER_MAX = 1_024;
    private static final long LOOK_AGAIN_MS = 3_600_000;
    private static final long ENVELOPE_MS = 10_000;

    private final Vertx vertx;
    private final Context context;
    private final Bus bus;
    private final Admission admission;
    private final Splice.Meter meter;
    private final Counters counters;
    private final Sink sink;
    private final Loads loads;
    private final Flows<ServedFlow, ServedFlow> flows;
    private final HalfOpen<Asked> asking = new HalfOpen<>(ASKING_MAX, ASKING_PEER_MAX);
    private int open;

    /** @param idleNs after this time without a datagram a flow is over */
    Provider(
            Vertx vertx,
            Context context,
            Bus bus,
            Admission admission,
            Splice.Meter meter,
            long idleNs,
            Counters counters,
            Loads loads) {
        this.counters = counters;
        this.loads = loads;
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
        if (asking.isFull(port.peer())) {
            counters.add("tunnel.asking.refused");
            port.cancel(); // an answer would be held until the peer likes to acknowledge it
            return;
        }
        Asked asked = new Asked(port);
        Asked oldest = asking.add(port.peer(), asked);
        if (oldest != null) {
            counters.add("tunnel.asking.evicted");
            oldest.drop();
        }
        asked.timer = vertx.setTimer(ENVELOPE_MS, _ -> asked.drop());
        // A user that lost interest breaks the stream off, at any moment until it is joined.
        port.brokenHandler(_ -> asked.leave());
        port.bytesHandler((bytes, length) -> {
            boolean whole = asked.envelope.take(bytes, length);
            if (!whole && !asked.envelope.isMalformed()) return;
            vertx.cancelTimer(asked.timer);
            port.pause();
            port.bytesHandler(null);
            Id endpoint = whole ? asked.envelope.endpoint() : null;
            if (whole && asked.envelope.isMeasure()) {
                asked.leave();
                if (sink.isBusy()) refuse(port, TunnelOpened.Code.OVERLOADED, "another measurement is under way");
                else sink.take(port, asked.envelope.rest());
            } else if (endpoint == null) refuseOpen(asked, TunnelOpened.Code.NOT_HERE, "no such endpoint");
            else find(asked, endpoint);
        });
        port.attach(context);
    }

    private void find(Asked asked, Id endpoint) {
        boolean udp = asked.envelope.isDatagrams();
        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations()).onComplete(found -> {
            if (asked.gone) return;
            Registry.LocalView view = found.succeeded() ? pick(found.result(), endpoint, udp) : null;
            Decision decision = view == null ? null : judge(asked.port, view);
            // A node that may not use it is told what it would be told if it did not exist.
            if (view == null || !(decision instanceof Decision.Allowed allowed)) {
                refuseOpen(asked, TunnelOpened.Code.NOT_HERE, "no such endpoint");
            } else if (open >= OPEN_MAX) {
                refuseOpen(asked, TunnelOpened.Code.OVERLOADED, "too many connections");
            } else {
                asked.letIn();
                if (udp) connectUdp(asked, view, allowed);
                else connect(asked, view, allowed);
            }
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

    private static Registry.@Nullable LocalView pick(List<Registry.LocalView> all, Id endpoint, boolean udp) {
        for (Registry.LocalView view : all) {
            if (view.endpoint().equals(endpoint) && view.registration().isUdp() == udp) return view;
        }
        return null;
    }

    private void connect(Asked asked, Registry.LocalView view, Decision.Allowed allowed) {
        StreamPort port = asked.port;
        byte[] early = asked.envelope.rest();
        Hosts.connect(vertx, context, view.registration(), CONNECT_MS)
                .onSuccess(socket -> {
                    if (asked.gone) {
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
                        asked, TunnelOpened.Code.UPSTREAM, "the service does not accept: " + Problem.text(e)));
    }

    private void connectUdp(Asked asked, Registry.LocalView view, Decision.Allowed allowed) {
        StreamPort port = asked.port;
        byte[] early = asked.envelope.rest();
        Hosts.datagrams(vertx, view.registration())
                .compose(at -> UdpSocket.connect(context, at, counters))
                .onSuccess(socket -> {
                    if (asked.gone) {
                        socket.close(true);
                        return;
                    }
                    counters.add("tunnel.flow.served");
                    // Ready before it says so: what comes earlier than that is lost.
                    new ServedFlow(new FlowStream(port, early, counters), socket, port, view).begin(allowed);
                    port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
                })
                .onFailure(e -> refuseOpen(
                        asked, TunnelOpened.Code.UPSTREAM, "the service cannot be reached: " + Problem.text(e)));
    }

    /** A stream of a peer until it is joined to an app: asking → let in, which counts among the open; gone from either. */
    private final class Asked {
        private final StreamPort port;
        private final Envelope envelope = new Envelope();
        private long timer = -1;
        private boolean isIn;
        private boolean gone;

        Asked(StreamPort port) {
            this.port = port;
        }

        void letIn() {
            asking.remove(this);
            isIn = true;
            open++;
        }

        /** It counts no more; false where it did not before. */
        boolean leave() {
            if (gone) return false;
            gone = true;
            vertx.cancelTimer(timer);
            if (isIn) open--;
            else asking.remove(this);
            return true;
        }

        void drop() {
            if (leave()) port.cancel();
        }
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
            loads.opened(view.registration().id());
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
            loads.closed(view.registration().id());
            meter.done(broken);
        }
    }

    private void refuseOpen(Asked asked, TunnelOpened.Code code, String detail) {
        if (asked.leave()) refuse(asked.port, code, detail);
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
