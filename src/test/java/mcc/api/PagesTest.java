package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PagesTest {
    private static Vertx vertx;
    private static HttpClient client;
    private static String base;

    @BeforeAll
    static void serve() throws Exception {
        // As with a temporary folder that is full: nothing can be copied there.
        FileSystemOptions none =
                new FileSystemOptions().setClassPathResolvingEnabled(false).setFileCachingEnabled(false);
        vertx = Vertx.vertx(new VertxOptions().setFileSystemOptions(none));
        client = HttpClient.newHttpClient();
        Router router = Router.router(vertx);
        Pages.load().mount(router);
        HttpServer server = vertx.createHttpServer()
                .requestHandler(router)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get();
        base = "http://127.0.0.1:" + server.actualPort();
    }

    @AfterAll
    static void end() throws Exception {
        client.close();
        vertx.close().toCompletionStage().toCompletableFuture().get();
    }

    private static HttpResponse<String> send(String method, String path, String... headers) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).method(method, HttpRequest.BodyPublishers.noBody());
        if (headers.length > 0) request.headers(headers);
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpResponse<String> get(String path) throws Exception {
        return send("GET", path);
    }

    private static String header(HttpResponse<?> answer, String name) {
        return answer.headers().firstValue(name).orElse("");
    }

    private static String found(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern, Pattern.DOTALL).matcher(text);
        assertThat(matcher.find()).as("%s in %s", pattern, text).isTrue();
        return matcher.group(1);
    }

    @Test
    void thePageIsAskedForEachTimeAndItsTagSparesTheBody() throws Exception {
        HttpResponse<String> page = get("/");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(header(page, "Content-Type")).isEqualTo("text/html; charset=utf-8");
        assertThat(header(page, "Cache-Control")).isEqualTo("no-cache");
        assertThat(page.body()).doesNotContain("{{");
        String tag = header(page, "ETag");
        HttpResponse<String> again = send("GET", "/", "If-None-Match", tag);
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
    }

    @Test
    void thePolicyAllowsTheInlineMapByItsHashAndNothingElseInline() throws Exception {
        HttpResponse<String> page = get("/");
        String map = found("<script type=\"importmap\">(.*?)</script>", page.body());
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(map.getBytes(StandardCharsets.UTF_8));
        String policy = header(page, "Content-Security-Policy");
        assertThat(policy)
                .startsWith("default-src 'none'; script-src 'self' 'sha256-"
                        + Base64.getEncoder().encodeToString(hash) + "'; style-src 'self';")
                .doesNotContain("unsafe");
        assertThat(page.body().split("<script").length - 1)
                .as("scripts: the map and the module")
                .isEqualTo(2);
        assertThat(page.body())
                .doesNotContain("<style")
                .doesNotContain("style=")
                .doesNotContain("onload");
    }

    @Test
    void everyNameInTheImportMapLeadsToAFile() throws Exception {
        String map = found("<script type=\"importmap\">(.*?)</script>", get("/").body());
        JsonObject imports = new JsonObject(map).getJsonObject("imports");
        assertThat(imports.fieldNames()).contains("lit", "lit/", "chart.js");
        for (String name : imports.fieldNames()) {
            String path = imports.getString(name);
            if (path.endsWith("/")) continue; // a folder: what is in it is asked for by name
            HttpResponse<String> file = get(path);
            assertThat(file.statusCode()).as(name).isEqualTo(200);
            assertThat(header(file, "Content-Type")).as(name).contains("javascript");
        }
    }

    @Test
    void filesUnderTheBuildHashAreKeptForAYear() throws Exception {
        String script = found("src=\"(/ui/[0-9a-f]{12}/app/app.js)\"", get("/").body());
        HttpResponse<String> file = get(script);
        assertThat(header(file, "Cache-Control")).isEqualTo("public, max-age=31536000, immutable");
        assertThat(header(file, "Content-Type")).contains("javascript");
        HttpResponse<String> again = send("GET", script, "If-None-Match", header(file, "ETag"));
        assertThat(again.statusCode()).isEqualTo(304);
        HttpResponse<String> style = get(script.replace("app.js", "style.css"));
        assertThat(header(style, "Content-Type")).contains("text/css");
    }

    @Test
    void headAnswersWithoutABody() throws Exception {
        String script = found("src=\"(/ui/[0-9a-f]{12}/app/app.js)\"", get("/").body());
        for (String path : new String[] {"/", "/docs", script}) {
            HttpResponse<String> head = send("HEAD", path);
            assertThat(head.statusCode()).as(path).isEqualTo(200);
            assertThat(head.body()).as(path).isEmpty();
            assertThat(header(head, "Content-Length")).as(path).isNotIn("", "0");
        }
    }

    @Test
    void whatIsNotThereIsNotFoundAndNotKept() throws Exception {
        String ui = found("(/ui/[0-9a-f]{12})/", get("/").body());
        for (String path : new String[] {
            ui + "/app/none.js",
            ui + "/app/",
            ui + "/app/../index.html",
            ui + "/app/%2e%2e/index.html",
            ui + "/app/%5c..%5cindex.html",
            ui + "/lib/chart.js",
            ui + "/lib/lit/0.0.0/index.js",
            ui + "/index.html",
            "/ui/000000000000/app/app.js",
            "/index.html"
        }) {
            HttpResponse<String> answer = get(path);
            assertThat(answer.statusCode()).as(path).isEqualTo(404);
            assertThat(header(answer, "Cache-Control")).as(path).doesNotContain("immutable");
        }
        assertThat(send("POST", "/").statusCode()).isEqualTo(405);
    }

    @Test
    void theReadableContractMayStyleInlineButNotScript() throws Exception {
        HttpResponse<String> docs = get("/docs");
        String policy = header(docs, "Content-Security-Policy");
        assertThat(policy).contains("script-src 'self';").contains("style-src 'self' 'unsafe-inline'");
        String bundle = found("src=\"(/ui/[^\"]*swagger-ui-bundle.js)\"", docs.body());
        assertThat(get(bundle).statusCode()).isEqualTo(200);
        assertThat(docs.body()).doesNotContain("<script>").doesNotContain("{{");
    }
}
