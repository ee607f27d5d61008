package mcc.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/** The REST contract, {@code openapi.json}, parsed once at start. */
final class Contract {
    /** A parameter in the path or the query. */
    record Parameter(String name, boolean inPath, String type, JsonObject schema) {}

    /** One operation. */
    record Operation(
            String id,
            String method,
            String path,
            String scope,
            List<Parameter> parameters,
            @Nullable String bodyType,
            @Nullable JsonObject bodySchema) {}

    private final JsonObject document;
    private final Map<String, Operation> operations = new LinkedHashMap<>();
    private final Map<String, Schema> bodies = new LinkedHashMap<>();

    private Contract(JsonObject document) {
        this.document = document;
        JsonObject paths = document.getJsonObject("paths");
        for (String path : paths.fieldNames()) {
            JsonObject methods = paths.getJsonObject(path);
            for (String method : methods.fieldNames()) {
                Operation operation = operation(path, method, methods.getJsonObject(method));
                operations.put(operation.id(), operation);
                if (operation.bodySchema() != null)
                    bodies.put(operation.id(), new Schema(resolve(operation.bodySchema())));
            }
        }
    }

    /** Loads the contract from the class path. */
    static Contract load() {
        try (InputStream in = Contract.class.getResourceAsStream("/openapi.json")) {
            if (in == null) throw new IllegalStateException("openapi.json is missing from the program");
            return new Contract(new JsonObject(new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    JsonObject document() {
        return document;
    }

    /** Every operation, in the document's order. */
    List<Operation> operations() {
        return List.copyOf(operations.values());
    }

    @Nullable
    Operation operation(String id) {
        return operations.get(id);
    }

    /**
     * Checks a body against its operation's schema.
     *
     * @throws Problem {@code validation}, with a JSON pointer for each fault
     */
    void checkBody(Operation operation, JsonObject body) {
        Schema schema = bodies.get(operation.id());
        List<Problem.Fault> faults = schema == null ? List.of() : schema.faults(body);
        if (faults.isEmpty()) return;
        Problem.Fault first = faults.getFirst();
        throw new Problem(
                "validation",
                "the request body is not valid: " + first.pointer() + ": " + first.detail(),
                "/docs describes its fields",
                faults);
    }

    /**
     * Converts parameters to their types.
     *
     * @param values as text, by name
     * @throws Problem {@code validation}, naming the parameter
     */
    JsonObject checkParameters(Operation operation, Map<String, String> values) {
        JsonObject out = new JsonObject();
        for (Map.Entry<String, String> e : values.entrySet()) {
            Parameter p = find(operation, e.getKey());
            if (p == null) {
                throw new Problem(
                        "validation",
                        "unknown query parameter '" + Schema.shown(e.getKey()) + "'",
                        "/docs lists the valid ones");
            }
            out.put(p.name(), p.type().equals("integer") ? integer(p, e.getValue()) : text(p, e.getValue()));
        }
        return out;
    }

    /**
     * Splits an object into parameters and body and checks both as if they had come by HTTP.
     *
     * @return both merged again, the parameters converted to their types
     * @throws Problem {@code validation}
     */
    JsonObject checkMerged(Operation operation, JsonObject merged) {
        Map<String, String> values = new LinkedHashMap<>();
        JsonObject body = merged.copy();
        for (Parameter p : operation.parameters()) {
            Object value = body.remove(p.name());
            if (value == null && p.inPath()) {
                throw new Problem("validation", "'" + p.name() + "' is missing", "see /docs for the parameters");
            }
            if (value instanceof JsonObject || value instanceof JsonArray) {
                throw new Problem("validation", p.name() + " is not a plain value", "use text or a number");
            }
            if (value != null) values.put(p.name(), String.valueOf(value));
        }
        JsonObject input = checkParameters(operation, values);
        if (operation.bodySchema() != null) {
            checkBody(operation, body);
            return body.mergeIn(input);
        }
        for (String unknown : body.fieldNames()) {
            throw new Problem(
                    "validation", "unknown field '" + Schema.shown(unknown) + "'", "/docs lists the valid ones");
        }
        return input;
    }

    private static @Nullable Parameter find(Operation operation, String name) {
        for (Parameter p : operation.parameters()) if (p.name().equals(name)) return p;
        return null;
    }

    private static long integer(Parameter p, String value) {
        try {
            long v = Long.parseLong(value);
            long min = p.schema().getLong("minimum", Long.MIN_VALUE);
            long max = p.schema().getLong("maximum", Long.MAX_VALUE);
            if (v >= min && v <= max) return v;
            throw new Problem("validation", p.name() + " is " + value, "use a number from " + min + " to " + max);
        } catch (NumberFormatException _) {
            throw new Problem("validation", p.name() + " is '" + Schema.shown(value) + "'", "use a whole number");
        }
    }

    private static String text(Parameter p, String value) {
        String pattern = p.schema().getString("pattern");
        if (pattern != null && !value.matches(pattern)) {
            throw new Problem(
                    "validation", p.name() + " is '" + Schema.shown(value) + "'", "it has the form " + pattern);
        }
        JsonArray allowed = p.schema().getJsonArray("enum");
        if (allowed != null && !allowed.contains(value)) {
            throw new Problem(
                    "validation", p.name() + " is '" + Schema.shown(value) + "'", "use one of " + allowed.encode());
        }
        return value;
    }

    private static Operation operation(String path, String method, JsonObject o) {
        List<Parameter> parameters = new ArrayList<>();
        for (Object each : o.getJsonArray("parameters", new JsonArray())) {
            JsonObject p = (JsonObject) each;
            if (p.containsKey("$ref") || p.getString("in").equals("header")) continue; // checked where they are used
            JsonObject schema = p.getJsonObject("schema");
            parameters.add(new Parameter(
                    p.getString("name"), p.getString("in").equals("path"), schema.getString("type"), schema));
        }
        JsonObject body = o.getJsonObject("requestBody");
        String type = null;
        JsonObject schema = null;
        if (body != null) {
            JsonObject content = body.getJsonObject("content");
            type = content.fieldNames().iterator().next();
            if (type.equals("application/json"))
                schema = content.getJsonObject(type).getJsonObject("schema");
        }
        return new Operation(
                o.getString("operationId"),
                method.toUpperCase(java.util.Locale.ROOT),
                path,
                o.getString("x-scope"),
                parameters,
                type,
                schema);
    }

    /** Replaces every reference in a schema by what it refers to. */
    private JsonObject resolve(JsonObject schema) {
        String ref = schema.getString("$ref");
        if (ref != null) {
            String name = ref.substring(ref.lastIndexOf('/') + 1);
            return resolve(document.getJsonObject("components")
                    .getJsonObject("schemas")
                    .getJsonObject(name));
        }
        JsonObject out = new JsonObject();
        schema.forEach(e -> out.put(e.getKey(), e.getValue() instanceof JsonObject o ? resolve(o) : e.getValue()));
        return out;
    }
}
