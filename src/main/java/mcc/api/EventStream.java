package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import java.util.function.Consumer;
import mcc.node.Bus;
import mcc.node.Problem;
import mcc.node.ServiceWatches;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/**
 * Sends events to a reader as server-sent events (HTML standard): resumes after the last one read, tells of gaps, and drops a
 * reader that is so slow that the log has forgotten its next event.
 */
final class EventStream {
    /** Readers at a time. */
    static final int MAX = 200;

    private static final long HEARTBEAT_MS = 15_000;

    private final Vertx vertx;
    private final ServiceWatches watches;
    private final EventLog log;
    private int readers;

    EventStream(Vertx vertx, Bus bus, EventLog log) {
        this.vertx = vertx;
        watches = new ServiceWatches(bus, "api");
        this.log = log;
    }

    int readers() {
        return readers;
    }

    /**
     * Serves one reader until it disconnects.
     *
     * @throws Problem {@code overloaded} when there are too many
     */
    void serve(HttpServerRequest request, JsonObject parameters) {
        if (readers >= MAX)
            throw new Problem("overloaded", "there are already " + MAX + " readers of events", "try again later");
        ServiceName watched = watched(parameters.getString("watch"));
        HttpServerResponse response = request.response();
        response.setChunked(true).putHeader("Content-Type", "text/event-stream").putHeader("Cache-Control", "no-store");
        String last = request.getHeader("Last-Event-ID");
        Reader reader = new Reader(response, parameters.getString("types"));
        long heartbeat = vertx.setPeriodic(HEARTBEAT_MS, _ -> reader.write(": here\n\n"));
        Future<?> watching = watched == null ? Future.failedFuture("no watch") : watches.watch(watched);
        readers++;
        log.read(reader);
        response.drainHandler(_ -> reader.catchUp());
        response.closeHandler(_ -> {
            readers--;
            log.leave(reader);
            vertx.cancelTimer(heartbeat);
            if (watched == null) return;
            watching.onSuccess(_ -> watches.unwatch(watched));
        });
        reader.begin(last == null ? parameters.getString("since") : last);
    }

    private static @Nullable ServiceName watched(@Nullable String name) {
        if (name == null) return null;
        ServiceName service = ServiceName.parse(name, ServiceName.OPEN);
        if (service == null)
            throw new Problem("validation", "'" + name + "' is no service name", "use name or org/name");
        return service;
    }

    /** A reader's position in the log: what it has not read yet waits there, once for all readers. */
    private final class Reader implements Consumer<EventLog.Entry> {
        private final HttpServerResponse response;
        private final @Nullable String types;
        /** The number of the reader's next event. */
        private long next = log.next();

        Reader(HttpServerResponse response, @Nullable String types) {
            this.response = response;
            this.types = types;
        }

        void begin(@Nullable String last) {
            if (last != null) {
                long from = log.number(last) + 1;
                next = Math.max(from, log.oldest());
                if (next > from) {
                    JsonObject gap = new JsonObject().put("from", last).put("to", String.valueOf(next));
                    response.write("event: gap\ndata: " + gap.encode() + "\n\n");
                }
            }
            response.write(": welcome\n\n");
            catchUp();
        }

        @Override
        public void accept(EventLog.Entry entry) {
            if (next == entry.number() && !response.writeQueueFull()) {
                write(entry);
            } else if (next < log.oldest()) {
                response.reset(); // too slow; it may resume with Last-Event-ID
            }
        }

        void catchUp() {
            if (next == log.next()) return;
            for (EventLog.Entry entry : log.all()) {
                if (response.closed() || response.writeQueueFull()) return;
                if (entry.number() >= next) write(entry);
            }
        }

        private void write(EventLog.Entry entry) {
            next = entry.number() + 1;
            if (!EventLog.matches(types, entry.event().type())) return;
            write("id: " + entry.id() + "\nevent: " + entry.event().type() + "\ndata: "
                    + entry.toJson().encode() + "\n\n");
        }

        private void write(String text) {
            if (!response.closed() && !response.writeQueueFull()) response.write(text);
        }
    }
}
