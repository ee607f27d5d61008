package mcc.plugin;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;

/** Makes the jars of plugins out of classes of these tests. */
public final class Jars {
    static final JsonObject GREETER = manifest(
            "greeter",
            "mcc.plugin.sample.GreeterVerticle",
            List.of("sample.greet", "sample.changes"),
            List.of(
                    "mcc.api.putRegistration",
                    "mcc.api.deleteRegistration",
                    "mcc.api.watch",
                    "mcc.api.events.service.*"));

    private Jars() {}

    public static JsonObject manifest(String name, String verticle, List<String> serves, List<String> calls) {
        return new JsonObject()
                .put("name", name)
                .put("version", "1.0")
                .put("verticles", new JsonArray().add(verticle))
                .put("serves", new JsonArray(serves))
                .put("calls", new JsonArray(calls));
    }

    /** The bytes of a jar with this manifest's text, null for none, and these classes. */
    public static byte[] jar(@Nullable String manifest, String... classes) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream out = new JarOutputStream(bytes)) {
            if (manifest != null) add(out, Manifest.ENTRY, manifest.getBytes(StandardCharsets.UTF_8));
            for (String name : classes) {
                String file = name.replace('.', '/') + ".class";
                try (InputStream in = Jars.class.getResourceAsStream("/" + file)) {
                    if (in == null) throw new AssertionError("no class " + name);
                    add(out, file, in.readAllBytes());
                }
            }
            add(out, "note.txt", "any".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void add(JarOutputStream out, String name, byte[] content) throws IOException {
        out.putNextEntry(new ZipEntry(name));
        out.write(content);
        out.closeEntry();
    }

    /** Puts a jar into a folder at one stroke. */
    public static Path put(Path folder, String name, byte[] content) {
        try {
            Files.createDirectories(folder);
            Path part = Files.write(folder.resolve(name + ".part"), content);
            return Files.move(
                    part,
                    folder.resolve(name + ".jar"),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
