package mcc.api;

import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * Answers by {@code Idempotency-Key}, so that the same request with the same key is not carried out twice. A key is taken as
 * soon as its request begins: a second request meanwhile is refused. A request that failed frees its key. Source:
 * draft-ietf-httpapi-idempotency-key-header-07 section 2.6.
 */
final class Replays {
    /** Keys remembered. */
    static final int MAX = 1_000;

    private static final int KEY_LENGTH = 255;

    /** The answer that a request got. */
    record Answer(int status, JsonObject body) {}

    private record Known(String request, @Nullable Answer answer) {}

    private final Map<String, Known> known = new LinkedHashMap<>();

    /**
     * Takes a key for a request.
     *
     * @param request identifies the request
     * @return the answer that it got before; null if it is the first, which {@link #end} must follow
     * @throws Problem if the key belongs to another request, or its request is under way
     */
    @Nullable
    Answer begin(String key, String request) {
        Known old = known.get(key);
        if (old == null) {
            if (key.isEmpty() || key.length() > KEY_LENGTH) {
                throw new Problem(
                        "validation",
                        "the Idempotency-Key is empty or too long",
                        "use 1 to " + KEY_LENGTH + " characters");
            }
            makeRoom();
            known.put(key, new Known(request, null));
            return null;
        }
        if (!old.request().equals(request)) {
            throw new Problem(
                    "unprocessable", "Idempotency-Key '" + key + "' was used for another request", "use a new key");
        }
        if (old.answer() == null) {
            throw new Problem(
                    "conflict",
                    "the request with Idempotency-Key '" + key + "' is under way",
                    "send it again in a moment to get its answer");
        }
        return old.answer();
    }

    private void makeRoom() {
        if (known.size() < MAX) return;
        for (Map.Entry<String, Known> each : known.entrySet()) {
            if (each.getValue().answer() == null) continue;
            known.remove(each.getKey());
            return;
        }
        throw new Problem(
                "overloaded", MAX + " requests with an Idempotency-Key are under way", "try again in a moment");
    }

    /** Ends a request that {@link #begin} let through; {@code answer} is null if it failed. */
    void end(String key, @Nullable Answer answer) {
        Known begun = known.remove(key);
        if (begun != null && answer != null) known.put(key, new Known(begun.request(), answer));
    }
}
