package mcc.bench;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import mcc.it.Needs;
import mcc.it.RealNode;
import mcc.stream.StreamConfig;
import mcc.wan.Wan;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figures, not verdicts: how much one pair of nodes takes at a time, and what strangers can do to it. */
@Tag("bench")
class CapacityBench {
    private static final int STREAMS = Integer.getInteger("bench.streams", 10_000);
    /** Connections that come and go before the first look, so that code is loaded and compiled. */
    private static final int WARMUP = 2_000;

    private static final int FAST = 1_000;
    private static final int FAST_BYTES = 1 << 20;
    private static final double MB = 1 << 20;
    /** What a reader may leave unread at the user's node. */
    private static final double WINDOW_MB = StreamConfig.defaults().maxStreamWindowBytes() / MB;
    /** What the provider's node may have taken from the writer. */
    private static final double SEND_BUFFER_MB = StreamConfig.defaults().maxSendBufferBytes() / MB;
    /** What waits between a stream and a socket, at each end: 256 KiB and what was read last. */
    private static final double SPLICE_MB = 2 * 0.3125;
    /** What else is alive on a heap goes up and down by so much. */
    private static final double LUCK_MB = 4;

    private final List<Process> started = new ArrayList<>();

    @TempDir
    Path folder;

    @AfterEach
    void end() throws Exception {
        for (Process process : started) process.destroyForcibly().waitFor();
    }

    /** A process of the crowd, and its first line. */
    private record Member(Process process, BufferedReader out) {
        String line() throws IOException {
            return out.readLine();
        }
    }

    private Member start(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(process);
        return new Member(
                process,
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII)));
    }

    private Member crowd(String... arguments) throws Exception {
        return start(Wan.java(Crowd.class, Wan.classes(), arguments));
    }

    private static void print(String what, Object... values) {
        System.out.printf(Locale.ROOT, what + "%n", values);
    }

    /** A service of the crowd's behind one node, and a forward to it at another. */
    private int forward(RealNode provider, RealNode user, int port) {
        provider.register("crowd", "crowd", port);
        RealNode.await("the crowd is found", () -> !user.providers("crowd").isEmpty());
        return user.forward("crowd");
    }

    @Test
    void idleStreams() throws Exception {
        try (RealNode provider = RealNode.start(folder.resolve("provider"));
                RealNode user = RealNode.start(folder.resolve("user"), "--bootstrap", provider.bootstrap())) {
            Member server = crowd("serve");
            int port = forward(provider, user, Integer.parseInt(server.line()));
            Member some = crowd("hold", "" + port, "" + WARMUP);
            assertThat(some.line()).isEqualTo("" + WARMUP);
            some.process.destroyForcibly().waitFor();
            double[] before = memory(provider, user);
            long startNs = System.nanoTime();
            Member holder = crowd("hold", "" + port, "" + STREAMS);
            assertThat(holder.line()).as(said(provider, user)).isEqualTo("" + STREAMS);
            double seconds = (System.nanoTime() - startNs) / 1e9;
            double[] after = memory(provider, user);
            print("%d streams opened and proved in %.1f s", STREAMS, seconds);
            print("                    before    with them   difference, MB");
            String[] names = {"provider alive", "user alive", "provider resident", "user resident"};
            for (int i = 0; i < 4; i++) {
                print("%-18s %8.1f %12.1f %12.1f", names[i], before[i], after[i], after[i] - before[i]);
            }
            print(
                    "both alive: %.1f MB more; both resident: %.1f MB more",
                    sum(after, before, 0), sum(after, before, 2));
            holder.process.destroyForcibly().waitFor();
            RealNode.await("they are gone", () -> connections(user) == 0);
            print("alive after they ended: %s MB", Arrays.toString(Arrays.copyOf(memory(provider, user), 2)));
            assertThat(provider.log() + user.log()).doesNotContain("Exception");
        }
    }

    /** What the nodes had to say, for a failure. */
    private static String said(RealNode provider, RealNode user) {
        String log = provider.log() + user.log() + user.get("/api/v1/tunnels").body();
        return log.substring(Math.max(0, log.length() - 4_000));
    }

    private static int connections(RealNode user) {
        return user.get("/api/v1/tunnels")
                .body()
                .path("items")
                .get(0)
                .path("connections")
                .asInt();
    }

    /** Alive on the heap of both, then resident of both, in MB. */
    private static double[] memory(RealNode provider, RealNode user) throws Exception {
        double[] out = new double[4];
        out[0] = Figures.live(provider.process);
        out[1] = Figures.live(user.process);
        out[2] = Figures.rss(provider.process);
        out[3] = Figures.rss(user.process);
        return out;
    }

    private static double sum(double[] after, double[] before, int from) {
        return after[from] - before[from] + after[from + 1] - before[from + 1];
    }

    @Test
    void aSlowReaderAmongFastOnes() throws Exception {
        Needs.program("ss", "iproute2");
        try (RealNode provider = RealNode.start(folder.resolve("provider"));
                RealNode user = RealNode.start(folder.resolve("user"), "--bootstrap", provider.bootstrap())) {
            Member server = crowd("serve");
            int app = Integer.parseInt(server.line());
            int port = forward(provider, user, app);
            int apart = user.forward("crowd");
            print("%d connections read 1 MiB each; ms until the first, the median and the last had it", FAST);
            assertThat(fetch(port)).as(said(provider, user)).isNotNull();
            double[] before = memory(provider, user);
            print("alone:                  %s", fetch(port));
            try (Socket slow = new Socket()) {
                slow.setReceiveBufferSize(65_536);
                slow.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), apart));
                slow.getOutputStream().write('p');
                assertThat(slow.getInputStream().read()).isNotNegative();
                print("beside one that stalls: %s", fetch(port));
                print("alone:                  %s", fetch(port));
                double held = held(server, app, apart);
                double[] after = memory(provider, user);
                double[] more = {after[0] - before[0], after[1] - before[1]};
                print("alive on the heaps beside it, MB more than before: provider %.1f, user %.1f", more[0], more[1]);
                assertThat(held).as("MB that the nodes hold").isLessThan(WINDOW_MB + SEND_BUFFER_MB + SPLICE_MB);
                assertThat(more[0]).as("MB more at the provider").isLessThan(SEND_BUFFER_MB + LUCK_MB);
                assertThat(more[1]).as("MB more at the user").isLessThan(WINDOW_MB + LUCK_MB);
            }
        }
    }

    /** What both nodes hold of the only connection that is left, in MB: what it was sent and none of the four sockets has. */
    private static double held(Member server, int app, int forward) throws Exception {
        String sockets =
                "ss -Htn state established '( sport = :%1$d or dport = :%1$d or sport = :%2$d or dport = :%2$d )'"
                        .formatted(app, forward);
        long[] last = {-1, -1};
        RealNode.await("all stands still but for one connection", () -> {
            try {
                String[] lines = sh(sockets).strip().split("\n");
                long queued = Arrays.stream(lines)
                        .map(line -> line.strip().split("\\s+"))
                        .mapToLong(words -> Long.parseLong(words[0]) + Long.parseLong(words[1]))
                        .sum();
                long sent = poured(server);
                boolean stands = lines.length == 4 && sent == last[0] && queued == last[1];
                last[0] = sent;
                last[1] = queued;
                return stands;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        double held = (last[0] - last[1]) / MB;
        print(
                "the one that stalls was sent %.2f MB: %.2f wait in the kernel's four sockets, %.2f in the nodes",
                last[0] / MB, last[1] / MB, held);
        return held;
    }

    private static long poured(Member server) throws IOException {
        OutputStream ask = server.process.getOutputStream();
        ask.write('\n');
        ask.flush();
        return Long.parseLong(server.line());
    }

    private String fetch(int port) throws Exception {
        Member member = crowd("fetch", "" + port, "" + FAST, "" + FAST_BYTES);
        return member.line();
    }

    @Test
    void strangersWhileOthersFlood() throws Exception {
        Needs.root();
        Needs.program("ping", "iputils-ping");
        try (Wan wan = new Wan("c");
                RealNode node = RealNode.start(
                        exec(wan.right), folder.resolve("node"), "--listen", Wan.B + ":9376", "--network", "open")) {
            wan.both("delay-us=25000");
            sh("ip -n " + wan.middle + " route add local 198.19.0.0/16 dev lo");
            sh("ip -n " + wan.right + " route add 198.19.0.0/16 via " + Wan.B.replaceAll("\\.\\d+$", ".254"));
            String at = Wan.B + ":9376";
            print("strangers' first answer, ms: median, worst of 50; median of the pings beside them");
            List<Member> first = new ArrayList<>();
            for (int i = 0; i < 8; i++) first.add(honest(wan, node.id, at, 100)); // the node's own code becomes warm
            for (Member each : first) each.line();
            print("calm:  %s", strangers(wan, node.id, at));
            List<String> flood = new ArrayList<>(exec(wan.middle));
            flood.addAll(Wan.java(Handshaker.class, path(), "flood", node.id, at, "10000", "20", "198.19"));
            double cpu = -Figures.cpu(node.process);
            Member flooder = start(flood);
            assertThat(flooder.line()).isEqualTo("ready");
            print("flood: %s", strangers(wan, node.id, at));
            String sent = flooder.line();
            cpu += Figures.cpu(node.process);
            print("spoofed initiations: %s; the node's CPU meanwhile %.1f s", sent, cpu);
            String metrics = sh("ip netns exec " + wan.right + " curl -s " + node.http + "/metrics");
            metrics.lines()
                    .filter(l -> l.matches("mcc_link_(cookie|initiation|handshake).*"))
                    .forEach(System.out::println);
        }
    }

    private static String path() {
        return System.getProperty("java.class.path");
    }

    private Member honest(Wan wan, String id, String at, int count) throws IOException {
        List<String> command = new ArrayList<>(exec(wan.left));
        command.addAll(Wan.java(Handshaker.class, path(), "honest", id, at, "" + count));
        return start(command);
    }

    private String strangers(Wan wan, String id, String at) throws Exception {
        Member honest = honest(wan, id, at, 50);
        List<String> command = new ArrayList<>(exec(wan.left));
        command.addAll(List.of("ping", "-i", "0.1", "-c", "50", Wan.B));
        Member ping = start(command);
        String line = honest.line();
        double[] took = Arrays.stream(line.substring(1, line.length() - 1).split(", "))
                .mapToDouble(Double::parseDouble)
                .toArray();
        double[] pings = ping.out
                .lines()
                .filter(l -> l.contains(" time="))
                .mapToDouble(l -> Double.parseDouble(l.replaceAll(".* time=([\\d.]+).*", "$1")))
                .sorted()
                .toArray();
        long failed = Arrays.stream(took).filter(t -> t < 0).count();
        Arrays.sort(took);
        return String.format(
                Locale.ROOT,
                "%.1f, %.1f; %.1f%s",
                took[took.length / 2],
                took[took.length - 1],
                pings[pings.length / 2],
                failed == 0 ? "" : ", " + failed + " without an answer");
    }
}
