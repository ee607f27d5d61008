package mcc.bench;

import static mcc.it.TwoHosts.run;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** What benches have in common: what is asked of processes, and how values are told. */
public final class Figures {
    private static final double TICK_S = 0.01;

    private Figures() {}

    /** CPU seconds that a process has used, and those that it started and that run. */
    static double cpu(Process process) throws IOException {
        double sum = cpu(process.pid());
        for (ProcessHandle child : process.descendants().toList()) sum += cpu(child.pid());
        return sum;
    }

    private static double cpu(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_S;
    }

    /** Resident memory in MB. */
    static double rss(Process process) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
            if (line.startsWith("VmRSS")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
        }
        return 0;
    }

    /** What is alive on the heap in MB, after a full collection. */
    public static double live(Process process) throws Exception {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd") + " " + process.pid();
        run(jcmd + " GC.run");
        double kib = 0;
        for (String line : run(jcmd + " GC.heap_info").out().split("\n")) {
            // All that lives is in the old generation then; in the young one is what was made since, megabytes of it.
            if (line.matches("\\s*(Tenured|tenured generation).* used \\d+K.*")) {
                kib += Long.parseLong(line.replaceAll(".* used (\\d+)K.*", "$1"));
            }
        }
        return kib / 1024;
    }

    /** How many objects of a class are alive on the heap, after a full collection. */
    static long instances(Process process, String name) throws Exception {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd") + " " + process.pid();
        for (String line : run(jcmd + " GC.class_histogram").out().split("\n")) {
            String[] words = line.strip().split("\\s+"); // rank, instances, bytes, class, module
            if (words.length >= 4 && words[3].equals(name)) return Long.parseLong(words[1]);
        }
        return 0;
    }

    /** Open descriptors. */
    public static int descriptors(Process process) {
        String[] names = Path.of("/proc/" + process.pid() + "/fd").toFile().list();
        return names == null ? 0 : names.length;
    }

    /** Whether one of the programs is not installed; says what is left out for want of it. */
    static boolean lacks(String what, String... programs) throws Exception {
        for (String program : programs) {
            if (run("command -v " + program).code() == 0) continue;
            System.out.println("left out, as " + program + " is not installed: " + what);
            return true;
        }
        return false;
    }

    /** A TCP port that nobody has. */
    static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** To a tenth. */
    static double round(double value) {
        return Math.round(value * 10) / 10.0;
    }

    static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(x -> x).sorted().toArray();
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }

    /** The median, and between what the values lay. */
    static String range(List<Double> values) {
        if (values.size() < 2) return String.format(Locale.ROOT, "%.2f", median(values));
        double[] sorted = values.stream().mapToDouble(x -> x).sorted().toArray();
        return String.format(Locale.ROOT, "%.2f (%.2f-%.2f)", median(values), sorted[0], sorted[sorted.length - 1]);
    }

    /** The same, and in brackets what those of MCC are of it. */
    static String cell(List<Double> values, List<Double> mine) {
        return range(values) + String.format(Locale.ROOT, " [%.2f]", median(mine) / median(values));
    }
}
