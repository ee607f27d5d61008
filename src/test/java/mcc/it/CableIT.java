package mcc.it;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.sh;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user on another host whose cable is pulled: no byte says so, and nobody sends one. */
@Tag("long")
class CableIT {
    private static final int APP = 8000;
    private static final int FORWARD = 9000;

    @TempDir
    Path folder;

    @Test
    void whoVanishesWithoutAWordLeavesNoConnectionNeitherHereNorAtTheApp() throws Exception {
        Needs.program("ss", "iproute2");
        try (TwoHosts hosts = new TwoHosts("c")) {
            // It never ends a connection by itself, as a server of HTTP ends those that ask for nothing.
            String silent = "require('net').createServer().listen(" + APP + ", '127.0.0.1')";
            Process app = new ProcessBuilder(exec(hosts.left, Needs.program("node", "nodejs"), "-e", silent))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            Process user = null;
            try (RealNode node = RealNode.start(exec(hosts.left), folder.resolve("n"), "--tunnel-keepalive", "1")) {
                ask(hosts, node, "PUT", "/registrations/app", "{\"service\":\"app\",\"port\":" + APP + "}");
                String listen = TwoHosts.A + ":" + FORWARD;
                ask(hosts, node, "POST", "/tunnels", "{\"service\":\"app\",\"listen\":\"" + listen + "\"}");
                String talk = "exec 3<>/dev/tcp/" + TwoHosts.A + "/" + FORWARD + "; sleep 600";
                user = new ProcessBuilder(exec(hosts.right, "bash", "-c", talk)).start();
                RealNode.await("both stand", () -> established(hosts, FORWARD) == 1 && established(hosts, APP) == 1);
                sh("ip -n " + hosts.right + " link set eth0 down");
                RealNode.await("both are gone", () -> established(hosts, FORWARD) == 0 && established(hosts, APP) == 0);
            } finally {
                if (user != null) user.destroyForcibly().waitFor();
                app.destroyForcibly().waitFor();
            }
        }
    }

    private static void ask(TwoHosts hosts, RealNode node, String method, String path, String body) throws Exception {
        sh(in(
                hosts.left,
                "curl -sf --max-time 60 -X " + method + " -H 'Content-Type: application/json' -d '" + body + "' "
                        + node.http + "/api/v1" + path));
    }

    /** Connections that a port of the left host has accepted and that are whole. */
    private static long established(TwoHosts hosts, int port) {
        try {
            return sh(in(hosts.left, "ss -Htn state established sport = :" + port))
                    .lines()
                    .count();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
