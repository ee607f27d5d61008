package mcc.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/**
 * One schema of the contract, and the check of a value against it: the keywords of JSON Schema (draft 2020-12) that the
 * contract's bodies use, and no others.
 *
 * <p>Bodies come from strangers. So each value is looked at once at most, no deeper than the schema goes, and checking stops
 * at the last fault that is reported.
 */
final class Schema {
    /** Most faults reported for one body. */
    static final int FAULTS = 20;

    private static final int SHOWN = 64;
    private static final Set<String> KNOWN = Set.of(
            "type",
            "description",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "enum",
            "pattern",
            "minimum",
            "maximum");

    private final String type;
    private final Map<String, Schema> properties = new LinkedHashMap<>();
    private final Set<String> required = new LinkedHashSet<>();
    private final boolean closed;
    private final @Nullable Schema others;
    private final @Nullable Schema items;
    private final @Nullable JsonArray allowed;
    private final @Nullable Pattern pattern;
    private final long minimum;
    private final long maximum;

    /**
     * Parses a schema.
     *
     * @param schema with all references replaced
     * @throws IllegalStateException if it has a keyword that would not be checked
     */
    Schema(JsonObject schema) {
        for (String keyword : schema.fieldNames()) {
            if (!KNOWN.contains(keyword))
                throw new IllegalStateException("the contract's bodies are not checked for '" + keyword + "'");
        }
        type = schema.getString("type");
        schema.getJsonObject("properties", new JsonObject())
                .forEach(e -> properties.put(e.getKey(), new Schema((JsonObject) e.getValue())));
        schema.getJsonArray("required", new JsonArray()).forEach(name -> required.add((String) name));
        closed = Boolean.FALSE.equals(schema.getValue("additionalProperties"));
        others = schema.getValue("additionalProperties") instanceof JsonObject o ? new Schema(o) : null;
        items = schema.getValue("items") instanceof JsonObject o ? new Schema(o) : null;
        allowed = schema.getJsonArray("enum");
        pattern = schema.getString("pattern") == null ? null : Pattern.compile(schema.getString("pattern"));
        minimum = schema.getLong("minimum", Long.MIN_VALUE);
        maximum = schema.getLong("maximum", Long.MAX_VALUE);
    }

    /** The faults of a value, in its order, at most {@link #FAULTS}. */
    List<Problem.Fault> faults(@Nullable Object value) {
        List<Problem.Fault> out = new ArrayList<>();
        check("", value, out);
        return out;
    }

    private void check(String pointer, @Nullable Object value, List<Problem.Fault> out) {
        if (!isOfType(value)) {
            tell(out, pointer, "expected " + type + ", not " + typeOf(value));
        } else if (value instanceof JsonObject object) {
            checkObject(pointer, object, out);
        } else if (value instanceof JsonArray array) {
            for (int i = 0; items != null && i < array.size() && out.size() < FAULTS; i++) {
                items.check(pointer + "/" + i, array.getValue(i), out);
            }
        } else if (allowed != null && !allowed.contains(value)) {
            tell(out, pointer, "expected one of " + allowed.encode());
        } else if (value instanceof Number number) {
            if (number.longValue() < minimum) tell(out, pointer, number + " is less than " + minimum);
            if (number.longValue() > maximum) tell(out, pointer, number + " is greater than " + maximum);
        } else if (pattern != null
                && value instanceof String text
                && !pattern.matcher(text).find()) {
            tell(out, pointer, "expected the form " + pattern);
        }
    }

    private void checkObject(String pointer, JsonObject object, List<Problem.Fault> out) {
        for (String name : required) {
            if (!object.containsKey(name)) tell(out, pointer, '"' + name + "\" is missing");
        }
        for (Map.Entry<String, Object> field : object) {
            if (out.size() >= FAULTS) return;
            Schema schema = properties.getOrDefault(field.getKey(), others);
            String at = pointer + "/" + token(field.getKey());
            if (schema != null) schema.check(at, field.getValue(), out);
            else if (closed) tell(out, at, "there is no such field");
        }
    }

    private static void tell(List<Problem.Fault> out, String pointer, String detail) {
        if (out.size() < FAULTS) out.add(new Problem.Fault(pointer.isEmpty() ? "/" : pointer, detail));
    }

    /** A name as a reference token of a JSON pointer (RFC 6901 section 3). */
    private static String token(String name) {
        return shown(name).replace("~", "~0").replace("/", "~1");
    }

    /** A stranger's text, shortened so that it can be quoted. */
    static String shown(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
    }

    private boolean isOfType(@Nullable Object value) {
        if (!type.equals("integer")) return type.equals(typeOf(value));
        // The draft counts 1.0 as an integer; no field here needs a number that does not fit into a long.
        return switch (value) {
            case Integer _, Long _ -> true;
            case Double d -> d == Math.rint(d) && Math.abs(d) <= 1L << 53;
            case null, default -> false;
        };
    }

    private static String typeOf(@Nullable Object value) {
        return switch (value) {
            case null -> "null";
            case String _ -> "string";
            case Boolean _ -> "boolean";
            case Number _ -> "number";
            case JsonObject _ -> "object";
            case JsonArray _ -> "array";
            default -> value.getClass().getSimpleName();
        };
    }
}
