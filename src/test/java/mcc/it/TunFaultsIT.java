package mcc.it;

import static mcc.it.TwoHosts.A;
import static mcc.it.TwoHosts.B;
import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The virtual interface on hosts that do not let their nodes have one. */
@Tag("long")
class TunFaultsIT {
    @TempDir
    Path folder;

    private TwoHosts hosts;

    @BeforeEach
    void link() throws Exception {
        Needs.program("curl", "curl");
        Needs.program("setpriv", "util-linux");
        if (!Files.exists(Path.of("/dev/net/tun"))) Needs.missing("there is no /dev/net/tun");
        hosts = new TwoHosts("f");
    }

    @AfterEach
    void unlink() throws Exception {
        if (hosts != null) hosts.close();
    }

    private RealNode node(List<String> prefix, String name, String ip, String... more) {
        List<String> options = new ArrayList<>(
                List.of("--listen", ip + ":9376", "--http", "127.0.0.1:8080", "--tun", "--tun-allow", "all"));
        options.addAll(List.of(more));
        return RealNode.start(prefix, folder.resolve(name), options.toArray(String[]::new));
    }

    @Test
    void whoCannotHaveAnInterfaceSaysWhatIsMissingAndServesOn() throws Exception {
        List<String> withoutEpoll = exec(hosts.left, "env", "MCC_JAVA_OPTS=-Dio.netty.transport.noNative=true");
        List<String> powerless = exec(
                hosts.right,
                "setpriv",
                "--bounding-set=-net_admin",
                "--inh-caps=-net_admin",
                "--ambient-caps=-net_admin");
        try (RealNode one = node(withoutEpoll, "one", A);
                RealNode two = node(powerless, "two", B, "--bootstrap", A + ":9376")) {
            assertThat(sh(in(hosts.right, "curl -s " + two.http + "/api/v1/node")))
                    .contains("\"tun-unavailable\"", "CAP_NET_ADMIN", "AmbientCapabilities=CAP_NET_ADMIN");
            assertThat(two.log()).contains("CAP_NET_ADMIN");
            assertThat(run("ip -n " + hosts.right + " link show mcc0").code()).isNotZero();
            assertThat(sh(in(hosts.left, "curl -s " + one.http + "/api/v1/node")))
                    .contains("\"tun-unavailable\"", "epoll", "io.netty.native.workdir");
            assertThat(run("ip -n " + hosts.left + " link show mcc0").code()).isNotZero();
            RealNode.await("its peers know it all the same", () -> {
                try {
                    return sh(in(hosts.left, "curl -s " + one.http + "/api/v1/peers"))
                            .contains(two.id);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
        }
    }
}
