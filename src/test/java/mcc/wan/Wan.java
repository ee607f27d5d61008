package mcc.wan;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.it.Needs;

/**
 * Two hosts with a wide-area link between them: namespaces of the test's own, benchmark addresses (RFC 2544). Forward is from
 * left to right. Needs root and /dev/net/tun. Closing removes all of it.
 */
public final class Wan implements AutoCloseable {
    public static final String A = "198.18.0.1";
    public static final String B = "198.18.1.1";
    /** The file that the middle's addresses end in. */
    private static final String GATEWAY = ".254";

    /** The namespace with address {@link #A}. */
    public final String left;
    /** The router between, to which the two are neighbours without any emulated link. */
    public final String middle;
    /** The namespace with address {@link #B}. */
    public final String right;
    /** The emulator. */
    public final Process emulator;

    private final PrintStream orders;
    private final BufferedReader answers;

    /** @param name tells the namespaces of one test class from those of another */
    public Wan(String name) throws Exception {
        Needs.root();
        Needs.program("ip", "iproute2");
        Needs.program("sysctl", "procps");
        if (!Files.exists(Path.of("/dev/net/tun"))) Needs.missing("this test needs /dev/net/tun: modprobe tun");
        String pid = "-" + ProcessHandle.current().pid();
        left = "mcc-" + name + "l" + pid;
        middle = "mcc-" + name + "m" + pid;
        right = "mcc-" + name + "r" + pid;
        Process started = null;
        try {
            for (String ns : List.of(left, middle, right)) {
                sh("ip netns add " + ns + " && ip -n " + ns + " link set lo up");
            }
            List<String> command = new ArrayList<>(exec(middle, "nice", "-n", "-15"));
            command.addAll(java(Emulator.class, classes(), "em0", B.substring(0, B.lastIndexOf('.'))));
            started = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            emulator = started;
            orders = new PrintStream(emulator.getOutputStream(), true, StandardCharsets.US_ASCII);
            answers = new BufferedReader(new InputStreamReader(emulator.getInputStream(), StandardCharsets.US_ASCII));
            assertThat(answers.readLine()).as("the emulator's first line").isEqualTo("ready");
            join();
        } catch (Exception | AssertionError e) {
            if (started != null) started.destroyForcibly();
            remove();
            throw e;
        }
    }

    /** Where the tests' own classes are, for {@link #java}. */
    public static String classes() {
        return Path.of(URI.create(Wan.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toString()))
                .toString();
    }

    /** A command that runs a class with this JDK. */
    public static List<String> java(Class<?> main, String classPath, String... arguments) {
        List<String> out = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xms256m",
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                main.getName()));
        out.addAll(List.of(arguments));
        return out;
    }

    private void join() throws Exception {
        sh("ip -n " + middle + " link set em0 up txqueuelen 20000");
        sh(in(middle, "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.em0.rp_filter=0"));
        for (String[] end : new String[][] {{left, "toleft", A}, {right, "toright", B}}) {
            String gateway = end[2].substring(0, end[2].lastIndexOf('.')) + GATEWAY;
            sh("ip -n " + end[0] + " link add eth0 type veth peer name " + end[1] + " netns " + middle);
            sh("ip -n " + end[0] + " addr add " + end[2] + "/24 dev eth0 && ip -n " + end[0] + " link set eth0 up");
            sh("ip -n " + middle + " addr add " + gateway + "/24 dev " + end[1]);
            sh("ip -n " + middle + " link set " + end[1] + " up");
            sh(in(middle, "sysctl -qw net.ipv4.conf." + end[1] + ".rp_filter=0"));
            sh("ip -n " + end[0] + " route add default via " + gateway);
            sh("ip -n " + middle + " rule add iif " + end[1] + " lookup 100 priority 100");
            // The kernel's TCP is compared with what it can do, and each run stands alone.
            sh(in(
                    end[0],
                    "sysctl -qw net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_rmem='4096 131072 67108864'"
                            + " net.ipv4.tcp_wmem='4096 65536 67108864'"));
        }
        sh("ip -n " + middle + " route add default dev em0 table 100");
    }

    /** Sets both directions alike. */
    public void both(String words) throws IOException {
        forward(words);
        back(words);
    }

    public void forward(String words) throws IOException {
        order("forward " + words);
    }

    public void back(String words) throws IOException {
        order("back " + words);
    }

    /** What happened since it was asked last, as {@code forward.lost} and so on. */
    public Map<String, Long> stats() throws IOException {
        Map<String, Long> out = new LinkedHashMap<>();
        for (String word : order("stats").split(" ")) {
            int at = word.indexOf('=');
            if (at > 0) out.put(word.substring(0, at), Long.parseLong(word.substring(at + 1)));
        }
        return out;
    }

    private synchronized String order(String line) throws IOException {
        orders.println(line);
        String answer = answers.readLine();
        assertThat(answer).as(line).startsWith("ok");
        return answer;
    }

    private void remove() throws Exception {
        for (String ns : List.of(left, middle, right)) run("ip netns del " + ns);
    }

    @Override
    public void close() throws Exception {
        emulator.destroyForcibly().waitFor();
        remove();
    }
}
