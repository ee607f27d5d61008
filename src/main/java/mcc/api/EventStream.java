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
 * Events to one reader as server-sent events: resumes after the last one read, says where history was dropped, and drops
 * the reader that does not read.
 */
final class EventStream {
    /** Readers at a time. */
    static final int MAX = 200;

    private static final long HEARTBEAT_MS = 15_000;
    private static final int BACKLOG_BYTES = 1 << 20;

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
     * Serves one reader until it leaves.
     *
     * @throws Problem {@code overloaded} when there are too many
     */
    void serve(HttpServerRequest request, JsonObject parameters) {
        if (readers >= MAX)
            throw new Problem("overloaded", "there are " + MAX + " readers of events already", "try again later");
        ServiceName watched = watched(parameters.getString("watch"));
        String types = parameters.getString("types");
        HttpServerResponse response = request.response();
        response.setChunked(true)
                .setWriteQueueMaxSize(BACKLOG_BYTES)
                .putHeader("Content-Type", "text/event-stream")
                .putHeader("Cache-Control", "no-store");
        readers++;
        String last = request.getHeader("Last-Event-ID");
        resume(response, types, last == null ? parameters.getString("since") : last);
        Consumer<EventLog.Entry> reader = entry -> write(response, types, entry);
        log.read(reader);
        long heartbeat = vertx.setPeriodic(HEARTBEAT_MS, _ -> response.write(": here\n\n"));
        Future<?> watching = watched == null ? Future.failedFuture("no watch") : watches.watch(watched);
        response.write(": welcome\n\n");
        response.closeHandler(_ -> {
            readers--;
            log.leave(reader);
            vertx.cancelTimer(heartbeat);
            if (watched == null) return;
            watching.onSuccess(_ -> watches.unwatch(watched));
        });
    }

    private static @Nullable ServiceName watched(@Nullable String name) {
        if (name == null) return null;
        ServiceName service = ServiceName.parse(name, ServiceName.OPEN);
        if (service == null)
            throw new Problem("validation", "'" + name + "' is no service name", "use name or org/name");
        return service;
    }

    private void resume(HttpServerResponse response, @Nullable String types, @Nullable String last) {
        if (last == null) return;
        long number = log.number(last);
        if (number + 1 < log.oldest()) {
            JsonObject gap = new JsonObject().put("from", last).put("to", String.valueOf(log.oldest()));
            response.write("event: gap\ndata: " + gap.encode() + "\n\n");
        }
        for (EventLog.Entry entry : log.all()) if (entry.number() > number) write(response, types, entry);
    }

    private void write(HttpServerResponse response, @Nullable String types, EventLog.Entry entry) {
        if (!EventLog.matches(types, entry.event().type()) || response.closed()) return;
        if (response.writeQueueFull()) {
            response.reset(); // it may come back with Last-Event-ID
            return;
        }
        response.write("id: " + entry.id() + "\nevent: " + entry.event().type() + "\ndata: "
                + entry.toJson().encode() + "\n\n");
    }
}
