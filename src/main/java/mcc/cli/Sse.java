package mcc.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A stream of server-sent events (HTML standard, section 9.2). */
final class Sse implements AutoCloseable {
    /** One event. */
    record Event(String type, String data) {
        Json json() {
            Json json = Json.parse(data);
            return json == null ? Json.NONE : json;
        }
    }

    private final Http http;
    private final BufferedReader reader;

    Sse(Http http) {
        this.http = http;
        this.reader = new BufferedReader(new InputStreamReader(http.body(), StandardCharsets.UTF_8));
    }

    /** Waits for the next event; null once the stream has ended. */
    @Nullable
    Event next() {
        String type = "message";
        StringBuilder data = new StringBuilder();
        try {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.isEmpty()) {
                    if (!data.isEmpty()) return new Event(Text.clean(type), data.toString());
                    type = "message";
                    continue;
                }
                int colon = line.indexOf(':');
                String field = colon < 0 ? line : line.substring(0, colon);
                String value = colon < 0 ? "" : line.substring(colon + 1);
                if (value.startsWith(" ")) value = value.substring(1);
                switch (field) {
                    case "event" -> type = value;
                    case "data" -> data.append(data.isEmpty() ? "" : "\n").append(value);
                    default -> {} // comments keep the connection alive; other fields are not used
                }
            }
        } catch (IOException _) {
            return null; // a node that went away ends the stream; the caller reports it
        }
        return null;
    }

    @Override
    public void close() {
        http.close();
    }
}
