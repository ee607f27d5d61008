package mcc.bench;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import mcc.it.Needs;
import mcc.wan.TunnelPair;
import mcc.wan.Wan;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Figures, not verdicts: what one connection carries over an emulated wide-area link, through a forward and by the kernel's
 * BBR and CUBIC, in turns in one run; if asked for, also through a forward of ssh that one of the two carries. Counted is the
 * payload that iperf3's server received after a warm-up. {@code -Dbench.only=loss5,fair2},
 * {@code -Dbench.kinds=mcc,bbr,ssh}, {@code -Dbench.seconds=10}, {@code -Dbench.warmup=0} and
 * {@code -Dbench.rounds=5}.
 */
@Tag("bench")
class LossyLinkBench {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROUNDS = Integer.getInteger("bench.rounds", 1);
    private static final int SECONDS = Integer.getInteger("bench.seconds", 30);
    private static final List<String> ONLY =
            List.of(System.getProperty("bench.only", "").split(","));
    private static final List<String> KINDS =
            List.of(System.getProperty("bench.kinds", "mcc,bbr,cubic").split(","));
    private static final int WARM_UP_S = Integer.getInteger("bench.warmup", 5);
    private static final int RATE_KBIT = 100_000;
    private static final String CLEAN =
            "loss-ppm=0 burst=1 jitter-us=0 ordered=0 duplicate-ppm=0 reorder-ppm=0 replay-ppm=0 corrupt-ppm=0"
                    + " truncate-ppm=0 rate-kbit=" + RATE_KBIT;

    /**
     * A link, and who is sent over it.
     *
     * @param forward what makes it other than a clean one, for the direction of the data; {@code back} for the other
     * @param contests each a set of flows at the same time
     * @param steps whether the rate falls to a tenth in the second third
     */
    private record Row(
            String id,
            String text,
            int rttMs,
            double queueBdp,
            String forward,
            String back,
            List<List<String>> contests,
            int seconds,
            boolean steps) {
        Row(String id, String text, int rttMs, double queueBdp, String both) {
            this(id, text, rttMs, queueBdp, both, both, ALONE, SECONDS, false);
        }

        long queueBytes() {
            return (long) (queueBdp * rttMs * RATE_KBIT / 8);
        }
    }

    private static final List<List<String>> ALONE =
            List.of(List.of("mcc"), List.of("bbr"), List.of("cubic"), List.of("ssh"), List.of("ssh-bbr"));

    /** What carries a flow other than the kernel alone. */
    private record Carrier(AutoCloseable ends, List<Process> processes) {}

    /** What the rounds of one contest showed. */
    private static final class Showed {
        final List<Double> sum = new ArrayList<>();
        final List<Double> jain = new ArrayList<>();
        final List<Double> full = new ArrayList<>();
        final List<Double> queueMs = new ArrayList<>();
        final List<Double> wire = new ArrayList<>();
        final List<Double> cpu = new ArrayList<>();
        List<Double> last = List.of();
        List<Double> each = List.of();
    }

    @TempDir
    Path folder;

    private Wan wan;
    private final List<String> kinds = new ArrayList<>();
    private final List<Process> servers = new ArrayList<>();
    private int nextPort = 9400;

    @BeforeEach
    void link() throws Exception {
        Needs.program("iperf3", "iperf3");
        Needs.program("curl", "curl");
        wan = new Wan("b");
    }

    @AfterEach
    void unlink() throws Exception {
        for (Process server : servers) server.destroyForcibly().waitFor();
        if (wan != null) wan.close();
    }

    private static List<Row> rows() {
        List<Row> out = new ArrayList<>();
        for (int loss : new int[] {0, 1, 5, 10, 15}) {
            out.add(new Row("loss" + loss, loss + " % loss, 100 ms", 100, 1, "loss-ppm=" + loss * 10_000));
        }
        out.add(new Row("far1", "1 % loss, 300 ms", 300, 1, "loss-ppm=10000"));
        out.add(new Row("far5", "5 % loss, 300 ms", 300, 1, "loss-ppm=50000"));
        out.add(new Row("burst", "5 % loss in bursts of 4", 100, 1, "loss-ppm=50000 burst=4"));
        out.add(new Row("jitter", "jitter of 50 ms", 100, 1, "jitter-us=50000"));
        out.add(new Row("ordered", "jitter of 50 ms, none overtakes", 100, 1, "jitter-us=50000 ordered=1"));
        for (double bdp : new double[] {0.1, 0.3, 2}) {
            out.add(new Row("queue" + bdp, "queue of " + bdp + " BDP", 100, bdp, ""));
        }
        out.add(new Row("steps", "100, 10, 100 Mbit/s", 100, 1, "", "", ALONE, SECONDS, true));
        out.add(new Row("acks", "20 % loss on the way back", 100, 1, "", "loss-ppm=200000", ALONE, SECONDS, false));
        for (int loss : new int[] {0, 1, 5}) {
            for (int flows : new int[] {2, 4}) {
                List<List<String>> fair = List.of(Collections.nCopies(flows, "mcc"));
                out.add(new Row(
                        "fair" + flows + (loss == 0 ? "" : "-" + loss),
                        flows + " flows, " + loss + " % loss",
                        100,
                        1,
                        "loss-ppm=" + loss * 10_000,
                        "loss-ppm=" + loss * 10_000,
                        fair,
                        SECONDS,
                        false));
            }
        }
        List<List<String>> beside = List.of(List.of("mcc", "cubic"), List.of("bbr", "cubic"));
        out.add(new Row("beside", "one flow beside one of CUBIC", 100, 1, "", "", beside, 2 * SECONDS, false));
        return out;
    }

    @Test
    void besideTheKernel() throws Exception {
        for (String kind : KINDS) if (!isMissing(kind)) kinds.add(kind);
        System.out.printf(
                "%-34s %-16s %22s %24s %6s %7s %9s %11s %11s%n",
                "link, 100 Mbit/s",
                "sent by",
                "payload Mbit/s",
                "each",
                "Jain",
                "full %",
                "queue ms",
                "wire/payl.",
                "CPU s/Gbit");
        for (Row row : rows()) {
            if (!ONLY.contains("") && !ONLY.contains(row.id)) continue;
            Map<String, Showed> shown = new LinkedHashMap<>();
            for (int i = 0; i < ROUNDS; i++) {
                for (List<String> contest : row.contests) {
                    if (!kinds.containsAll(contest)) continue;
                    String name = String.join("+", contest);
                    contest(row, contest, shown.computeIfAbsent(name, _ -> new Showed()));
                }
            }
            shown.forEach((name, s) -> print(row, name, s));
            for (String other : List.of("bbr", "cubic", "ssh", "ssh-bbr")) ratio(shown, other);
        }
    }

    /** Whether this machine has no way to send like that; says so. */
    private static boolean isMissing(String kind) throws Exception {
        if (kind.equals("mcc")) return false;
        if (kind.startsWith("ssh") && Ssh.isMissing()) return true;
        run("modprobe -q tcp_" + control(kind)); // a kernel may have it built in as well
        String has = sh("sysctl -n net.ipv4.tcp_available_congestion_control");
        if (List.of(has.strip().split(" ")).contains(control(kind))) return false;
        System.out.println("left out, as the kernel has no such congestion control: " + kind);
        return true;
    }

    /** The kernel's congestion control that carries a kind: CUBIC below ssh, as Linux does unless told otherwise. */
    private static String control(String kind) {
        if (kind.equals("ssh")) return "cubic";
        return kind.startsWith("ssh-") ? kind.substring(4) : kind;
    }

    private static void print(Row row, String name, Showed s) {
        System.out.printf(
                Locale.ROOT,
                "%-34s %-16s %22s %24s %6.3f %7.2f %9.1f %11.3f %11.2f%n",
                row.text,
                name,
                Figures.range(s.sum),
                s.each.size() < 2 ? "" : s.each.stream().map(Figures::round).toList(),
                Figures.median(s.jain),
                Figures.median(s.full),
                Figures.median(s.queueMs),
                Figures.median(s.wire),
                Figures.median(s.cpu));
        if (row.steps)
            System.out.println(
                    "    each second: " + s.last.stream().map(Math::round).toList());
    }

    private static void ratio(Map<String, Showed> shown, String other) {
        if (!shown.containsKey("mcc") || !shown.containsKey(other)) return;
        System.out.printf(
                Locale.ROOT,
                "    mcc : %s = %.2f%n",
                other,
                Figures.median(shown.get("mcc").sum) / Figures.median(shown.get(other).sum));
    }

    // ---- one contest ------------------------------------------------------------------------------------------------

    private void contest(Row row, List<String> contest, Showed showed) throws Exception {
        wan.both(CLEAN + " delay-us=" + row.rttMs * 500 + " queue-bytes=" + row.queueBytes());
        List<Carrier> carriers = new ArrayList<>();
        List<Process> clients = new ArrayList<>();
        List<Path> outs = new ArrayList<>();
        try {
            List<String> commands = new ArrayList<>();
            for (String kind : contest) commands.add(command(kind, carriers));
            if (!row.forward.isEmpty()) wan.forward(row.forward);
            if (!row.back.isEmpty()) wan.back(row.back);
            for (String command : commands) {
                Path out = Files.createTempFile(folder, "iperf", ".json");
                String whole = command + " -J --get-server-output -O " + WARM_UP_S + " -t " + row.seconds;
                clients.add(new ProcessBuilder(exec(wan.left, whole.split(" ")))
                        .redirectOutput(out.toFile())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start());
                outs.add(out);
            }
            pause(WARM_UP_S);
            wan.stats();
            double cpu = -cpu(carriers);
            for (int third = 0; third < 3; third++) {
                if (row.steps) wan.both("rate-kbit=" + (third == 1 ? RATE_KBIT / 10 : RATE_KBIT));
                pause(row.seconds / 3.0);
            }
            Map<String, Long> stats = wan.stats();
            cpu += cpu(carriers);
            wan.both(CLEAN); // so that what is said at the end is not lost
            List<Double> each = new ArrayList<>();
            for (int i = 0; i < clients.size(); i++) {
                clients.get(i).waitFor();
                JsonNode told = JSON.readTree(Files.readString(outs.get(i), StandardCharsets.UTF_8));
                assertThat(told.path("error").asText()).as(commands.get(i)).isEmpty();
                each.add(told.path("end")
                                .path("sum_received")
                                .path("bits_per_second")
                                .asDouble()
                        / 1e6);
                showed.last = seconds(told.path("server_output_json"));
            }
            note(showed, stats, each, cpu, row.seconds);
        } finally {
            for (Process client : clients) client.destroyForcibly().waitFor();
            for (Carrier carrier : carriers) carrier.ends.close();
        }
    }

    private String command(String kind, List<Carrier> carriers) throws Exception {
        int port = nextPort++;
        servers.add(new ProcessBuilder(exec(wan.right, "iperf3", "-s", "-J", "-p", "" + port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start());
        return switch (kind) {
            case "mcc" -> {
                TunnelPair pair = new TunnelPair(
                        folder.resolve("p" + port), wan.right, Wan.B + ":" + port, wan.left, Wan.A + ":" + port, port);
                carriers.add(new Carrier(pair, List.of(pair.provider.process, pair.user.process)));
                yield "iperf3 -c 127.0.0.1 -p " + pair.port;
            }
            case "ssh", "ssh-bbr" -> {
                goBy(control(kind));
                Ssh ssh = new Ssh(folder, exec(wan.right), Wan.B, exec(wan.left), port);
                carriers.add(new Carrier(ssh, ssh.processes));
                yield "iperf3 -c 127.0.0.1 -p " + ssh.ports.getFirst();
            }
            default -> "iperf3 -c " + Wan.B + " -p " + port + " -C " + kind;
        };
    }

    /** What each new TCP connection over the link goes by that does not say so itself, whatever is usual on this machine. */
    private void goBy(String control) throws Exception {
        for (String[] end : new String[][] {{wan.left, Wan.A}, {wan.right, Wan.B}}) {
            String gateway = end[1].replaceAll("\\d+$", "254");
            sh("ip -n " + end[0] + " route replace default via " + gateway + " congctl " + control);
        }
    }

    private static void note(Showed showed, Map<String, Long> stats, List<Double> each, double cpu, int seconds) {
        double sum = each.stream().mapToDouble(x -> x).sum();
        double squares = each.stream().mapToDouble(x -> x * x).sum();
        double packets = Math.max(1, stats.get("forward.packets"));
        showed.each = each;
        showed.sum.add(sum);
        showed.jain.add(sum * sum / each.size() / squares);
        showed.full.add(100 * stats.get("forward.full") / packets);
        showed.queueMs.add(stats.get("forward.waited-us") / 1e3 / packets);
        showed.wire.add(stats.get("forward.bytes") * 8 / 1e6 / seconds / sum);
        showed.cpu.add(cpu / (sum * seconds / 1e3));
    }

    /** What arrived in each second, in Mbit/s. */
    private static List<Double> seconds(JsonNode server) {
        List<Double> out = new ArrayList<>();
        for (JsonNode interval : server.path("intervals")) {
            JsonNode all = interval.path("sum");
            if (!all.path("omitted").asBoolean())
                out.add(all.path("bits_per_second").asDouble() / 1e6);
        }
        return out;
    }

    private static double cpu(List<Carrier> carriers) throws Exception {
        double sum = 0;
        for (Carrier carrier : carriers) for (Process process : carrier.processes) sum += Figures.cpu(process);
        return sum;
    }

    private static void pause(double seconds) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        for (long left; (left = end - System.nanoTime()) > 0; ) LockSupport.parkNanos(left);
    }

    // ---- the emulator itself ----------------------------------------------------------------------------------------

    @Test
    void theEmulatorItself() throws Exception {
        Needs.program("ping", "iputils-ping");
        wan.both(CLEAN + " delay-us=25000 rate-kbit=0"); // without a rate, for a queue would add to the delay
        System.out.println("emulator, 50 ms, idle: " + ping());
        servers.add(new ProcessBuilder(exec(wan.right, "iperf3", "-s"))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start());
        run(in(wan.left, "iperf3 -u -b 50M -l 1400 -t 2 -c " + Wan.B)); // warms up
        double before = Figures.cpu(wan.emulator);
        Process load = new ProcessBuilder(
                        exec(wan.left, ("iperf3 -u --bidir -b 93M -l 1400 -t 8 -c " + Wan.B).split(" ")))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        pause(1);
        wan.stats();
        System.out.println("emulator, 50 ms, 95 Mbit/s both ways: " + ping());
        load.waitFor();
        double share = (Figures.cpu(wan.emulator) - before) / 8 * 100;
        System.out.printf(Locale.ROOT, "    %.0f %% of a core; %s%n", share, wan.stats());
    }

    private String ping() throws Exception {
        String[] lines =
                run(in(wan.left, "ping -q -c 200 -i 0.02 " + Wan.B)).out().split("\n");
        return lines[lines.length - 1]
                + Arrays.stream(lines).filter(l -> l.contains("loss")).toList();
    }
}
