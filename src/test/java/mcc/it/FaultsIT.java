package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bad input and faults, at a real node: a clear error that names the cause and the way out, and nothing lost. */
@Busy
class FaultsIT {
    @TempDir
    Path folder;

    /** What a node that cannot start says, and how it ends. */
    private record Refusal(int code, String text) {}

    private Refusal refused(String... options) throws Exception {
        return refused(List.of(), options);
    }

    /** The same, behind a prefix such as {@code unshare -m}. */
    private Refusal refused(List<String> prefix, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("run"));
        arguments.addAll(List.of(options));
        List<String> command = new ArrayList<>(prefix);
        command.addAll(RealNode.command(arguments.toArray(String[]::new)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(text).doesNotContain("Exception").doesNotContain("\tat ");
        return new Refusal(process.exitValue(), text);
    }

    private String[] options(String... more) {
        List<String> out = new ArrayList<>(List.of("--data", folder.resolve("n").toString()));
        List<String> set = List.of(more);
        if (!set.contains("--listen")) out.addAll(List.of("--listen", "127.0.0.1:0"));
        if (!set.contains("--http")) out.addAll(List.of("--http", "127.0.0.1:0"));
        out.addAll(set);
        return out.toArray(String[]::new);
    }

    @Test
    void aPortInUseNamesTheWayOut() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                DatagramSocket udp = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            Refusal http = refused(options("--http", "127.0.0.1:" + taken.getLocalPort()));
            assertThat(http.code()).isEqualTo(1);
            assertThat(http.text()).contains("127.0.0.1:" + taken.getLocalPort(), "--http 127.0.0.1:0");
            Refusal listen = refused(options("--listen", "127.0.0.1:" + udp.getLocalPort()));
            assertThat(listen.code()).isEqualTo(1);
            assertThat(listen.text()).contains("127.0.0.1:" + udp.getLocalPort(), "--listen");
        }
    }

    @Test
    void anUnknownKeyIsRefusedByNameWithTheNearest() throws Exception {
        Path file = Files.writeString(folder.resolve("mcc.yaml"), "bootstrp: 127.0.0.1:1\n");
        assertThat(refused(options("--config", file.toString())).text())
                .contains("'bootstrp'", "did you mean 'bootstrap'?");
    }

    @Test
    void anUnknownBootstrapHostIsSaidAndTheNodeRunsOn() {
        try (RealNode node = RealNode.start(folder.resolve("n"), "--bootstrap", "no-such-host.invalid:9376")) {
            RealNode.await("it is said", () -> node.log().contains("no-such-host.invalid"));
            assertThat(node.get("/health/live").status()).isEqualTo(200);
            RealNode.await(
                    "its status says so too",
                    () -> node.get("/api/v1/node").raw().body().contains("no bootstrap node has answered yet"));
        }
    }

    @Test
    void oneFolderServesOneNodeAlsoWhereItsLockIsRemoved() throws Exception {
        Path data = folder.resolve("n");
        try (RealNode node = RealNode.start(data)) {
            assertThat(refused(options()).text()).contains("in use by another node", "--data DIR");
            node.register("web", "web", 1);
            Files.delete(data.resolve("lock"));
            assertThat(refused(options()).text()).contains("store.mv is locked by another process", "--data DIR");
            assertThat(registrations(node)).containsExactly("web");
            assertThat(node.stop()).as("a clean end").isZero();
        }
    }

    @Test
    void aNodeKilledWhileItWritesKeepsWhatItAcknowledgedAndACorruptStoreIsTold() throws Exception {
        Path data = folder.resolve("n");
        List<String> acknowledged = new ArrayList<>();
        RealNode node = RealNode.start(data);
        String id = node.id;
        Thread killer = Thread.ofVirtual().unstarted(node::kill);
        for (int i = 0; i < 60; i++) {
            if (i == 40) killer.start();
            try {
                node.register("r" + i, "web", 1000 + i);
                acknowledged.add("r" + i);
            } catch (RuntimeException | AssertionError killed) {
                break;
            }
        }
        killer.join();
        assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(40);
        try (RealNode again = RealNode.start(data)) {
            assertThat(again.id).isEqualTo(id);
            for (String each : acknowledged) {
                assertThat(again.get("/api/v1/registrations/" + each).status())
                        .as(each)
                        .isEqualTo(200);
            }
            assertThat(problems(again)).doesNotContain("store-lost");
            assertThat(again.stop()).isZero();
        }
        Files.write(data.resolve("store.mv"), Rng.seeded(3).bytes(20_000));
        try (RealNode corrupt = RealNode.start(data)) {
            assertThat(corrupt.id).isEqualTo(id);
            assertThat(corrupt.log()).contains("is corrupt", "moved to");
            assertThat(problems(corrupt)).contains("store-lost");
            assertThat(registrations(corrupt)).isEmpty();
            corrupt.register("web", "web", 1);
        }
    }

    @Test
    void forwardsSurviveARestart() throws Exception {
        try (RealNode app = RealNode.start(folder.resolve("app"))) {
            app.register("web", "web", 9);
            Path data = folder.resolve("n");
            String listen;
            try (RealNode node = RealNode.start(data, "--bootstrap", app.bootstrap())) {
                RealNode.await("web is found", () -> !node.providers("web").isEmpty());
                node.forward("web");
                listen = node.get("/api/v1/tunnels")
                        .body()
                        .path("items")
                        .get(0)
                        .path("listen")
                        .asText();
                assertThat(node.stop()).isZero();
            }
            try (RealNode node = RealNode.start(data)) {
                assertThat(node.get("/api/v1/tunnels")
                                .body()
                                .path("items")
                                .get(0)
                                .path("listen")
                                .asText())
                        .isEqualTo(listen);
            }
        }
    }

    @Test
    void requestsThatAreWrongGetProblemsAndNeverA500() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("n"))) {
            RealNode.Answer answer = node.put("/api/v1/registrations/x", "{\"service\":7,\"port\":\"a\",\"color\":1}");
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.body().path("code").asText()).isEqualTo("validation");
            assertThat(answer.body().path("errors").findValuesAsText("pointer").toString())
                    .contains("/color");
            assertThat(node.put("/api/v1/registrations/x", "[1]").status()).isEqualTo(400);
            assertThat(node.put("/api/v1/registrations/x", "{").status()).isEqualTo(400);
            assertThat(node.put("/api/v1/registrations/x", "{\"service\":\"UPPER\",\"port\":1}")
                            .status())
                    .isEqualTo(400);
            assertThat(node.get("/api/v1/peers?limit=0").status()).isEqualTo(400);
            assertThat(node.get("/api/v1/peers?nonsense=1").status()).isEqualTo(400);
            assertThat(node.get("/api/v1/registrations/none").status()).isEqualTo(404);
            assertThat(node.get("/api/v1/none").status()).isEqualTo(404);
            assertThat(node.delete("/api/v1/node").status()).isEqualTo(405);
            assertThat(node.post("/api/v1/tunnels", "{\"service\":\"none\"}").status())
                    .isEqualTo(404);
            assertThat(node.post("/api/v1/node/drain", "").status())
                    .as("needs a token")
                    .isEqualTo(401);
            String huge = "{\"service\":\"" + "x".repeat(10 << 20) + "\"}";
            assertThat(node.put("/api/v1/registrations/x", huge).status()).isEqualTo(413);
            assertThat(node.send(node.request("/api/v1/registrations/x").PUT(HttpRequest.BodyPublishers.ofString("{}")))
                            .status())
                    .isEqualTo(415);
            assertThat(node.send(node.request("/api/v1/node")
                                    .header("Origin", "http://evil.example")
                                    .GET())
                            .body()
                            .path("code")
                            .asText())
                    .isEqualTo("origin-not-allowed");
            assertThat(node.get("/api/v1/registrations").body().path("items")).isEmpty();
            assertThat(node.log()).doesNotContain("Exception");
        }
    }

    @Test
    void whoSendsTooManyRequestsAheadIsCutOffAndFillsNoLog() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("n"))) {
            URI uri = URI.create(node.http);
            long before = node.log().lines().count();
            try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
                socket.setSoTimeout(60_000);
                String one = "GET /api/v1/node HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n\r\n";
                assertThatThrownBy(() -> {
                            socket.getOutputStream().write(one.repeat(9_000).getBytes(StandardCharsets.US_ASCII));
                            while (socket.getInputStream().read() >= 0) continue;
                            throw new EOFException();
                        })
                        .as("the connection ends")
                        .isInstanceOf(IOException.class)
                        .isNotInstanceOf(SocketTimeoutException.class);
            }
            assertThat(node.get("/api/v1/node").status()).isEqualTo(200);
            assertThat(node.log().lines().count() - before).isLessThanOrEqualTo(1);
        }
    }

    @Test
    void randomDatagramsAreCountedAndDropped() throws Exception {
        try (RealNode node = RealNode.start(folder.resolve("n"));
                DatagramSocket socket = new DatagramSocket()) {
            Rng rng = Rng.seeded(4);
            int port = Integer.parseInt(node.udp.substring(node.udp.lastIndexOf(':') + 1));
            for (int i = 0; i < 5_000; i++) {
                byte[] bytes = rng.bytes(rng.below(1400));
                socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
            }
            RealNode.await(
                    "they are counted",
                    () -> node.get("/metrics")
                            .raw()
                            .body()
                            .lines()
                            .filter(l -> l.startsWith("mcc_link_datagram_malformed_total"))
                            .anyMatch(l -> Double.parseDouble(l.substring(l.indexOf(' '))) > 100));
            assertThat(node.get("/api/v1/peers").body().path("items")).isEmpty();
            assertThat(node.log()).doesNotContain("Exception");
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsSaid() throws IOException, Exception {
        Path file = Files.writeString(folder.resolve("file"), "x");
        Refusal refusal =
                refused("--data", file.resolve("n").toString(), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0");
        assertThat(refusal.code()).isEqualTo(1);
        assertThat(refusal.text()).contains("data folder", "--data DIR");
    }

    @Test
    void aFullDiskFailsTheWriteAndNothingElse() throws Exception {
        Needs.root(); // for a small disk of the test's own
        Path disk = Files.createDirectory(folder.resolve("disk"));
        sh("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", disk.toString());
        try {
            Path data = disk.resolve("n");
            String id;
            try (RealNode node = RealNode.start(data)) {
                id = node.id;
                node.register("before", "web", 1);
                Path ballast = disk.resolve("ballast");
                fill(ballast);
                RealNode.Answer full = node.put("/api/v1/registrations/full", "{\"service\":\"web\",\"port\":2}");
                assertThat(full.status()).isEqualTo(503);
                assertThat(full.body().path("code").asText()).isEqualTo("store-failed");
                assertThat(full.body().path("detail").asText())
                        .isEqualTo("nothing was changed, because it could not be saved: No space left on device");
                assertThat(full.body().path("hint").asText()).contains("free space");
                assertThat(registrations(node)).as("nothing was made").containsExactly("before");
                assertThat(node.providers("web")).hasSize(1);
                assertThat(node.put("/api/v1/registrations/before", "{\"service\":\"web\",\"port\":4}")
                                .status())
                        .isEqualTo(503);
                assertThat(node.get("/api/v1/registrations/before")
                                .body()
                                .path("port")
                                .asInt())
                        .as("nothing was changed")
                        .isEqualTo(1);
                assertThat(node.delete("/api/v1/registrations/before").status()).isEqualTo(503);
                assertThat(registrations(node)).as("nothing was withdrawn").containsExactly("before");
                assertThat(problems(node)).contains("store-failed");
                Files.delete(ballast);
                RealNode.await(
                        "it saves again",
                        () -> node.put("/api/v1/registrations/after", "{\"service\":\"web\",\"port\":3}")
                                        .status()
                                < 300);
                assertThat(problems(node)).doesNotContain("store-failed");
                node.kill();
            }
            try (RealNode node = RealNode.start(data)) {
                assertThat(node.id).isEqualTo(id);
                assertThat(node.get("/api/v1/registrations/before").status()).isEqualTo(200);
                assertThat(node.get("/api/v1/registrations/after").status()).isEqualTo(200);
            }
        } finally {
            sh("umount", "-l", disk.toString());
        }
    }

    private static List<String> registrations(RealNode node) {
        return node.get("/api/v1/registrations").body().path("items").findValuesAsText("id");
    }

    private static List<String> problems(RealNode node) {
        return node.get("/api/v1/node").body().path("problems").findValuesAsText("code");
    }

    @Test
    void aKeyOfAnotherUserIsRefusedWithBothNames() throws Exception {
        Needs.root(); // to give a file away
        Path data = folder.resolve("n");
        try (RealNode node = RealNode.start(data)) {
            assertThat(node.stop()).isZero();
        }
        Path key = data.resolve("node.key");
        Files.setAttribute(key, "unix:uid", 65_534);
        String owner = Files.getOwner(key).getName();
        Refusal refusal = refused(options());
        assertThat(refusal.code()).isEqualTo(1);
        assertThat(refusal.text())
                .contains("belongs to " + owner, "runs as root", "run the node as " + owner, "--data DIR")
                .doesNotContain(Files.readAllLines(key).get(1));
    }

    @Test
    void aDiskThatMayOnlyBeReadIsSaidWhetherTheFolderIsThereOrNot() throws Exception {
        Needs.root(); // for a disk in a namespace of the test's own
        Path data = folder.resolve("n");
        try (RealNode node = RealNode.start(data)) {
            assertThat(node.stop()).isZero();
        }
        String readOnly = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
        List<String> prefix =
                List.of(Needs.program("unshare", "util-linux"), "-m", "sh", "-c", readOnly, folder.toString());
        for (String name : List.of("n", "new")) {
            Refusal refusal = refused(
                    prefix,
                    "--data",
                    folder.resolve(name).toString(),
                    "--listen",
                    "127.0.0.1:0",
                    "--http",
                    "127.0.0.1:0");
            assertThat(refusal.code()).isEqualTo(1);
            assertThat(refusal.text()).contains("cannot use data folder", "Read-only file system", "--data DIR");
        }
    }

    @Test
    void aNameIsKnownAsSoonAsTheHostKnowsIt() throws Exception {
        Needs.root(); // for a hosts file of the test's own
        Path hosts = Files.writeString(folder.resolve("hosts"), "127.0.0.1 localhost\n");
        String mounted = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
        List<String> prefix =
                List.of(Needs.program("unshare", "util-linux"), "-m", "sh", "-c", mounted, hosts.toString());
        try (Echo app = new Echo();
                RealNode node = RealNode.start(prefix, folder.resolve("n"))) {
            String check = "\"check\":{\"type\":\"tcp\",\"intervalMs\":1000,\"timeoutMs\":500,\"failures\":1}";
            String body = "{\"service\":\"web\",\"host\":\"app.test\",\"port\":" + app.port() + "," + check + "}";
            assertThat(node.put("/api/v1/registrations/web", body).status()).isEqualTo(201);
            RealNode.await("nobody knows the name", () -> health(node).equals("fail"));
            Files.writeString(hosts, "127.0.0.1 localhost app.test\n");
            RealNode.await("the app is reached by it", () -> health(node).equals("pass"), node);
            Echo.assertEchoes(node.forward("web"), new byte[] {1});
        }
    }

    @Test
    void aUserWithoutANameHasItsDataFolderAgain() throws Exception {
        Needs.root(); // for a list of users of the test's own
        Path users = Files.writeString(folder.resolve("passwd"), "nobody:x:65534:65534::/:/bin/false\n");
        Path sources = Files.writeString(folder.resolve("nsswitch"), "passwd: files\n"); // others know root by heart
        String nameless = "mount --bind \"$0\" /etc/passwd && mount --bind \"$1\" /etc/nsswitch.conf && shift"
                + " && ! id -un > /dev/null 2>&1 && exec \"$@\"";
        List<String> prefix = List.of(
                Needs.program("unshare", "util-linux"),
                "-m",
                "sh",
                "-c",
                nameless,
                users.toString(),
                sources.toString());
        for (int i = 0; i < 2; i++) {
            try (RealNode node = RealNode.start(prefix, folder.resolve("n"))) {
                assertThat(node.get("/api/v1/node").status()).isEqualTo(200);
            }
        }
    }

    private static String health(RealNode node) {
        return node.get("/api/v1/registrations/web").body().path("health").asText();
    }

    @Test
    void noFolderForTemporaryFilesIsNeeded() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        String options = System.getenv().getOrDefault("MCC_JAVA_OPTS", "") + " -Djava.io.tmpdir="
                + file.resolve("none"); // nobody, root neither, can make a folder there
        try (RealNode node = RealNode.start(List.of("env", "MCC_JAVA_OPTS=" + options), folder.resolve("n"))) {
            assertThat(node.get("/").status()).isEqualTo(200);
            assertThat(node.get("/api/v1/node").status()).isEqualTo(200);
            assertThat(node.log()).doesNotContain("Exception");
        }
    }

    private static void fill(Path file) throws IOException {
        byte[] block = new byte[4096];
        try (var out = Files.newOutputStream(file)) {
            while (true) out.write(block);
        } catch (IOException full) {
            assertThat(full.getMessage()).contains("No space");
        }
    }

    private static void sh(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }
}
