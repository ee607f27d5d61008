package mcc.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/** What every list of the interface offers: filter, sort order, pages and an index. */
final class Lists {
    private static final int LIMIT = 100;
    private static final int INDEXES_MAX = 1024;
    /** Fields that change all the time and do not count as a change of the list. */
    private static final List<String> VOLATILE = List.of(
            "rttMs",
            "leaseMs",
            "load",
            "score",
            "path",
            "txBytes",
            "rxBytes",
            "txBytesPerSecond",
            "rxBytesPerSecond",
            "sinceMs",
            "heardAgoMs",
            "lossPpm",
            "connections",
            "connectionsTotal",
            "best");

    private record Seen(int hash, long index) {}

    private final Map<String, Seen> indexes = new LinkedHashMap<>();
    private long next = 1;

    /** One page of a list, as the parameters ask for. */
    JsonObject page(String resource, List<JsonObject> items, JsonObject parameters) {
        long index = index(resource, items);
        List<JsonObject> kept = new ArrayList<>(items);
        String filter = parameters.getString("filter");
        if (filter != null) {
            String wanted = filter.toLowerCase(Locale.ROOT);
            kept.removeIf(item -> !contains(item, wanted));
        }
        String sort = parameters.getString("sort");
        if (sort != null) sort(kept, sort);
        int from = offset(parameters.getString("cursor"));
        int limit = parameters.getInteger("limit", LIMIT);
        int to = Math.min(kept.size(), from + limit);
        JsonArray out = new JsonArray();
        for (int i = Math.min(from, kept.size()); i < to; i++) out.add(kept.get(i));
        return new JsonObject()
                .put("items", out)
                .put("next", to < kept.size() ? cursor(to) : null)
                .put("asOf", Instant.now().toString())
                .put("index", index);
    }

    /** Whether a value contains the text; field names do not count. */
    private static boolean contains(@Nullable Object value, String wanted) {
        return switch (value) {
            case null -> false;
            case JsonObject object -> object.stream().anyMatch(field -> contains(field.getValue(), wanted));
            case JsonArray array -> array.stream().anyMatch(each -> contains(each, wanted));
            default -> String.valueOf(value).toLowerCase(Locale.ROOT).contains(wanted);
        };
    }

    /** A number that changes when the list changes. */
    long index(String resource, List<JsonObject> items) {
        int hash = 1;
        for (JsonObject item : items) {
            JsonObject stable = item.copy();
            VOLATILE.forEach(stable::remove);
            hash = 31 * hash + stable.encode().hashCode();
        }
        Seen seen = indexes.get(resource);
        if (seen != null && seen.hash() == hash) return seen.index();
        if (seen == null && indexes.size() >= INDEXES_MAX)
            indexes.remove(indexes.keySet().iterator().next());
        Seen made = new Seen(hash, next++);
        indexes.put(resource, made);
        return made.index();
    }

    private static void sort(List<JsonObject> items, String sort) {
        boolean down = sort.startsWith("-");
        String field = down ? sort.substring(1) : sort;
        Comparator<JsonObject> order = (a, b) -> compare(a.getValue(field), b.getValue(field));
        items.sort(down ? order.reversed() : order);
    }

    private static int compare(@Nullable Object a, @Nullable Object b) {
        if (a instanceof Number x && b instanceof Number y) return Double.compare(x.doubleValue(), y.doubleValue());
        return String.valueOf(a).compareTo(String.valueOf(b));
    }

    private static String cursor(int offset) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(("o" + offset).getBytes(StandardCharsets.US_ASCII));
    }

    private static int offset(@Nullable String cursor) {
        if (cursor == null) return 0;
        try {
            String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII);
            if (text.matches("o[0-9]{1,9}")) return Integer.parseInt(text.substring(1));
        } catch (IllegalArgumentException _) {
            // reported below
        }
        throw new Problem(
                "validation", "cursor '" + cursor + "' was not given by this node", "begin again without a cursor");
    }
}
