package mcc.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A JSON value; what is absent or of another type than asked for reads as the fallback. */
final class Json {
    /** Nothing. */
    static final Json NONE = new Json(null);

    private static final JsonFactory FACTORY = new JsonFactory();

    private final @Nullable Object value;

    private Json(@Nullable Object value) {
        this.value = value;
    }

    /** Parses a text; null if it is not JSON. */
    static @Nullable Json parse(String text) {
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) return null;
            Object value = read(parser);
            return parser.nextToken() == null ? new Json(value) : null;
        } catch (IOException _) {
            return null; // the caller reports where the text came from
        }
    }

    private static @Nullable Object read(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, @Nullable Object> out = new LinkedHashMap<>();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    out.put(name, read(parser));
                }
                yield out;
            }
            case START_ARRAY -> {
                List<@Nullable Object> out = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) out.add(read(parser));
                yield out;
            }
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case null, default -> null;
        };
    }

    /** Writes maps, lists, texts, numbers and booleans as JSON. */
    static String write(Object value) {
        StringWriter out = new StringWriter();
        try (JsonGenerator generator = FACTORY.createGenerator(out)) {
            write(generator, value);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a StringWriter cannot fail
        }
        return out.toString();
    }

    private static void write(JsonGenerator generator, @Nullable Object value) throws IOException {
        switch (value) {
            case null -> generator.writeNull();
            case Map<?, ?> map -> {
                generator.writeStartObject();
                for (Map.Entry<?, ?> e : map.entrySet()) {
                    generator.writeFieldName(String.valueOf(e.getKey()));
                    write(generator, e.getValue());
                }
                generator.writeEndObject();
            }
            case List<?> list -> {
                generator.writeStartArray();
                for (Object each : list) write(generator, each);
                generator.writeEndArray();
            }
            case Boolean flag -> generator.writeBoolean(flag);
            case Long number -> generator.writeNumber(number);
            case Integer number -> generator.writeNumber(number);
            case BigDecimal number -> generator.writeNumber(number);
            default -> generator.writeString(value.toString());
        }
    }

    /** The field of a name. */
    Json at(String name) {
        return value instanceof Map<?, ?> map && map.get(name) != null ? new Json(map.get(name)) : NONE;
    }

    /** The elements of a list. */
    List<Json> items() {
        List<Json> out = new ArrayList<>();
        if (value instanceof List<?> list) for (Object each : list) out.add(new Json(each));
        return out;
    }

    /** The fields of an object, in order. */
    Map<String, Json> fields() {
        Map<String, Json> out = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> map) map.forEach((k, v) -> out.put(Text.clean(String.valueOf(k)), new Json(v)));
        return out;
    }

    boolean isMissing() {
        return value == null;
    }

    /** The value as text for people, without control characters. */
    String text(String fallback) {
        return switch (value) {
            case null -> fallback;
            case String s -> Text.clean(s);
            case Double d when d == Math.rint(d) && Math.abs(d) < 1e15 -> Long.toString(d.longValue());
            case Map<?, ?> map -> Text.clean(write(map));
            case List<?> list -> {
                StringBuilder out = new StringBuilder();
                for (Object each : list) out.append(out.isEmpty() ? "" : ", ").append(new Json(each).text(""));
                yield out.toString();
            }
            default -> value.toString();
        };
    }

    double number(double fallback) {
        return value instanceof Double d ? d : fallback;
    }

    boolean flag() {
        return Boolean.TRUE.equals(value);
    }
}
