package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import mcc.core.Id;
import mcc.node.Bus;
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
    private static final long ENVELOPE_MS = 10_000;

    private final Vertx vertx;
    private final Context context;
    private final Bus bus;
    private final Splice.Meter meter;
    private final Sink sink;
    private int open;

    Provider(Vertx vertx, Context context, Bus bus, Splice.Meter meter) {
        this.vertx = vertx;
        this.context = context;
        this.bus = bus;
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
                sink.take(port, envelope.rest());
            } else if (endpoint == null) refuseOpen(port, gone, TunnelOpened.Code.NOT_HERE, "no such endpoint");
            else find(port, gone, endpoint, envelope.rest());
        });
        port.attach(context);
    }

    private void find(StreamPort port, AtomicBoolean gone, Id endpoint, byte[] early) {
        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Registrations()).onComplete(found -> {
            Registry.LocalView view = found.succeeded() ? pick((List<?>) found.result(), endpoint) : null;
            if (view == null) refuseOpen(port, gone, TunnelOpened.Code.NOT_HERE, "no such endpoint");
            else connect(port, gone, view, early);
        });
    }

    private static Registry.@Nullable LocalView pick(List<?> all, Id endpoint) {
        for (Object each : all) {
            Registry.LocalView view = (Registry.LocalView) each;
            if (view.endpoint().equals(endpoint)) return view;
        }
        return null;
    }

    private void connect(StreamPort port, AtomicBoolean gone, Registry.LocalView view, byte[] early) {
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
                    if (early.length > 0) socket.write(early);
                    Splice.join(socket, port, new Splice.Meter() {
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
                            open--;
                            meter.done(broken);
                        }
                    });
                })
                .onFailure(e -> refuseOpen(
                        port, gone, TunnelOpened.Code.UPSTREAM, "the service does not accept: " + Problem.text(e)));
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
