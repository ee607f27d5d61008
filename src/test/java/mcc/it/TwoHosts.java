package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Two network namespaces of the test's own, joined by a veth pair called {@code eth0} at both ends; benchmark addresses
 * (RFC 2544). Needs root. Closing removes them.
 */
public final class TwoHosts implements AutoCloseable {
    public static final String A = "198.18.0.1";
    public static final String B = "198.18.0.2";
    /** The same by IPv6 (RFC 3849), after {@link #ipv6}. */
    public static final String A6 = "2001:db8::1";

    public static final String B6 = "2001:db8::2";

    /** The namespace with address {@link #A}. */
    public final String left;
    /** The namespace with address {@link #B}. */
    public final String right;

    private final List<Process> started = new ArrayList<>();

    /** What a command did. */
    public record Done(int code, String out) {}

    /** @param name tells the namespaces of one test class from those of another */
    public TwoHosts(String name) throws Exception {
        Needs.root();
        Needs.program("ip", "iproute2");
        left = "mcc-" + name + "l-" + ProcessHandle.current().pid();
        right = "mcc-" + name + "r-" + ProcessHandle.current().pid();
        try {
            for (String ns : List.of(left, right)) sh("ip netns add " + ns + " && ip -n " + ns + " link set lo up");
            sh("ip -n " + left + " link add eth0 type veth peer name eth0 netns " + right);
            for (String[] end : new String[][] {{left, A}, {right, B}}) {
                sh("ip -n " + end[0] + " addr add " + end[1] + "/24 dev eth0 && ip -n " + end[0] + " link set eth0 up");
            }
        } catch (Exception | AssertionError e) {
            close();
            throw e;
        }
    }

    /** Gives both ends IPv6 addresses, too. */
    public void ipv6() throws Exception {
        sh("ip -n " + left + " addr add " + A6 + "/64 dev eth0 nodad");
        sh("ip -n " + right + " addr add " + B6 + "/64 dev eth0 nodad");
    }

    /** Two hosts whose nodes can have a virtual interface. */
    static TwoHosts withTun(String name) throws Exception {
        if (!Files.exists(Path.of("/dev/net/tun"))) Needs.missing("there is no /dev/net/tun");
        return new TwoHosts(name);
    }

    /** Starts a node with a virtual interface in a namespace. */
    static RealNode tunNode(String ns, Path folder, String ip, String... more) {
        List<String> options = new ArrayList<>(List.of("--listen", ip + ":9376", "--http", "127.0.0.1:8080", "--tun"));
        options.addAll(List.of(more));
        return RealNode.start(exec(ns), folder, options.toArray(String[]::new));
    }

    /** Starts a program in a namespace; it ends with the hosts. */
    Process start(String ns, String... command) throws Exception {
        Process process = new ProcessBuilder(exec(ns, command))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        started.add(process);
        return process;
    }

    /** A program of this Java. */
    static String java(String program) {
        return Path.of(System.getProperty("java.home"), "bin", program).toString();
    }

    /** Whether a command of the shell succeeds in a namespace. */
    static boolean works(String ns, String command) {
        try {
            return run(in(ns, command)).code() == 0;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws Exception {
        for (Process each : started) each.destroyForcibly().waitFor();
        for (String ns : List.of(left, right)) run("ip netns del " + ns);
    }

    /** Runs a command of the shell, whatever comes of it. */
    public static Done run(String command) throws Exception {
        Process process = new ProcessBuilder("sh", "-c", command)
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Done(process.exitValue(), out);
    }

    /** Runs a command of the shell that must succeed; returns what it printed. */
    public static String sh(String command) throws Exception {
        Done done = run(command);
        assertThat(done.code()).as(command + "\n" + done.out()).isZero();
        return done.out();
    }

    /** The same command, for the shell, in a namespace. */
    public static String in(String ns, String command) {
        return "ip netns exec " + ns + " " + command;
    }

    /** The same command, as words, in a namespace. */
    public static List<String> exec(String ns, String... command) {
        List<String> out = new ArrayList<>(List.of("ip", "netns", "exec", ns));
        out.addAll(List.of(command));
        return out;
    }
}
