package mcc.api;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * The dashboard's files, and the readable form of the contract.
 *
 * <p>Everything but the two pages is under {@code /ui/<hash>/}, where the hash covers all of our own files and the libraries'
 * versions: a browser may keep such a file for a year without asking, and a new build has new addresses. The pages, which
 * contain the hash, are requested each time.
 */
final class Pages {
    private static final String ROOT = "webroot";
    private static final String LIBRARIES = "META-INF/resources/webjars";
    private static final String FOREVER = "public, max-age=31536000, immutable";
    private static final String COMMON = " connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none';"
            + " form-action 'none'; frame-ancestors 'none'";

    /** A library on the class path, and the names by which modules import it. */
    private record Library(String group, String name, Map<String, String> imports) {}

    private static final List<Library> DASHBOARD = List.of(
            new Library("org.webjars.npm", "lit", Map.of("lit", "index.js", "lit/", "")),
            new Library("org.webjars.npm", "lit-html", Map.of("lit-html", "lit-html.js", "lit-html/", "")),
            new Library("org.webjars.npm", "lit-element", Map.of("lit-element/", "")),
            new Library(
                    "org.webjars.npm",
                    "lit__reactive-element",
                    Map.of("@lit/reactive-element", "reactive-element.js", "@lit/reactive-element/", "")),
            new Library("org.webjars.npm", "chart.js", Map.of("chart.js", "dist/chart.js")),
            new Library("org.webjars.npm", "kurkle__color", Map.of("@kurkle/color", "dist/color.esm.js")));
    private static final Library SWAGGER = new Library("org.webjars", "swagger-ui", Map.of());

    /** A page, made at start. */
    private record Page(Buffer html, String policy, String tag) {}

    private final String hash;
    private final Page dashboard;
    private final Page docs;

    private Pages(String hash, Page dashboard, Page docs) {
        this.hash = hash;
        this.dashboard = dashboard;
        this.docs = docs;
    }

    /** Reads the pages from the class path and fills in the addresses of the other files. */
    static Pages load() {
        String swagger = "/" + SWAGGER.name() + "/" + version(SWAGGER);
        StringBuilder versions = new StringBuilder(swagger);
        for (Library library : DASHBOARD) versions.append(library.name()).append(version(library));
        String hash = hash(versions.toString());
        String ui = "/ui/" + hash;

        String map = importMap(ui + "/lib");
        String index = text(ROOT + "/index.html").replace("{{ui}}", ui).replace("{{importmap}}", map);
        String scripts =
                "'sha256-" + Base64.getEncoder().encodeToString(sha256(map.getBytes(StandardCharsets.UTF_8))) + "'";
        String strict = "default-src 'none'; script-src 'self' " + scripts + "; style-src 'self';" + COMMON;

        String docs = text(ROOT + "/docs.html").replace("{{ui}}", ui).replace("{{swagger}}", ui + "/lib" + swagger);
        String loose = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';" + COMMON;
        return new Pages(hash, page(index, strict), page(docs, loose));
    }

    void mount(Router router) {
        both(router.route("/")).handler(rc -> send(rc, dashboard));
        both(router.route("/docs")).handler(rc -> send(rc, docs));
        both(router.route("/docs/"))
                .handler(rc -> rc.response()
                        .setStatusCode(308)
                        .putHeader("Location", "/docs")
                        .end());
        both(router.route("/ui/" + hash + "/*")).handler(this::cacheForever);
        files(router, "/ui/" + hash + "/app", ROOT + "/app");
        files(router, "/ui/" + hash + "/lib", LIBRARIES);
    }

    /** Lets a route serve HEAD as well as GET. */
    static Route both(Route route) {
        return route.method(HttpMethod.GET).method(HttpMethod.HEAD);
    }

    private static void files(Router router, String path, String folder) {
        both(router.route(path + "/*")).handler(new ClassPathFiles(folder, path));
    }

    private void cacheForever(RoutingContext rc) {
        HttpServerResponse response = rc.response();
        String tag = '"' + hash + '"';
        if (!EntityTags.passesIfNoneMatch(rc.request(), tag)) {
            response.putHeader("ETag", tag).setStatusCode(304).end();
            return;
        }
        rc.addHeadersEndHandler(_ -> {
            boolean found = response.getStatusCode() < 300;
            response.putHeader("Cache-Control", found ? FOREVER : "no-store");
            if (found) response.putHeader("ETag", tag);
        });
        rc.next();
    }

    private static void send(RoutingContext rc, Page page) {
        HttpServerResponse response = rc.response()
                .putHeader("Content-Security-Policy", page.policy())
                .putHeader("Cache-Control", "no-cache")
                .putHeader("ETag", page.tag());
        if (!EntityTags.passesIfNoneMatch(rc.request(), page.tag())) {
            response.setStatusCode(304).end();
            return;
        }
        response.putHeader("Content-Type", "text/html; charset=utf-8");
        if (rc.request().method().equals(HttpMethod.HEAD)) {
            response.putHeader("Content-Length", String.valueOf(page.html().length()))
                    .end();
        } else response.end(page.html());
    }

    private static Page page(String html, String policy) {
        byte[] bytes = html.getBytes(StandardCharsets.UTF_8);
        return new Page(Buffer.buffer(bytes), policy, '"' + HexFormat.of().formatHex(sha256(bytes), 0, 8) + '"');
    }

    private static String importMap(String at) {
        JsonObject imports = new JsonObject();
        for (Library library : DASHBOARD) {
            String folder = at + "/" + library.name() + "/" + version(library) + "/";
            library.imports().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(e -> imports.put(e.getKey(), folder + e.getValue()));
        }
        return new JsonObject().put("imports", imports).encode();
    }

    /** The version of a library on the class path, from its own metadata. */
    private static String version(Library library) {
        String at = "META-INF/maven/" + library.group() + "/" + library.name() + "/pom.properties";
        try (InputStream in = open(at)) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version", "");
        } catch (IOException e) {
            throw new UncheckedIOException(at, e);
        }
    }

    private static InputStream open(String resource) throws IOException {
        InputStream in = Pages.class.getClassLoader().getResourceAsStream(resource);
        if (in == null) throw new IOException("not on the class path: " + resource);
        return in;
    }

    private static String text(String resource) {
        try (InputStream in = open(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(resource, e);
        }
    }

    /** Identifies this build's files: 12 hexadecimal digits, over names and contents. */
    private static String hash(String versions) {
        URL root = Pages.class.getClassLoader().getResource(ROOT + "/app");
        if (root == null) throw new IllegalStateException("not on the class path: " + ROOT + "/app");
        try {
            URI uri = root.toURI();
            if (!uri.getScheme().equals("jar")) return hash(versions, Path.of(uri));
            try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                return hash(versions, jar.provider().getPath(uri));
            } catch (FileSystemAlreadyExistsException _) {
                return hash(versions, Path.of(uri));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(root.toString(), e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(root.toString(), e);
        }
    }

    private static String hash(String versions, Path folder) throws IOException {
        MessageDigest digest = digest();
        digest.update(versions.getBytes(StandardCharsets.UTF_8));
        try (var files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                digest.update(folder.relativize(file).toString().getBytes(StandardCharsets.UTF_8));
                digest.update(Files.readAllBytes(file));
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 6);
    }

    private static byte[] sha256(byte[] bytes) {
        return digest().digest(bytes);
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
