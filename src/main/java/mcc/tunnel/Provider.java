package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import mcc.consortium.Decision;
import mcc.core.Id;
import mcc.node.Bus;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import mcc.node.RegistryVerticle;
import mcc.node.StreamPort;
import mcc.registry.Registry;
import mcc.wire.pb.TunnelOpened;
import org.jspecify.annotations.Nullable;

/** The far end of tunnels: takes a peer's stream, connects it to the app that the endpoint names, and says so. */
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
    private final Sink sink;
    private int open;

    Provider(Vertx vertx, Context context, Bus bus, Admission admission, Splice.Meter meter) {
        this.vertx = vertx;
        this.context = context;
        this.bus = bus;
        this.admission = admission;
        this.meter = meter;
        sink = new Sink(vertx);
    }

    /** Connections that are served now. */
    int open() {
        return open;
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
        port.exceptionHandler(_ -> {
            vertx.cancelTimer(timer);
            leave.run();
        });
        port.bytesHandler(chunk -> {
            boolean whole = envelope.take(chunk);
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
            else find(port, gone, endpoint, envelope.rest());
        });
        port.attach(context);
    }

    private void find(StreamPort port, AtomicBoolean gone, Id endpoint, byte[] early) {
        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations()).onComplete(found -> {
            Registry.LocalView view = found.succeeded() ? pick((List<?>) found.result(), endpoint) : null;
            Decision decision = view == null ? null : judge(port, view);
            // A node that may not use it is told what it would be told if it did not exist.
            if (view != null && decision instanceof Decision.Allowed allowed) connect(port, gone, view, allowed, early);
            else refuseOpen(port, gone, TunnelOpened.Code.NOT_HERE, "no such endpoint");
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

    private static Registry.@Nullable LocalView pick(List<?> all, Id endpoint) {
        for (Object each : all) {
            Registry.LocalView view = (Registry.LocalView) each;
            if (view.endpoint().equals(endpoint)) return view;
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
                        socket.write(early);
                        socket.flush();
                    }
                    Served served = new Served(socket, port, view);
                    served.holdTo(allowed);
                    Splice.join(socket, port, served);
                })
                .onFailure(e -> refuseOpen(
                        port, gone, TunnelOpened.Code.UPSTREAM, "the service does not accept: " + Problem.text(e)));
    }

    /** One connection that was let in: it lasts no longer than the decision that let it in, or another like it. */
    private final class Served implements Splice.Meter {
        private final TcpSocket socket;
        private final StreamPort port;
        private final Registry.LocalView view;
        private long timer = -1;

        Served(TcpSocket socket, StreamPort port, Registry.LocalView view) {
            this.socket = socket;
            this.port = port;
            this.view = view;
        }

        void holdTo(Decision decision) {
            switch (decision) {
                case Decision.Denied _ -> socket.abort();
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
        port.exceptionHandler(_ -> {});
        port.attach(context);
        port.write(Envelope.opened(code, detail));
        port.end();
        port.bytesHandler(_ -> {}); // whatever still comes is read and forgotten, so that the stream can end
        port.resume();
    }
}
