package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Providers that die, come back, or fail their checks. */
class FailoverIT {
    @TempDir
    Path folder;

    private static HttpServer site(String says) throws IOException {
        HttpServer site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        site.createContext("/", exchange -> {
            byte[] body = says.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        site.start();
        return site;
    }

    private static String fetch(int port) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"))
                .timeout(Duration.ofSeconds(30))
                .build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whenAProviderIsKilledTheOthersServeAndItIsForgottenWithItsLease() throws Exception {
        HttpServer a = site("a");
        HttpServer b = site("b");
        try (RealNode one = RealNode.start(folder.resolve("1"));
                RealNode two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap());
                RealNode three = RealNode.start(folder.resolve("3"), "--bootstrap", one.bootstrap())) {
            one.put("/api/v1/registrations/web", "{\"service\":\"web\",\"leaseMs\":10000,\"port\":" + port(a) + "}");
            two.put("/api/v1/registrations/web", "{\"service\":\"web\",\"leaseMs\":10000,\"port\":" + port(b) + "}");
            RealNode.await("both are found", () -> three.providers("web").size() == 2);
            int port = three.forward("web");
            // A host whose code is cold seems farther than it is, and is left aside until it has answered faster.
            List<String> answers = new ArrayList<>();
            RealNode.await("both serve, in turns", () -> {
                answers.add(fetch(port));
                List<String> last = answers.subList(Math.max(0, answers.size() - 8), answers.size());
                return Collections.frequency(last, "a") > 1 && Collections.frequency(last, "b") > 1;
            });

            // Who served last is among the nearest, so that half of the connections try it first.
            boolean isFirst = answers.getLast().equals("a");
            RealNode dead = isFirst ? one : two;
            RealNode alive = isFirst ? two : one;
            dead.kill();
            List<JsonNode> said = new ArrayList<>();
            RealNode.await("said, not only done", () -> {
                assertThat(fetch(port)).isEqualTo(isFirst ? "b" : "a");
                three.get("/api/v1/events/history?types=tunnel.failover")
                        .body()
                        .path("items")
                        .forEach(said::add);
                return !said.isEmpty();
            });
            assertThat(said.getFirst()
                            .path("data")
                            .path("failed")
                            .get(0)
                            .path("provider")
                            .asText())
                    .isEqualTo(dead.id);
            RealNode.await(
                    "the dead provider is forgotten",
                    () -> three.providers("web").equals(List.of(alive.id)));

            try (RealNode again = RealNode.start(folder.resolve(isFirst ? "1" : "2"))) {
                assertThat(again.id).as("the same identity").isEqualTo(dead.id);
                assertThat(again.get("/api/v1/registrations/web").status())
                        .as("its registration")
                        .isEqualTo(200);
                RealNode.await(
                        "it joins by its remembered contacts and is found again",
                        () -> three.providers("web").contains(dead.id));
            }
        } finally {
            a.stop(0);
            b.stop(0);
        }
    }

    @Test
    void aServiceThatFailsItsCheckIsWithdrawnAndComesBack() throws Exception {
        HttpServer site = site("x");
        int port = port(site);
        try (RealNode one = RealNode.start(folder.resolve("1"));
                RealNode two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap())) {
            String body = "{\"service\":\"web\",\"port\":" + port
                    + ",\"check\":{\"type\":\"http\",\"path\":\"/\",\"intervalMs\":300,\"timeoutMs\":200}}";
            assertThat(one.put("/api/v1/registrations/web", body).status()).isEqualTo(201);
            RealNode.await("it is found", () -> two.providers("web").contains(one.id));
            site.stop(0);
            RealNode.await("it is withdrawn", () -> two.providers("web").isEmpty());
            JsonNode local =
                    one.get("/api/v1/services/web/providers?health=all").body().path("items");
            assertThat(local.get(0).path("health").asText())
                    .as("its owner still shows it")
                    .isEqualTo("fail");
            assertThat(two.post("/api/v1/tunnels", "{\"service\":\"web\"}").status())
                    .isEqualTo(404);
            HttpServer back = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10);
            back.createContext("/", exchange -> {
                exchange.sendResponseHeaders(204, -1);
                exchange.close();
            });
            back.start();
            RealNode.await("it is offered again", () -> two.providers("web").contains(one.id));
            back.stop(0);
        }
    }

    @Test
    void aServiceThatIsDownBehindAHealthyRegistrationIsAClearError() throws Exception {
        HttpServer site = site("x");
        int port = port(site);
        try (RealNode one = RealNode.start(folder.resolve("1"));
                RealNode two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap())) {
            one.register("web", "web", port);
            RealNode.await("it is found", () -> two.providers("web").contains(one.id));
            int local = two.forward("web");
            assertThat(fetch(local)).isEqualTo("x");
            site.stop(0);
            try {
                fetch(local);
                throw new AssertionError("nobody serves, yet there was an answer");
            } catch (AssertionError expected) {
                assertThat(expected).as("the connection is closed at once").hasCauseInstanceOf(IOException.class);
            }
            JsonNode events = two.get("/api/v1/events/history?types=tunnel.refused")
                    .body()
                    .path("items");
            assertThat(events.get(0).path("data").path("reason").asText()).contains("does not accept");
            for (int i = 0; i < 100; i++) new Socket("127.0.0.1", local).close();
            RealNode.await(
                    "all are counted, but not each told of",
                    () -> two.get("/api/v1/tunnels")
                                            .body()
                                            .path("items")
                                            .get(0)
                                            .path("refused")
                                            .asInt()
                                    > 100
                            && two.get("/metrics").raw().body().contains("\nmcc_tunnel_refused_untold_total "));
        }
    }

    private static int port(HttpServer site) {
        return site.getAddress().getPort();
    }
}
