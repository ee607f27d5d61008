package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import mcc.core.Bytes;
import mcc.node.Problem;
import mcc.node.StreamPort;
import mcc.registry.Offer;
import mcc.registry.Registry;
import mcc.wire.Ports;
import mcc.wire.pb.TunnelOpened;
import org.jspecify.annotations.Nullable;

/**
 * From a list of providers to one stream that a provider has answered: connection racing, as in RFC 8305.
 *
 * <p>The next provider is tried when one fails, or 400 ms after the last one was tried without an answer; the first to answer
 * wins, and the other attempts are cancelled.
 */
final class Opening<S> {
    /** The code of the problem when every provider was reached and every app refused. */
    static final String REFUSED = "upstream-refused";

    /** How long until the next provider is tried beside one that has not answered. */
    static final long NEXT_MS = 400;
    /** How long all attempts together may take. */
    static final long TOTAL_MS = 10_000;

    /**
     * The way to a provider that has accepted.
     *
     * @param <S> the socket to an app of this host
     */
    sealed interface Way<S> {
        /** Through another node: the paused stream, and the bytes that came behind the answer. */
        record Remote<S>(StreamPort port, Bytes first) implements Way<S> {}

        /** The app is on this very host. */
        record Here<S>(S socket) implements Way<S> {}
    }

    /** The way to the provider that accepted, and the failures before it. */
    record Opened<S>(Way<S> way, Offer offer, List<Failure> failures) {}

    /**
     * How apps of this host are reached: by connections or by datagrams.
     *
     * @param connect makes a socket to an app, at one of its ports
     * @param drop ends a socket, and tells its user
     * @param onEnd runs a task once a socket has ended
     */
    record Apps<S>(
            boolean isUdp,
            BiFunction<Registry.LocalView, Integer, Future<S>> connect,
            Consumer<S> drop,
            BiConsumer<S, Runnable> onEnd) {}

    /**
     * A provider that did not accept.
     *
     * @param refused whether its app refused, rather than the provider not being reached
     */
    record Failure(Offer offer, String reason, boolean refused) {}

    private record Running(Offer offer, long startedNs) {}

    /** What every opening of a node needs. */
    record Means(
            Context context, Streams streams, Admission admission, Endpoints endpoints, Timeouts next, Timeouts total) {
        static Means of(Vertx vertx, Context context, Streams streams, Admission admission, Endpoints endpoints) {
            Timeouts next = new Timeouts(vertx, NEXT_MS);
            return new Means(context, streams, admission, endpoints, next, new Timeouts(vertx, TOTAL_MS));
        }
    }

    private final Means means;
    private final Admission admission;
    private final List<Offer> candidates;
    private final Apps<S> apps;
    private final Wanted wanted;
    private final Promise<Opened<S>> promise = Promise.promise();
    private final Map<StreamPort, Running> running = new LinkedHashMap<>();
    private final List<Failure> failures = new ArrayList<>();
    private int next;
    private int waiting;
    private Timeouts.@Nullable Timeout nextTimeout;
    private Timeouts.@Nullable Timeout totalTimeout;

    private Opening(Means means, Apps<S> apps, Wanted wanted, List<Offer> candidates) {
        this.means = means;
        this.wanted = wanted;
        admission = means.admission;
        this.apps = apps;
        this.candidates = candidates;
    }

    /** @param wanted the port of the service; a provider that does not have it refuses */
    static <S> Future<Opened<S>> open(Means means, Apps<S> apps, Wanted wanted, List<Offer> candidates) {
        Opening<S> opening = new Opening<>(means, apps, wanted, candidates);
        opening.totalTimeout = means.total.begin(() -> opening.fail("no provider answered in time"));
        opening.startNext();
        return opening.promise.future();
    }

    private void startNext() {
        cancel(nextTimeout);
        if (promise.future().isComplete()) return;
        if (next >= candidates.size()) {
            if (waiting == 0) fail("every provider refused");
            return;
        }
        Offer offer = candidates.get(next++);
        waiting++;
        nextTimeout = means.next.begin(this::startNext);
        if (offer.isLocal()) {
            here(offer);
            return;
        }
        means.streams.open(offer.contact()).onComplete(opened -> {
            if (opened.succeeded()) begin(offer, opened.result());
            else failed(offer, null, Problem.text(opened.cause()));
        });
    }

    private static void cancel(Timeouts.@Nullable Timeout timeout) {
        if (timeout != null) timeout.cancel();
    }

    private void here(Offer offer) {
        Registry.LocalView view = means.endpoints.find(offer.endpoint());
        if (view == null) {
            failed(offer, null, "it was just deregistered");
            return;
        }
        boolean udp = apps.isUdp();
        Ports ports = view.registration().ports();
        int asked = wanted.of(ports, udp);
        int port = ports.choose(udp, asked);
        if (!admission.judge(admission.self(), view.registration(), udp, asked).isAllowed()) {
            failed(offer, null, "the policy does not let this node use it");
            return;
        }
        if (port == 0) {
            admission.counters().add("tunnel.port.refused");
            failed(offer, null, "the service has no such port", true);
            return;
        }
        apps.connect()
                .apply(view, port)
                .onSuccess(socket -> {
                    if (!promise.tryComplete(new Opened<>(new Way.Here<>(socket), offer, List.copyOf(failures)))) {
                        apps.drop().accept(socket);
                    }
                    end();
                })
                .onFailure(e -> failed(offer, null, Problem.text(e), true));
    }

    private void begin(Offer offer, StreamPort port) {
        if (promise.future().isComplete()) {
            port.cancel();
            return;
        }
        running.put(port, new Running(offer, System.nanoTime()));
        Envelope envelope = new Envelope();
        port.brokenHandler(_ -> failed(offer, port, "the node cannot be reached, or broke the stream off"));
        port.endHandler(() -> failed(offer, port, "the node closed the stream"));
        port.bytesHandler((bytes, length) -> {
            boolean whole = envelope.take(bytes, length);
            if (!whole && !envelope.isMalformed()) return;
            TunnelOpened answer = whole ? envelope.answer() : null;
            if (answer != null && answer.getCode() == TunnelOpened.Code.OK) won(offer, port, envelope.rest());
            else if (answer == null) failed(offer, port, "the node answered nonsense");
            else failed(offer, port, reason(answer), answer.getCode() == TunnelOpened.Code.UPSTREAM);
        });
        port.attach(means.context);
        boolean udp = apps.isUdp();
        port.write(Envelope.open(offer.endpoint(), udp, wanted.of(offer, udp)));
    }

    private static String reason(TunnelOpened answer) {
        return answer.getCode().name().toLowerCase(java.util.Locale.ROOT) + ": " + answer.getDetail();
    }

    private void won(Offer offer, StreamPort port, byte[] first) {
        port.pause();
        port.bytesHandler(null);
        running.remove(port);
        long lateNs = System.nanoTime() - NEXT_MS * 1_000_000;
        running.forEach((_, other) -> {
            if (other.startedNs() <= lateNs)
                failures.add(new Failure(other.offer(), "no answer after " + NEXT_MS + " ms", false));
        });
        Way<S> way = new Way.Remote<>(port, Bytes.owning(first));
        if (!promise.tryComplete(new Opened<>(way, offer, List.copyOf(failures)))) port.cancel();
        end();
    }

    private void failed(Offer offer, @Nullable StreamPort port, String reason) {
        failed(offer, port, reason, false);
    }

    private void failed(Offer offer, @Nullable StreamPort port, String reason, boolean refused) {
        if (port != null) {
            if (running.remove(port) == null) return;
            port.bytesHandler(null);
            port.cancel();
        }
        waiting--;
        failures.add(new Failure(offer, reason, refused));
        startNext();
    }

    private void fail(String what) {
        StringBuilder detail = new StringBuilder(what);
        for (Failure f : failures) {
            detail.append("; ")
                    .append(f.offer().contact().node().shortText())
                    .append(": ")
                    .append(f.reason());
        }
        boolean refused = !failures.isEmpty() && failures.stream().allMatch(Failure::refused);
        promise.tryFail(new Problem(
                refused ? REFUSED : "upstream-unreachable",
                detail.toString(),
                "see which providers there are: mcc discover NAME"));
        end();
    }

    private void end() {
        cancel(nextTimeout);
        cancel(totalTimeout);
        if (running.isEmpty()) return;
        for (StreamPort port : List.copyOf(running.keySet())) port.cancel();
        running.clear();
    }
}
