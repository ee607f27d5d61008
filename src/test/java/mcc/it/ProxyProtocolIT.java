package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import mcc.core.Id;
import mcc.tun.InnerAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real server that believes the PROXY protocol: nginx says who called it, and answers the node's own look as well. */
@Tag("long")
class ProxyProtocolIT {
    @TempDir
    Path folder;

    @Test
    void nginxLearnsWhichNodeCalls() throws Exception {
        String nginx = Needs.program("nginx", "nginx-light");
        int port;
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = any.getLocalPort();
        }
        Path conf = folder.resolve("nginx.conf");
        Files.writeString(conf, """
                daemon off; worker_processes 1; pid %1$s/nginx.pid; error_log %1$s/nginx.log; master_process off;
                events { worker_connections 64; }
                http { access_log off; client_body_temp_path %1$s; proxy_temp_path %1$s;
                  fastcgi_temp_path %1$s; uwsgi_temp_path %1$s; scgi_temp_path %1$s;
                  server { listen 127.0.0.1:%2$d proxy_protocol;
                    location / { return 200 "$proxy_protocol_addr $proxy_protocol_server_addr"; } } }
                """.formatted(folder, port));
        Process server = new ProcessBuilder(
                        nginx,
                        "-c",
                        conf.toString(),
                        "-e",
                        folder.resolve("nginx.log").toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (RealNode provider = RealNode.start(folder.resolve("provider"));
                RealNode user = RealNode.start(folder.resolve("user"), "--bootstrap", provider.bootstrap())) {
            RealNode.await("nginx listens", () -> listens(port));
            RealNode.Answer made = provider.put(
                    "/api/v1/registrations/web",
                    "{\"service\":\"web\",\"proxy\":\"v2\",\"check\":{\"type\":\"http\"},\"port\":" + port + "}");
            assertThat(made.status()).isEqualTo(201);
            assertThat(made.body().path("proxy").asText()).isEqualTo("v2");
            RealNode.await("it is found", () -> !user.providers("web").isEmpty());
            String[] said = fetch(user.forward("web")).split(" ");
            assertThat(InetAddress.getByName(said[0]).getAddress())
                    .isEqualTo(InnerAddress.of("open", Id.parse(user.id)).bytes());
            assertThat(InetAddress.getByName(said[1]))
                    .isEqualTo(InetAddress.getByName(made.body().path("address").asText()));
        } finally {
            server.destroyForcibly().waitFor();
        }
    }

    private static boolean listens(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException _) {
            return false;
        }
    }

    private static String fetch(int port) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"))
                .build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
        }
    }
}
