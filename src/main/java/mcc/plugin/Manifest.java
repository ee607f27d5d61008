package mcc.plugin;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import mcc.node.Problem;

/**
 * What a plugin's jar declares in {@code META-INF/mcc-plugin.json}.
 *
 * @param name letters, digits, dots and dashes, the first and the last a letter or digit
 * @param version 1 to 64 characters, for people
 * @param verticles classes to deploy, in this order
 * @param serves addresses that it consumes and publishes to
 * @param calls addresses that it may send to or, below {@code mcc.api.events.}, listen to; {@code a.*} means all below a
 */
record Manifest(String name, String version, List<String> verticles, List<String> serves, List<String> calls) {
    /** Its path in the jar. */
    static final String ENTRY = "META-INF/mcc-plugin.json";
    /** The longest jar, in bytes. */
    static final long JAR_BYTES = 32L << 20;

    private static final int MANIFEST_BYTES = 64 * 1024;
    private static final int LIST_MAX = 64;
    private static final String NAME = "[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?";
    private static final String ADDRESS = "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*";
    private static final String CLASS = "[\\p{L}_$][\\p{L}\\p{N}_$]*(\\.[\\p{L}_$][\\p{L}\\p{N}_$]*)*";
    private static final List<String> FIELDS = List.of("name", "version", "verticles", "serves", "calls");

    Manifest {
        verticles = List.copyOf(verticles);
        serves = List.copyOf(serves);
        calls = List.copyOf(calls);
    }

    /**
     * Reads the manifest of a jar. Blocks.
     *
     * @throws Problem {@code unprocessable} or {@code too-large}, saying what is wrong with the jar
     */
    static Manifest of(Path jar) {
        try {
            long bytes = Files.size(jar);
            if (bytes > JAR_BYTES) {
                throw new Problem(
                        "too-large",
                        "the jar has " + bytes + " bytes, allowed are " + JAR_BYTES,
                        "pack less into it: Vert.x and slf4j are there already");
            }
            try (JarFile file = new JarFile(jar.toFile())) {
                ZipEntry entry = file.getEntry(ENTRY);
                if (entry == null) throw bad("the jar has no " + ENTRY);
                try (InputStream in = file.getInputStream(entry)) {
                    byte[] content = in.readNBytes(MANIFEST_BYTES + 1);
                    if (content.length > MANIFEST_BYTES) throw bad(ENTRY + " is over " + MANIFEST_BYTES + " bytes");
                    return parse(new String(content, StandardCharsets.UTF_8));
                }
            }
        } catch (IOException e) {
            throw bad("the file cannot be read as a jar: " + e.getMessage());
        }
    }

    /**
     * Reads a manifest's text.
     *
     * @throws Problem {@code unprocessable}, naming the field
     */
    static Manifest parse(String text) {
        JsonObject json;
        try {
            json = new JsonObject(text);
        } catch (DecodeException e) {
            throw bad(ENTRY + " is not a JSON object: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
        for (String field : json.fieldNames()) {
            if (!FIELDS.contains(field)) {
                throw bad(ENTRY + ": unknown field '" + field + "'; there are " + String.join(", ", FIELDS));
            }
        }
        String name = text(json, "name");
        if (!name.matches(NAME))
            throw bad(ENTRY + ": name '" + name
                    + "' must have letters, digits, dots and dashes, the first and the last a letter or digit");
        List<String> verticles = list(json, "verticles", CLASS);
        if (verticles.isEmpty()) throw bad(ENTRY + ": verticles is empty");
        List<String> serves = list(json, "serves", ADDRESS);
        for (String address : serves) {
            if (isOurs(address)) throw bad(ENTRY + ": serves '" + address + "', but mcc.* belongs to the node");
        }
        return new Manifest(name, text(json, "version"), verticles, serves, list(json, "calls", ADDRESS + "(\\.\\*)?"));
    }

    /** Whether the manifest allows sending to an address, or listening to it. */
    boolean mayCall(String address) {
        if (serves.contains(address)) return true;
        for (String call : calls) {
            if (call.equals(address)) return true;
            if (call.endsWith(".*") && address.startsWith(call.substring(0, call.length() - 1))) return true;
        }
        return false;
    }

    /** Whether an address belongs to the node. */
    static boolean isOurs(String address) {
        return address.equals("mcc") || address.startsWith("mcc.");
    }

    private static String text(JsonObject json, String field) {
        Object value = json.getValue(field);
        if (value instanceof String s && !s.isBlank() && s.length() <= 64) return s;
        throw bad(ENTRY + ": " + field + " must be a text of 1 to 64 characters");
    }

    private static List<String> list(JsonObject json, String field, String pattern) {
        Object value = json.getValue(field, new JsonArray());
        if (!(value instanceof JsonArray array)) throw bad(ENTRY + ": " + field + " must be a list of texts");
        if (array.size() > LIST_MAX) throw bad(ENTRY + ": " + field + " has more than " + LIST_MAX + " entries");
        List<String> out = new ArrayList<>();
        for (Object each : array) {
            if (!(each instanceof String s) || s.length() > 255 || !s.matches(pattern)) {
                throw bad(ENTRY + ": " + field + " has the entry '" + each + "', which is not well-formed");
            }
            out.add(s);
        }
        return out;
    }

    private static Problem bad(String detail) {
        return new Problem("unprocessable", detail, "docs/plugins.md says what a plugin's jar contains");
    }
}
