package mcc.bench;

import static mcc.it.TwoHosts.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** What benches have in common: what is asked of processes, and how values are told. */
final class Figures {
    private static final double TICK_S = 0.01;

    private Figures() {}

    /** CPU seconds that a process has used. */
    static double cpu(Process process) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
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
    static double live(Process process) throws Exception {
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

    /** Open descriptors. */
    static int descriptors(Process process) {
        String[] names = Path.of("/proc/" + process.pid() + "/fd").toFile().list();
        return names == null ? 0 : names.length;
    }

    static boolean isMissing(String program) throws Exception {
        if (run("command -v " + program).code() == 0) return false;
        System.out.println("left out, not installed: " + program);
        return true;
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
}
