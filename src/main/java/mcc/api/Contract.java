package mcc.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.Draft;
import io.vertx.json.schema.JsonSchema;
import io.vertx.json.schema.JsonSchemaOptions;
import io.vertx.json.schema.OutputFormat;
import io.vertx.json.schema.OutputUnit;
import io.vertx.json.schema.Validator;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/** The REST contract: {@code openapi.json}, taken apart once at start. */
final class Contract {
    /** A parameter in path or query. */
    record Parameter(String name, boolean inPath, boolean required, String type, JsonObject schema) {}

    /** One operation. */
    record Operation(
            String id,
            String method,
            String path,
            String scope,
            List<Parameter> parameters,
            @Nullable String bodyType,
            @Nullable JsonObject bodySchema) {}

    private static final String BASE = "mcc://openapi/";
    private static final Pattern OUTER = Pattern.compile("subschema|did not match schema|does not match schema");
    private static final int FAULTS = 20;

    private final JsonObject document;
    private final Map<String, Operation> operations = new LinkedHashMap<>();
    private final Map<String, Validator> bodies = new LinkedHashMap<>();

    private Contract(JsonObject document) {
        this.document = document;
        JsonObject paths = document.getJsonObject("paths");
        for (String path : paths.fieldNames()) {
            JsonObject methods = paths.getJsonObject(path);
            for (String method : methods.fieldNames()) {
                Operation operation = operation(path, method, methods.getJsonObject(method));
                operations.put(operation.id(), operation);
                if (operation.bodySchema() != null) bodies.put(operation.id(), validator(operation.bodySchema()));
            }
        }
    }

    /** Loads the document from the class path. */
    static Contract load() {
        try (InputStream in = Contract.class.getResourceAsStream("/openapi.json")) {
            if (in == null) throw new IllegalStateException("openapi.json is missing from the program");
            return new Contract(new JsonObject(new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The document itself. */
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
     * Checks a body against its schema.
     *
     * @throws Problem {@code validation}, with a pointer for each fault
     */
    void checkBody(Operation operation, JsonObject body) {
        Validator validator = bodies.get(operation.id());
        if (validator == null) return;
        OutputUnit result = validator.validate(body);
        if (Boolean.TRUE.equals(result.getValid())) return;
        List<Problem.Fault> faults = faults(result);
        String first = faults.isEmpty()
                ? ""
                : ": " + faults.getFirst().pointer() + ": " + faults.getFirst().detail();
        throw new Problem(
                "validation", "the request body is not as expected" + first, "see /docs for its fields", faults);
    }

    /**
     * Reads parameters as their types.
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
                        "validation", "unknown query parameter '" + e.getKey() + "'", "see /docs for those there are");
            }
            out.put(p.name(), p.type().equals("integer") ? integer(p, e.getValue()) : text(p, e.getValue()));
        }
        return out;
    }

    /**
     * Takes parameters and body apart that came merged in one object, and checks both as if they had come by HTTP.
     *
     * @return both merged again, parameters as their types
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
                throw new Problem("validation", p.name() + " is no plain value", "use text or a number");
            }
            if (value != null) values.put(p.name(), String.valueOf(value));
        }
        JsonObject input = checkParameters(operation, values);
        if (operation.bodySchema() != null) {
            checkBody(operation, body);
            return body.mergeIn(input);
        }
        for (String unknown : body.fieldNames()) {
            throw new Problem("validation", "unknown field '" + unknown + "'", "see /docs for those there are");
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
            throw new Problem("validation", p.name() + " is '" + value + "'", "use a whole number");
        }
    }

    private static String text(Parameter p, String value) {
        String pattern = p.schema().getString("pattern");
        if (pattern != null && !value.matches(pattern)) {
            throw new Problem("validation", p.name() + " is '" + value + "'", "it has the form " + pattern);
        }
        JsonArray allowed = p.schema().getJsonArray("enum");
        if (allowed != null && !allowed.contains(value)) {
            throw new Problem("validation", p.name() + " is '" + value + "'", "use one of " + allowed.encode());
        }
        return value;
    }

    private static Operation operation(String path, String method, JsonObject o) {
        List<Parameter> parameters = new ArrayList<>();
        for (Object each : o.getJsonArray("parameters", new JsonArray())) {
            JsonObject p = (JsonObject) each;
            if (p.containsKey("$ref") || p.getString("in").equals("header")) continue; // read where they are obeyed
            JsonObject schema = p.getJsonObject("schema");
            parameters.add(new Parameter(
                    p.getString("name"),
                    p.getString("in").equals("path"),
                    p.getBoolean("required", false),
                    schema.getString("type"),
                    schema));
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

    /** The schema with everything it may refer to below it, so that it stands alone. */
    private Validator validator(JsonObject schema) {
        JsonObject alone = resolve(schema);
        return Validator.create(
                JsonSchema.of(alone),
                new JsonSchemaOptions()
                        .setBaseUri(BASE)
                        .setDraft(Draft.DRAFT202012)
                        .setOutputFormat(OutputFormat.Basic));
    }

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

    private static List<Problem.Fault> faults(OutputUnit result) {
        List<Problem.Fault> out = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        if (result.getErrors() == null) return out;
        for (OutputUnit unit : result.getErrors()) {
            String at = unit.getInstanceLocation();
            String pointer = at == null ? "" : at.startsWith("#") ? at.substring(1) : at;
            String error = String.valueOf(unit.getError());
            if (error.endsWith("additional properties schema")) refused.add(pointer);
            // The validator reports each enclosing keyword as well; the innermost says enough.
            else if (!OUTER.matcher(error).find())
                out.add(new Problem.Fault(pointer.isEmpty() ? "/" : pointer, text(error)));
        }
        // It also refuses each known field that is wrong in itself; the others are unknown.
        for (String pointer : refused) {
            boolean known = out.stream()
                    .anyMatch(f -> f.pointer().equals(pointer) || f.pointer().startsWith(pointer + "/"));
            if (!known) out.add(new Problem.Fault(pointer, "there is no such field"));
        }
        return out.size() <= FAULTS ? out : out.subList(0, FAULTS);
    }

    private static String text(String error) {
        return error.replaceFirst("^Instance type (\\w+) is invalid\\. Expected (.*)$", "expected $2, not $1")
                .replaceFirst("^Instance does not match any of (.*)$", "expected one of $1")
                .replaceFirst("^Instance does not have required property (.*)$", "$1 is missing");
    }
}
