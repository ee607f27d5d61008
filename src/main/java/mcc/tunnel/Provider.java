package mcc.tunnel;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import mcc.consortium.Decision;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.node.Bus;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import mcc.node.StreamPort;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.wire.Ports;
import mcc.wire.pb.TunnelOpened;
import org.jspecify.annotations.Nullable;

/**
 * The far end of tunnels: takes a peer's stream, connects to the app that the endpoint names, and answers. A flow of datagrams
 * is a stream with a UDP socket of its own.
 *
 * <p>Limits: {@link #OPEN_MAX} admitted connections and flows; when no more are free, the peer that holds most gives one up
 * ({@link Shares}). Streams that were not admitted yet count apart: {@link #ASKING_PEER_MAX} of one peer, {@link #ASKING_MAX}
 * of all.
 */
final class Provider {
    static final int OPEN_MAX = 10_000;
    /** Streams opened but not yet admitted: of all peers, and of one. */
    private static final int ASKING_MAX = 10_000;

    private static final int ASKING_PEER_MAX = 1_024;
    /** A port of an app that is asked for. */
    private record App(Registry.LocalView view, boolean udp, int port) {
        Registration registration() {
            return view.registration();
        }
    }

    private static final long LOOK_AGAIN_MS = 3_600_000;
    private static final long ENVELOPE_MS = 10_000;

    private final Vertx vertx;
    private final Bus bus;
    private final Sockets sockets;
    private final Admission admission;
    private final Endpoints endpoints;
    private final Splice.Meter meter;
    private final Loads loads;
    private final Counters counters;
    private final Sink sink;
    private final long udpIdleMs;
    private final HalfOpen<Id, Asked> asking = new HalfOpen<>(ASKING_MAX, ASKING_PEER_MAX);
    private final Timeouts envelopes;
    private final Shares<Id, Asked> open;
    private int flows;

    /**
     * @param udpIdleMs after this time without a datagram a flow is over, unless its service says otherwise
     * @param places connections and flows at a time
     */
    Provider(
            Vertx vertx,
            Bus bus,
            Sockets sockets,
            Admission admission,
            Endpoints endpoints,
            Splice.Meter meter,
            Loads loads,
            long udpIdleMs,
            int places) {
        open = new Shares<>(places);
        this.vertx = vertx;
        this.bus = bus;
        this.sockets = sockets;
        this.admission = admission;
        this.endpoints = endpoints;
        this.meter = meter;
        this.loads = loads;
        this.udpIdleMs = udpIdleMs;
        counters = sockets.counters();
        sink = new Sink(vertx, counters);
        envelopes = new Timeouts(vertx, ENVELOPE_MS);
    }

    /** The number of connections and flows that are served now. */
    int open() {
        return open.size();
    }

    /** Flows that are served now. */
    int flows() {
        return flows;
    }

    /** There is a new policy: ends connections and flows that it does not allow; returns how many. */
    int judgeAgain() {
        int ended = 0;
        for (Asked asked : open.all()) {
            App app = asked.app;
            if (app != null && !asked.holdTo(admitted(asked.port, app))) ended++;
        }
        return ended;
    }

    /** The same for measurements. */
    int judgeMeasuresAgain() {
        return sink.judgeAgain(from -> admission.judgeMeasure(from).isAllowed());
    }

    void take(StreamPort port) {
        if (asking.isFull(port.peer())) {
            counters.add("tunnel.asking.refused");
            port.cancel(); // an answer would take memory until the peer chose to acknowledge it
            return;
        }
        Asked asked = new Asked(port);
        Asked oldest = asking.add(port.peer(), asked);
        if (oldest != null) {
            counters.add("tunnel.asking.evicted");
            oldest.drop();
        }
        asked.timeout = envelopes.begin(asked::drop);
        // A user may reset the stream at any moment until it is joined.
        port.brokenHandler(_ -> asked.leave());
        port.bytesHandler((bytes, length) -> {
            boolean whole = asked.envelope.take(bytes, length);
            if (!whole && !asked.envelope.isMalformed()) return;
            asked.inTime();
            port.pause();
            port.bytesHandler(null);
            Id endpoint = whole ? asked.envelope.endpoint() : null;
            if (whole && asked.envelope.isMeasure()) {
                measure(asked);
            } else if (endpoint == null) refuseOpen(asked, TunnelOpened.Code.NOT_HERE, "no such endpoint");
            else find(asked, endpoint);
        });
        port.attach(sockets.context());
    }

    private void measure(Asked asked) {
        StreamPort port = asked.port;
        if (!asked.leave()) return;
        if (!(told(port, "measure", null, admission.judgeMeasure(port.opener())) instanceof Decision.Allowed)) {
            refuse(port, TunnelOpened.Code.NOT_HERE, "this node is not measured by yours");
        } else if (!sink.admits(port.peer())) {
            refuse(port, TunnelOpened.Code.OVERLOADED, "too many measurements are under way, or were lately");
        } else {
            sink.take(port, asked.envelope.rest());
        }
    }

    private void find(Asked asked, Id endpoint) {
        Registry.LocalView view = endpoints.find(endpoint);
        boolean udp = asked.envelope.isDatagrams();
        int wanted = asked.envelope.port();
        int port = view == null ? 0 : view.registration().ports().choose(udp, wanted);
        // Judged by the port that is asked for, even if the app lacks it: so a stranger does not learn which ports
        // there are.
        App app = view == null ? null : new App(view, udp, port == 0 ? wanted : port);
        Decision decision = app == null ? null : judge(asked.port, app);
        // A node that may not use the endpoint gets the same answer as if there were none.
        if (app == null || !(decision instanceof Decision.Allowed allowed)) {
            refuseOpen(asked, TunnelOpened.Code.NOT_HERE, "no such endpoint");
        } else if (port == 0) {
            counters.add("tunnel.port.refused");
            Ports ports = app.registration().ports();
            refuseOpen(asked, TunnelOpened.Code.UPSTREAM, "the service has no such port; it has " + ports);
        } else if (!open.hasRoom(asked.port.peer())) {
            counters.add("tunnel.served.refused");
            refuseOpen(asked, TunnelOpened.Code.OVERLOADED, "too many connections");
        } else {
            asked.letIn(app, allowed);
            if (udp) connectUdp(asked, app);
            else connect(asked, app);
        }
    }

    private Decision judge(StreamPort port, App app) {
        Registration registration = app.registration();
        return told(port, "use", registration.service().toString(), admitted(port, app));
    }

    private Decision admitted(StreamPort port, App app) {
        return admission.judge(port.opener(), app.registration(), app.udp, app.port);
    }

    /** A denial is told to the local operator; the peer learns neither the reason nor that there was a decision. */
    private Decision told(StreamPort port, String action, @Nullable String service, Decision decision) {
        if (decision instanceof Decision.Denied denied) {
            JsonObject data = new JsonObject()
                    .put("peer", port.peer().toString())
                    .put("action", action)
                    .put("service", service)
                    .put(
                            "reason",
                            denied.reason().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .put("ref", denied.ref());
            bus.publish(Bus.EVENTS, new NodeEvent("policy.denied", data));
        }
        return decision;
    }

    private void connect(Asked asked, App app) {
        StreamPort port = asked.port;
        byte[] early = asked.envelope.rest();
        sockets.connect(Descriptors.Side.PROVIDER, app.view, app.port, port.peer())
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
                    Served served = new Served(asked, socket::abort, app);
                    served.lookAgain();
                    Splice.join(socket, port, sockets.idle(app.registration().idleMs(), socket::abort, served));
                })
                .onFailure(e -> refuseOpen(
                        asked, TunnelOpened.Code.UPSTREAM, "the service does not accept: " + Problem.text(e)));
    }

    private void connectUdp(Asked asked, App app) {
        StreamPort port = asked.port;
        byte[] early = asked.envelope.rest();
        sockets.connectUdp(Descriptors.Side.PROVIDER, app.registration(), app.port)
                .onSuccess(socket -> {
                    if (asked.gone) {
                        socket.close(true);
                        return;
                    }
                    counters.add("tunnel.flow.served");
                    // Ready to receive before the answer is sent, because datagrams that come before are lost.
                    new ServedFlow(asked, new FlowStream(port, early, counters), socket, app).begin();
                    port.write(Envelope.opened(TunnelOpened.Code.OK, ""));
                })
                .onFailure(e -> refuseOpen(
                        asked, TunnelOpened.Code.UPSTREAM, "the service cannot be reached: " + Problem.text(e)));
    }

    /** A stream of a peer: asking → admitted, which takes a place → joined to an app; gone from any of these. */
    private final class Asked {
        private final StreamPort port;
        private final Envelope envelope = new Envelope();
        private Timeouts.@Nullable Timeout timeout;
        private boolean gone;
        /** The app to which it was admitted, and until when. */
        private @Nullable App app;

        private long untilMs;
        /** What it was joined to; null before. */
        private @Nullable Served served;

        Asked(StreamPort port) {
            this.port = port;
        }

        /** It has said what it wants, or is gone: ends its time-out. */
        void inTime() {
            if (timeout != null) timeout.cancel();
        }

        void letIn(App app, Decision.Allowed allowed) {
            this.app = app;
            untilMs = allowed.validUntil();
            asking.remove(this);
            Asked other = open.add(port.peer(), this);
            if (other == null) return;
            counters.add("tunnel.served.evicted");
            other.end();
        }

        void end() {
            if (served != null) served.cut.run();
            else drop();
        }

        /** Applies a newer decision; false if that ended it. */
        boolean holdTo(Decision decision) {
            switch (decision) {
                case Decision.Denied _ -> end();
                case Decision.Allowed allowed -> {
                    untilMs = allowed.validUntil();
                    if (served != null) served.lookAgain();
                }
            }
            return decision.isAllowed();
        }

        /** Gives its place back; false if it had none any more. */
        boolean leave() {
            if (gone) return false;
            gone = true;
            inTime();
            asking.remove(this);
            open.remove(this);
            return true;
        }

        void drop() {
            if (leave()) port.cancel();
        }
    }

    /** An admitted flow: a peer's stream and a socket to the app, joined until either ends. */
    private final class ServedFlow {
        private final FlowStream user;
        private final UdpSocket app;
        private final Splice.Meter served;
        private final Served right;
        private boolean over;

        ServedFlow(Asked asked, FlowStream user, UdpSocket app, App service) {
            this.user = user;
            this.app = app;
            right = new Served(asked, () -> end(true), service);
            long ownMs = service.registration().idleMs();
            long idleMs = ownMs > 0 ? ownMs : udpIdleMs;
            served = sockets.idle(idleMs, this::expire, right);
        }

        void begin() {
            flows++;
            app.start(new Half(user, false));
            user.start(new Half(app, true));
            right.lookAgain();
        }

        private void expire() {
            counters.add("tunnel.flow.idle");
            end(false);
        }

        void end(boolean broken) {
            if (over) return;
            over = true;
            flows--;
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

    /** An admitted connection: it lasts no longer than the decision that admitted it, or a renewed one. */
    private final class Served implements Splice.Meter {
        private final Asked asked;
        private final Runnable cut;
        private final App app;
        private long timer = -1;

        Served(Asked asked, Runnable cut, App app) {
            this.asked = asked;
            this.cut = cut;
            this.app = app;
            asked.served = this;
            loads.opened(app.registration().id());
        }

        /** Asks the policy again when the decision expires. */
        void lookAgain() {
            if (timer >= 0) vertx.cancelTimer(timer);
            if (asked.untilMs == Long.MAX_VALUE) return;
            long leftMs = Math.clamp(asked.untilMs - admission.nowMs(), 1, LOOK_AGAIN_MS);
            timer = vertx.setTimer(leftMs, _ -> asked.holdTo(judge(asked.port, app)));
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
            if (timer >= 0) vertx.cancelTimer(timer);
            loads.closed(app.registration().id());
            asked.leave();
            meter.done(broken);
        }
    }

    private void refuseOpen(Asked asked, TunnelOpened.Code code, String detail) {
        if (asked.leave()) refuse(asked.port, code, detail);
    }

    private void refuse(StreamPort port, TunnelOpened.Code code, String detail) {
        port.brokenHandler(_ -> {});
        port.write(Envelope.opened(code, detail));
        port.end();
        port.bytesHandler((_, _) -> {}); // whatever still comes is read and dropped, so that the stream can end
        port.resume();
    }
}
