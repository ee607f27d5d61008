package mcc.it;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import mcc.core.Rng;
import mcc.wan.TunnelPair;
import mcc.wan.Wan;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real nodes over a link that does to packets what it can: the short form of what {@code bench/SoakBench} does for long. */
@Tag("long")
class HostileLinkIT {
    private static final int PORT = 8000;

    @TempDir
    Path folder;

    @Test
    void aFileArrivesWholeThoughAFifthOfPacketsIsLateTwiceAgainShortAndWrong() throws Exception {
        Needs.program("curl", "curl");
        byte[] content = Rng.seeded(11).bytes(4 << 20);
        Path site = Files.createDirectory(folder.resolve("site"));
        Files.write(site.resolve("file"), content);
        String jwebserver =
                Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
        try (Wan wan = new Wan("h")) {
            wan.both("delay-us=2000 rate-kbit=200000 queue-bytes=500000");
            Process web = new ProcessBuilder(
                            exec(wan.left, jwebserver, "-b", "127.0.0.1", "-p", "" + PORT, "-d", site.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (TunnelPair pair =
                    new TunnelPair(folder, wan.left, Wan.A + ":9376", wan.right, Wan.B + ":9376", PORT)) {
                wan.both("reorder-ppm=200000 duplicate-ppm=200000 corrupt-ppm=200000 replay-ppm=200000"
                        + " truncate-ppm=200000 mend=1");
                wan.stats();
                Path got = folder.resolve("got");
                sh(in(wan.right, "curl -sf --max-time 100 -o " + got + " http://127.0.0.1:" + pair.port + "/file"));
                Map<String, Long> stats = wan.stats();
                assertThat(Files.mismatch(got, site.resolve("file"))).isEqualTo(-1);
                for (String each : new String[] {"reordered", "duplicated", "corrupted", "replayed", "truncated"}) {
                    assertThat(stats.get("back." + each)).as(each).isGreaterThan(300);
                }
                for (RealNode node : new RealNode[] {pair.provider, pair.user}) {
                    assertThat(node.log()).doesNotContain("Exception").doesNotContain("ERROR");
                    assertThat(pair.metric(node, "mcc_link_datagram_forged_total"))
                            .as("wrong packets reached the node")
                            .isPositive();
                    assertThat(pair.metric(node, "mcc_link_datagram_replayed_total"))
                            .as("and old ones")
                            .isPositive();
                }
            } finally {
                web.destroyForcibly().waitFor();
            }
        }
    }
}
