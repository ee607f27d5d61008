package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
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
import org.junit.jupiter.api.Tag;
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

    @Tag("long")
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
            RealNode.await("its link is gone because its host refuses, not because of a time-out", () -> {
                String metrics = three.get("/metrics").raw().body();
                assertThat(metrics).doesNotContain("\nmcc_link_handshake_timeout_total ");
                return metrics.contains("\nmcc_link_peer_refusing_total 1");
            });
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
                        () -> three.providers("web").contains(dead.id),
                        again,
                        alive,
                        three);
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

    @Tag("long")
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

    @Tag("long")
    @Test
    void whatAFrozenProviderCarriedMovesToAnotherOneOrEndsLongBeforeTheLinkGivesUp() throws Exception {
        try (RealNode one = RealNode.start(folder.resolve("1"));
                RealNode two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap());
                RealNode three =
                        RealNode.start(folder.resolve("3"), "--bootstrap", one.bootstrap(), "--tunnel-patience", "3");
                DatagramSocket a = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                DatagramSocket b = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                ServerSocket c = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                ServerSocket d = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                DatagramSocket client = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            answer(a, 'a');
            answer(b, 'b');
            greet(c, 'a');
            greet(d, 'b');
            for (RealNode node : List.of(one, two)) {
                int port = node == one ? a.getLocalPort() : b.getLocalPort();
                node.put(
                        "/api/v1/registrations/dns",
                        "{\"service\":\"dns\",\"protocol\":\"udp\",\"port\":" + port + "}");
                node.register("web", "web", (node == one ? c : d).getLocalPort());
            }
            RealNode.await(
                    "all are found",
                    () -> three.providers("dns").size() == 2
                            && three.providers("web").size() == 2);
            int dns = three.forward("dns");
            int web = three.forward("web");
            char first = exchange(client, dns, 'x');
            RealNode frozen = first == 'a' ? one : two;
            try (Socket user = through(web, first)) {
                new ProcessBuilder("kill", "-STOP", "" + frozen.process.pid())
                        .inheritIO()
                        .start()
                        .waitFor();
                user.getOutputStream().write(1);
                assertThat(exchange(client, dns, first)).isNotEqualTo(first);
                assertThat(end(user)).isEqualTo(-1);
            }
            String metrics = three.get("/metrics").raw().body();
            assertThat(metrics)
                    .contains("\nmcc_tunnel_flow_moved_total 1")
                    .containsPattern("\nmcc_tunnel_peer_lost_total [1-9]"); // each that it carried tells it
            assertThat(metrics).as("the link itself has hope").doesNotContain("\nmcc_link_handshake_timeout_total ");
        }
    }

    private static void answer(DatagramSocket app, char name) {
        Thread.ofVirtual().start(() -> {
            DatagramPacket packet = new DatagramPacket(new byte[1], 1);
            while (!app.isClosed()) {
                try {
                    app.receive(packet);
                    packet.setData(new byte[] {(byte) name});
                    app.send(packet);
                } catch (IOException _) {
                    return; // closed at the end of the test
                }
            }
        });
    }

    /** Asks until an answer comes that is not of {@code but}. */
    private static char exchange(DatagramSocket client, int port, char but) throws IOException {
        client.setSoTimeout(100);
        DatagramPacket packet = new DatagramPacket(new byte[1], 1);
        for (int i = 0; i < 600; i++) {
            client.send(new DatagramPacket(new byte[1], 1, InetAddress.getLoopbackAddress(), port));
            try {
                client.receive(packet);
                if (packet.getData()[0] != but) return (char) packet.getData()[0];
            } catch (SocketTimeoutException _) {
                // asked again
            }
        }
        throw new AssertionError("no answer");
    }

    /** An app that says its name to everybody, and holds all connections. */
    private static void greet(ServerSocket app, char name) {
        Thread.ofVirtual().start(() -> {
            List<Socket> held = new ArrayList<>();
            while (!app.isClosed()) {
                try {
                    Socket socket = app.accept();
                    held.add(socket);
                    socket.getOutputStream().write(name);
                } catch (IOException _) {
                    return; // closed at the end of the test
                }
            }
        });
    }

    /** A connection to the app of a name, opened again until it is that one. */
    private static Socket through(int port, char name) throws IOException {
        for (int i = 0; i < 200; i++) {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setSoTimeout((int) RealNode.PATIENCE_MS);
            if (socket.getInputStream().read() == name) return socket;
            socket.close();
        }
        throw new AssertionError("never by " + name);
    }

    private static int end(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read();
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException _) {
            return -1; // a reset
        }
    }

    private static int port(HttpServer site) {
        return site.getAddress().getPort();
    }
}
