package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real PostgreSQL behind one node, its real client beside another. */
class PostgresIT {
    @TempDir
    Path folder;

    @Test
    void aDatabaseIsUsedThroughATunnel() throws Exception {
        Needs.root(); // the server refuses to run as root, so the test becomes its user
        String psql = Needs.program("psql", "postgresql-client");
        Path bin = server();
        Path data = Files.createTempDirectory(
                "mcc-pg", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        sh("chown postgres " + data);
        int port = free();
        sh("runuser -u postgres -- " + bin + "/initdb -A trust -D " + data + "/db");
        Process server = new ProcessBuilder(
                        "runuser",
                        "-u",
                        "postgres",
                        "--",
                        bin + "/postgres",
                        "-D",
                        data + "/db",
                        "-p",
                        "" + port,
                        "-h",
                        "127.0.0.1",
                        "-k",
                        data.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (RealNode one = RealNode.start(folder.resolve("1"));
                RealNode two = RealNode.start(folder.resolve("2"), "--bootstrap", one.bootstrap())) {
            one.put(
                    "/api/v1/registrations/db",
                    "{\"service\":\"db\",\"port\":" + port + ",\"check\":{\"type\":\"tcp\",\"intervalMs\":200}}");
            RealNode.await("the database is found", () -> two.providers("db").contains(one.id));
            String client = psql + " -h 127.0.0.1 -p " + two.forward("db") + " -U postgres -qtA -c ";
            assertThat(sh(client + "'select sum(i) from generate_series(1,100000) i'")
                            .strip())
                    .isEqualTo("5000050000");
            sh(client + "\"create table t as select i, repeat('x', 1000) as x from generate_series(1, 20000) i\"");
            String rows = sh(client + "'select * from t' | sha256sum");
            String direct =
                    sh(psql + " -h 127.0.0.1 -p " + port + " -U postgres -qtA -c 'select * from t' | sha256sum");
            assertThat(rows).isEqualTo(direct);
        } finally {
            server.destroy();
            server.waitFor(30, TimeUnit.SECONDS);
            try (Stream<Path> files = Files.walk(data)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(file);
            }
        }
    }

    private static Path server() throws IOException {
        Path all = Path.of("/usr/lib/postgresql");
        if (Files.isDirectory(all)) {
            try (Stream<Path> versions = Files.list(all)) {
                List<Path> found = versions.map(v -> v.resolve("bin"))
                        .filter(b -> Files.isExecutable(b.resolve("initdb")))
                        .toList();
                if (!found.isEmpty()) return found.getLast();
            }
        }
        Needs.missing("PostgreSQL is missing: install Debian's package postgresql");
        return all;
    }

    private static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String sh(String command) throws Exception {
        Process process = new ProcessBuilder("sh", "-c", command).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(command + "\n" + err).isZero();
        return out;
    }
}
