package mcc.it;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import mcc.core.Rng;
import mcc.wan.TunnelPair;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A peer that vanishes in the middle of a transfer: back in time, it goes on; away for good, the connection ends clearly. */
@Tag("long")
class PeerAwayIT {
    private static final int PORT = 8000;
    private static final int CURL_TIMED_OUT = 28;

    @TempDir
    Path folder;

    private TwoHosts hosts;
    private Process web;
    private TunnelPair pair;
    private Path file;
    private Path got;

    @BeforeEach
    void start() throws Exception {
        Needs.program("curl", "curl");
        hosts = new TwoHosts("v");
        Path site = Files.createDirectory(folder.resolve("site"));
        file = Files.write(site.resolve("file"), Rng.seeded(5).bytes(64 << 20));
        got = folder.resolve("got");
        String jwebserver =
                Path.of(System.getProperty("java.home"), "bin", "jwebserver").toString();
        web = new ProcessBuilder(
                        exec(hosts.left, jwebserver, "-b", "127.0.0.1", "-p", "" + PORT, "-d", site.toString()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        pair = new TunnelPair(folder, hosts.left, TwoHosts.A + ":9376", hosts.right, TwoHosts.B + ":9376", PORT);
    }

    @AfterEach
    void end() throws Exception {
        if (pair != null) pair.close();
        if (web != null) web.destroyForcibly().waitFor();
        if (hosts != null) hosts.close();
    }

    /** A download slow enough to be met in its middle. */
    private Process download() throws Exception {
        String curl = "curl -s --max-time 120 --limit-rate 12M -o " + got + " http://127.0.0.1:" + pair.port + "/file";
        Process process = new ProcessBuilder(exec(hosts.right, curl.split(" "))).start();
        RealNode.await("some of it came", () -> got.toFile().length() > 1 << 20);
        return process;
    }

    private static void fiveSeconds() {
        long end = System.nanoTime() + 5_000_000_000L;
        for (long left; (left = end - System.nanoTime()) > 0; ) LockSupport.parkNanos(left);
    }

    private void assertWhole(Process download) throws Exception {
        assertThat(got.toFile().length()).as("it was away in the middle").isLessThan(64 << 20);
        assertThat(download.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(download.exitValue()).as("curl's exit code").isZero();
        assertThat(Files.mismatch(got, file)).isEqualTo(-1);
    }

    @Test
    void aLinkThatIsDownForFiveSecondsInterruptsNothing() throws Exception {
        Process download = download();
        sh("ip -n " + hosts.left + " link set eth0 down");
        fiveSeconds();
        sh("ip -n " + hosts.left + " link set eth0 up");
        assertWhole(download);
    }

    @Test
    void aPeerThatStandsStillForFiveSecondsInterruptsNothing() throws Exception {
        Process download = download();
        sh("kill -STOP " + pair.provider.process.pid());
        fiveSeconds();
        sh("kill -CONT " + pair.provider.process.pid());
        assertWhole(download);
    }

    /** Takes most of a minute, so it is not part of every build. */
    @Test
    @Tag("bench")
    void aPeerThatIsAwayForGoodEndsTheConnectionByItself() throws Exception {
        Process download = download();
        long from = System.nanoTime();
        sh("ip -n " + hosts.left + " link set eth0 down");
        assertThat(download.waitFor(120, TimeUnit.SECONDS)).isTrue();
        System.out.printf("connection ended %.1f s after its peer vanished%n", (System.nanoTime() - from) / 1e9);
        assertThat(download.exitValue()).as("curl's exit code").isNotIn(0, CURL_TIMED_OUT);
        String again = sh("ip netns exec " + hosts.right
                + " curl -s -o /dev/null --max-time 60 -w '%{errormsg}' http://127.0.0.1:" + pair.port + "/file; true");
        assertThat(again).as("a new connection is refused in time").isNotBlank().doesNotContain("timed out");
        assertThat(pair.user.log()).doesNotContain("Exception");
    }
}
