package mcc.bench;

import static mcc.it.TwoHosts.A;
import static mcc.it.TwoHosts.B;
import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import mcc.it.Needs;
import mcc.it.RealNode;
import mcc.it.TwoHosts;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Figures, not verdicts: the virtual interface beside the bare link and other programs that make one, all running in the same
 * two namespaces, one measured at a time, in turns. {@code -Dbench.rounds=5} and {@code -Dbench.only=direct,mcc} shorten it;
 * {@code -Dbench.wireguard-go-new=/a/path} says where the newest wireguard-go is that this machine's packages do not have.
 */
@Tag("bench")
class TunBench {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NEWEST = "wireguard-go-new";
    private static final String UDP = "-u -b 1G -l 1300 -w 2M";
    private static final int ROUNDS = Integer.getInteger("bench.rounds", 5);
    private static final List<String> ONLY = List.of(System.getProperty(
                    "bench.only", "direct,mcc,mcc-udp-off,mcc-off,wireguard-go," + NEWEST + ",nebula,tinc,openvpn")
            .split(","));
    /** What the slowest of them carries, so that all are asked for their delay at the same load. */
    private static final int EQUAL_MBIT = 200;

    private static final int SMALL_BYTES = 64;

    /** What is measured, and what it showed, a value for each round. */
    private static final class Variant {
        final String name;
        final String address;
        final List<Process> processes;
        final List<Double> one = new ArrayList<>();
        final List<Double> cpu = new ArrayList<>();
        final List<Double> eight = new ArrayList<>();
        final List<Double> lost = new ArrayList<>();
        final List<Double> small = new ArrayList<>();
        final List<Double> idle = new ArrayList<>();
        final List<Double> equal = new ArrayList<>();
        final List<Double> carried = new ArrayList<>();
        final List<Double> busy = new ArrayList<>();

        Variant(String name, String address, Process... processes) {
            this.name = name;
            this.address = address;
            this.processes = List.of(processes);
        }

        double cpu() throws Exception {
            double sum = 0;
            for (Process process : processes) sum += Figures.cpu(process);
            return sum;
        }
    }

    private final List<Process> started = new ArrayList<>();
    private final List<RealNode> nodes = new ArrayList<>();
    private final List<Variant> variants = new ArrayList<>();

    @TempDir
    Path folder;

    private TwoHosts hosts;
    private String left;
    private String right;

    @BeforeEach
    void link() throws Exception {
        Needs.program("iperf3", "iperf3");
        Needs.program("ping", "iputils-ping");
        hosts = new TwoHosts("b");
        left = hosts.left;
        right = hosts.right;
    }

    @AfterEach
    void unlink() throws Exception {
        for (RealNode node : nodes) node.close();
        for (Process process : started) process.destroyForcibly().waitFor();
        if (hosts != null) hosts.close();
    }

    @Test
    void besideOthers() throws Exception {
        start(left, "iperf3", "-s");
        for (String name : ONLY) {
            switch (name) {
                case "direct" -> variants.add(new Variant(name, A));
                case "mcc" -> mcc(name, "mcc0", 0);
                case "mcc-udp-off" -> mcc(name, "mcc2", 2, "--udp-offload", "off");
                case "mcc-off" -> mcc(name, "mcc1", 1, "--udp-offload", "off", "--tun-offload", "off");
                case "wireguard-go" -> wireguard(name, name, 11);
                case NEWEST -> wireguard(name, System.getProperty("bench." + NEWEST, NEWEST), 15);
                case "nebula" -> nebula();
                case "tinc" -> tinc();
                case "openvpn" -> openvpn();
                default -> throw new AssertionError("no variant is called " + name);
            }
        }
        for (Variant v : variants) {
            RealNode.await(v.name + " answers", passes(in(right, "ping -c 1 -W 1 " + v.address)));
            tcp(v, 1, 5); // each way of packets warms up by itself
            iperf(v, UDP + " -t 5");
        }
        for (int i = 0; i < ROUNDS; i++) for (Variant v : variants) round(v);
        table();
    }

    // ---- the variants -----------------------------------------------------------------------------------------------

    /** @param offset of its ports, so that two pairs of nodes do not meet */
    private void mcc(String name, String device, int offset, String... more) throws Exception {
        List<String> options =
                new ArrayList<>(List.of("--tun", "--tun-allow", "all", "--tun-name", device, "--network", name));
        options.addAll(List.of("--http", "127.0.0.1:" + (8080 + offset)));
        options.addAll(List.of(more));
        int port = 9376 + offset;
        RealNode one = node(left, name, options, A + ":" + port);
        RealNode two = node(right, name, options, B + ":" + port, "--bootstrap", A + ":" + port);
        String address = "";
        for (String word : sh("ip -n " + left + " -6 addr show dev " + device + " scope global")
                .split("\\s+")) {
            if (word.startsWith("fd")) address = word.replaceAll("/.*", "");
        }
        variants.add(new Variant(name, address, one.process, two.process));
    }

    private RealNode node(String ns, String name, List<String> options, String listen, String... more) {
        List<String> all = new ArrayList<>(options);
        all.addAll(List.of("--listen", listen));
        all.addAll(List.of(more));
        RealNode node = RealNode.start(exec(ns), folder.resolve(ns + name), all.toArray(String[]::new));
        nodes.add(node);
        return node;
    }

    /** @param net the third byte of its addresses, and what tells its devices, files and ports from others' */
    private void wireguard(String name, String program, int net) throws Exception {
        if (Figures.lacks(name, program, "wg")) return;
        long pid = ProcessHandle.current().pid() % 100_000;
        String[] devices = {"w" + net + "l" + pid, "w" + net + "r" + pid}; // their control sockets share a folder
        String[] spaces = {left, right};
        String[] keys = new String[2];
        Process[] made = new Process[2];
        int port = 51_800 + net;
        for (int i = 0; i < 2; i++) {
            sh("umask 077; wg genkey > " + folder.resolve("w" + net + i));
            keys[i] = sh("wg pubkey < " + folder.resolve("w" + net + i)).strip();
            made[i] = start(
                    spaces[i],
                    "env",
                    "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1",
                    "LOG_LEVEL=error",
                    program,
                    "-f",
                    devices[i]);
        }
        for (int i = 0; i < 2; i++) {
            RealNode.await(name + " listens", passes(in(spaces[i], "wg show " + devices[i])));
            sh(in(
                    spaces[i],
                    "wg set " + devices[i] + " private-key " + folder.resolve("w" + net + i) + " listen-port " + port
                            + " peer " + keys[1 - i] + " allowed-ips 198.18." + net + ".0/24 endpoint "
                            + (i == 0 ? B : A) + ":" + port));
            sh("ip -n " + spaces[i] + " addr add 198.18." + net + "." + (i + 1) + "/24 dev " + devices[i]);
            sh("ip -n " + spaces[i] + " link set " + devices[i] + " mtu 1420 up");
        }
        variants.add(new Variant(name, "198.18." + net + ".1", made));
    }

    private void nebula() throws Exception {
        if (Figures.lacks("nebula", "nebula", "nebula-cert")) return;
        sh("cd " + folder + " && nebula-cert ca -name bench");
        Process[] made = new Process[2];
        for (int i = 0; i < 2; i++) {
            sh("cd " + folder + " && nebula-cert sign -name n" + i + " -ip 198.18.12." + (i + 1) + "/24");
            String hosts = i == 0 ? "[]" : "['198.18.12.1']";
            Path file = folder.resolve("nebula" + i + ".yml");
            Files.writeString(file, """
                    pki: {ca: %1$s/ca.crt, cert: %1$s/n%2$d.crt, key: %1$s/n%2$d.key}
                    static_host_map: {'198.18.12.1': ['%3$s:4242']}
                    lighthouse: {am_lighthouse: %4$b, hosts: %5$s}
                    listen: {host: 0.0.0.0, port: 4242}
                    tun: {dev: nebula1}
                    logging: {level: error}
                    firewall:
                      outbound: [{port: any, proto: any, host: any}]
                      inbound: [{port: any, proto: any, host: any}]
                    """.formatted(folder, i, A, i == 0, hosts));
            made[i] = start(i == 0 ? left : right, "nebula", "-config", file.toString());
        }
        variants.add(new Variant("nebula", "198.18.12.1", made));
    }

    private void tinc() throws Exception {
        if (Figures.lacks("tinc", "tincd")) return;
        Process[] made = new Process[2];
        for (int i = 0; i < 2; i++) {
            Path conf = folder.resolve("tinc" + i);
            Files.createDirectories(conf.resolve("hosts"));
            Files.writeString(
                    conf.resolve("tinc.conf"),
                    "Name = t" + i + "\nInterface = tinc0\nDeviceType = tun\n" + (i == 0 ? "" : "ConnectTo = t0\n"));
            Files.writeString(
                    conf.resolve("hosts/t" + i),
                    "Subnet = 198.18.13." + (i + 1) + "/32\nCipher = aes-256-cbc\nDigest = sha256\n"
                            + (i == 0 ? "Address = " + A + "\n" : ""));
            Path up = conf.resolve("tinc-up");
            Files.writeString(
                    up,
                    "#!/bin/sh\nip addr add 198.18.13." + (i + 1) + "/24 dev $INTERFACE\nip link set $INTERFACE up\n");
            sh("chmod +x " + up + " && tincd -c " + conf + " -K2048 < /dev/null");
        }
        for (int i = 0; i < 2; i++) {
            Path conf = folder.resolve("tinc" + i);
            Files.copy(folder.resolve("tinc" + (1 - i) + "/hosts/t" + (1 - i)), conf.resolve("hosts/t" + (1 - i)));
        }
        for (int i = 0; i < 2; i++) {
            Path conf = folder.resolve("tinc" + i);
            made[i] = start(
                    i == 0 ? left : right, "tincd", "-c", conf.toString(), "-D", "--pidfile=" + conf.resolve("pid"));
        }
        variants.add(new Variant("tinc", "198.18.13.1", made));
    }

    private void openvpn() throws Exception {
        if (Figures.lacks("openvpn", "openvpn", "openssl")) return;
        String[] prints = new String[2];
        for (int i = 0; i < 2; i++) {
            String name = folder.resolve("ovpn" + i).toString();
            sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=o" + i
                    + " -keyout " + name + ".key -out " + name + ".crt 2>/dev/null");
            prints[i] = sh("openssl x509 -in " + name + ".crt -noout -fingerprint -sha256")
                    .strip()
                    .replaceAll(".*=", "");
        }
        Process[] made = new Process[2];
        for (int i = 0; i < 2; i++) {
            String name = folder.resolve("ovpn" + i).toString();
            List<String> command = new ArrayList<>(List.of(
                    "openvpn --dev ovpn0 --dev-type tun --proto udp --port 1194 --data-ciphers AES-256-GCM --verb 0"
                            .split(" ")));
            command.addAll(
                    List.of("--cert", name + ".crt", "--key", name + ".key", "--peer-fingerprint", prints[1 - i]));
            command.addAll(List.of("--ifconfig", "198.18.14." + (i + 1), "198.18.14." + (2 - i)));
            command.addAll(i == 0 ? List.of("--tls-server", "--dh", "none") : List.of("--tls-client", "--remote", A));
            made[i] = start(i == 0 ? left : right, command.toArray(String[]::new));
        }
        variants.add(new Variant("openvpn", "198.18.14.1", made));
    }

    private Process start(String ns, String... command) throws Exception {
        Process process = new ProcessBuilder(exec(ns, command))
                .redirectErrorStream(true)
                .redirectOutput(Files.createTempFile(folder, "out", ".log").toFile())
                .start();
        started.add(process);
        return process;
    }

    private static BooleanSupplier passes(String command) {
        return () -> {
            try {
                return run(command).code() == 0;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        };
    }

    // ---- measuring --------------------------------------------------------------------------------------------------

    private void round(Variant v) throws Exception {
        v.idle.add(ping(v, 100, "0.01"));
        double before = v.cpu();
        double bits = tcp(v, 1, 4);
        v.one.add(bits / 1e9);
        v.cpu.add((v.cpu() - before) / (bits * 4 / 1e9));
        v.eight.add(tcp(v, 8, 4) / 1e9);
        JsonNode udp = iperf(v, UDP + " -t 3").path("sum");
        v.lost.add(udp.path("lost_percent").asDouble());
        JsonNode small = iperf(v, "-u -b 0 -l " + SMALL_BYTES + " -t 3 -w 2M");
        v.small.add(bits(small) / 8 / SMALL_BYTES / 1e3);
        v.carried.add(underLoad(v, "-b " + EQUAL_MBIT + "M", v.equal));
        underLoad(v, "", v.busy);
    }

    private double tcp(Variant v, int flows, int seconds) throws Exception {
        return bits(iperf(v, "-t " + seconds + " -P " + flows));
    }

    private static double bits(JsonNode end) {
        return end.path("sum_received").path("bits_per_second").asDouble();
    }

    private JsonNode iperf(Variant v, String options) throws Exception {
        return JSON.readTree(sh(in(right, "iperf3 -J -c " + v.address + " " + options + " 2>/dev/null")))
                .path("end");
    }

    /** Pings beside one TCP flow; returns what that carried, in Mbit/s. */
    private double underLoad(Variant v, String options, List<Double> pings) throws Exception {
        Path out = Files.createTempFile(folder, "load", ".json");
        String command = "iperf3 -J -t 3 -c " + v.address + " " + options;
        Process load = new ProcessBuilder(exec(right, command.strip().split(" ")))
                .redirectOutput(out.toFile())
                .start();
        started.add(load);
        pings.add(ping(v, 100, "0.02"));
        load.waitFor();
        return bits(JSON.readTree(Files.readString(out)).path("end")) / 1e6;
    }

    /** The median round trip in milliseconds: a mean of so few would tell of the host's one pause instead. */
    private double ping(Variant v, int count, String interval) throws Exception {
        double[] took = run(in(right, "ping -c " + count + " -i " + interval + " " + v.address))
                .out()
                .lines()
                .filter(l -> l.contains(" time="))
                .mapToDouble(l -> Double.parseDouble(l.replaceAll(".* time=([\\d.]+).*", "$1")))
                .sorted()
                .toArray();
        return took[took.length / 2];
    }

    private void table() {
        System.out.println("median (range) of " + ROUNDS + " rounds");
        System.out.printf(
                "%-17s%22s%10s%20s%20s%22s%26s%10s%18s%12s%n",
                "",
                "1 flow Gbit/s",
                "mcc : it",
                "CPU s/Gbit",
                "8 flows Gbit/s",
                "1 Gbit/s UDP lost %",
                "UDP of " + SMALL_BYTES + " B, 1000/s",
                "ping ms",
                "at " + EQUAL_MBIT + " Mbit/s ms",
                "flat out ms");
        double mine = variants.stream()
                .filter(v -> v.name.equals("mcc"))
                .mapToDouble(v -> Figures.median(v.one))
                .findFirst()
                .orElse(Double.NaN);
        for (Variant v : variants) {
            System.out.printf(
                    Locale.ROOT,
                    "%-17s%22s%10.2f%20s%20s%22s%26s%10.3f%18.3f%12.2f%n",
                    v.name,
                    Figures.range(v.one),
                    mine / Figures.median(v.one),
                    Figures.range(v.cpu),
                    Figures.range(v.eight),
                    Figures.range(v.lost),
                    Figures.range(v.small),
                    Figures.median(v.idle),
                    Figures.median(v.equal),
                    Figures.median(v.busy));
        }
        for (Variant v : variants) {
            double carried = Figures.median(v.carried);
            if (carried > 0.95 * EQUAL_MBIT) continue;
            System.out.printf(Locale.ROOT, "%s carried %.0f of the %d Mbit/s only%n", v.name, carried, EQUAL_MBIT);
        }
    }
}
