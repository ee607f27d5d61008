package mcc.plugin;

import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A client of the bridge for tests: sends frames, waits for answers. */
final class BusClient implements AutoCloseable {
    private final Map<String, LinkedBlockingQueue<JsonObject>> heard = new ConcurrentHashMap<>();
    private final StringBuilder text = new StringBuilder();
    private final HttpClient http = HttpClient.newHttpClient();
    private final WebSocket socket;
    private int next;

    BusClient(String node) {
        URI uri = URI.create(node.replace("http:", "ws:") + "/api/v1/bus/websocket");
        socket = http.newWebSocketBuilder()
                .buildAsync(uri, new WebSocket.Listener() {
                    @Override
                    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
                        text.append(part);
                        if (last) {
                            JsonObject frame = new JsonObject(text.toString());
                            text.setLength(0);
                            queue(frame.getString("address", frame.getString("type")))
                                    .add(frame);
                        }
                        socket.request(1);
                        return null;
                    }
                })
                .join();
    }

    private LinkedBlockingQueue<JsonObject> queue(String address) {
        return heard.computeIfAbsent(address, _ -> new LinkedBlockingQueue<>());
    }

    /** The next frame for an address, or of a type that has none. */
    JsonObject take(String address) {
        try {
            JsonObject frame = queue(address).poll(60, TimeUnit.SECONDS);
            if (frame == null) throw new AssertionError("nothing came for " + address);
            return frame;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Whether nothing came for an address. */
    boolean isSilent(String address) {
        return queue(address).isEmpty();
    }

    void raw(String frame) {
        socket.sendText(frame, true).join();
    }

    void register(String address) {
        raw(new JsonObject().put("type", "register").put("address", address).encode());
    }

    /** Sends and returns the frame of the answer. */
    JsonObject ask(String address, @Nullable Object body, JsonObject headers) {
        String reply = "reply-" + next++;
        raw(new JsonObject()
                .put("type", "send")
                .put("address", address)
                .put("replyAddress", reply)
                .put("headers", headers)
                .put("body", body)
                .encode());
        return take(reply);
    }

    JsonObject ask(String address, @Nullable Object body) {
        return ask(address, body, new JsonObject());
    }

    @Override
    public void close() {
        socket.abort();
        http.close();
    }
}
