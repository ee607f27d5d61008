package mcc.bench;

import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Figures, not verdicts: requests and bytes from one end of this host's loopback to the other, directly, through a forward
 * and through a forward of ssh, in turns. {@code -Dbench.rounds=5}, {@code -Dbench.seconds=4}.
 */
@Tag("bench")
class RequestBench {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROUNDS = Integer.getInteger("bench.rounds", 5);
    private static final int SECONDS = Integer.getInteger("bench.seconds", 4);
    private static final int BODY_BYTES = 600;

    /** A way to the two servers, and what it showed, a value for each round. */
    private static final class Way {
        final String name;
        final int web;
        final int bulk;
        final List<Double> p50 = new ArrayList<>();
        final List<Double> p99 = new ArrayList<>();
        final List<Double> rate = new ArrayList<>();
        /** Requests a second, with a connection for each. */
        final List<Double> fresh = new ArrayList<>();

        final List<Double> one = new ArrayList<>();
        final List<Double> four = new ArrayList<>();

        Way(String name, int web, int bulk) {
            this.name = name;
            this.web = web;
            this.bulk = bulk;
        }
    }

    private final List<Process> started = new ArrayList<>();
    private final List<Way> ways = new ArrayList<>();

    @TempDir
    Path folder;

    @AfterEach
    void end() throws Exception {
        for (Process process : started) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            process.waitFor();
        }
    }

    @Test
    void besideSsh() throws Exception {
        boolean wrk = !Figures.lacks("requests", "wrk");
        boolean iperf = !Figures.lacks("throughput", "iperf3");
        boolean ssh = !Ssh.isMissing();
        int web = Figures.free();
        int bulk = Figures.free();
        HttpServer plain = Figures.lacks("nginx, for the JDK's own server", "nginx") ? plain(web) : null;
        if (plain == null) nginx(web);
        if (iperf) start("iperf3", "-s", "-p", "" + bulk);
        try (RealNode provider = RealNode.start(folder.resolve("provider"));
                RealNode user = RealNode.start(folder.resolve("user"), "--bootstrap", provider.bootstrap());
                Ssh forwards = ssh ? new Ssh(folder, List.of(), "127.0.0.1", List.of(), web, bulk) : null) {
            ways.add(new Way("direct", web, bulk));
            provider.register("web", "web", web);
            provider.register("bulk", "bulk", bulk);
            RealNode.await(
                    "both are found",
                    () -> !user.providers("web").isEmpty()
                            && !user.providers("bulk").isEmpty());
            ways.add(new Way("mcc forward", user.forward("web"), user.forward("bulk")));
            if (forwards != null) ways.add(new Way("ssh -L", forwards.ports.get(0), forwards.ports.get(1)));
            for (Way way : ways) {
                if (wrk) requests(way, 5);
                if (wrk) connections(way, 5);
                if (iperf) gbits(way, 1, 4);
                way.rate.clear();
                way.p50.clear();
                way.p99.clear();
                way.fresh.clear();
            }
            for (int i = 0; i < ROUNDS; i++) {
                for (Way way : ways) {
                    if (wrk) requests(way, SECONDS);
                    if (wrk) connections(way, SECONDS);
                    if (iperf) way.one.add(gbits(way, 1, SECONDS));
                    if (iperf) way.four.add(gbits(way, 4, SECONDS));
                }
            }
            table();
        } finally {
            if (plain != null) plain.stop(0);
        }
    }

    // ---- the two ends -----------------------------------------------------------------------------------------------

    private void nginx(int port) throws Exception {
        Path conf = folder.resolve("nginx.conf");
        Files.writeString(conf, """
                daemon off; worker_processes 1; pid %1$s/nginx.pid; error_log %1$s/nginx.log; master_process off;
                events { worker_connections 4096; }
                http { access_log off; keepalive_requests 1000000000; client_body_temp_path %1$s; proxy_temp_path %1$s;
                  fastcgi_temp_path %1$s; uwsgi_temp_path %1$s; scgi_temp_path %1$s;
                  server { listen 127.0.0.1:%2$d; location / { return 200 "%3$s"; } } }
                """.formatted(folder, port, "x".repeat(BODY_BYTES)));
        start("nginx", "-c", conf.toString(), "-e", folder.resolve("nginx.log").toString());
        answers(port);
    }

    private static HttpServer plain(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        byte[] body = new byte[BODY_BYTES];
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        return server;
    }

    private void start(String... command) throws IOException {
        Path log =
                Files.createTempFile(folder, Path.of(command[0]).getFileName().toString(), ".log");
        started.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start());
    }

    private static void answers(int port) {
        RealNode.await("port " + port + " answers", () -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            } catch (IOException _) {
                return false;
            }
        });
    }

    // ---- measuring --------------------------------------------------------------------------------------------------

    private static void requests(Way way, int seconds) throws Exception {
        String out = wrk(way, seconds, "");
        way.p50.add(ms(out, "50%"));
        way.p99.add(ms(out, "99%"));
        way.rate.add(perSecond(out));
    }

    private static void connections(Way way, int seconds) throws Exception {
        way.fresh.add(perSecond(wrk(way, seconds, " -H 'Connection: close'")));
    }

    private static String wrk(Way way, int seconds, String more) throws Exception {
        String out = sh("wrk -t 1 -c 16 -d " + seconds + "s --latency" + more + " http://127.0.0.1:" + way.web + "/");
        assertThat(out).as(way.name).doesNotContain("Non-2xx").doesNotContain("Socket errors");
        return out;
    }

    private static double perSecond(String out) {
        return Double.parseDouble(out.replaceAll("(?s).*Requests/sec:\\s*([\\d.]+).*", "$1"));
    }

    private static double ms(String out, String percentile) {
        Matcher m = Pattern.compile(percentile + "\\s+([\\d.]+)(us|ms|s)\\b").matcher(out);
        assertThat(m.find()).as(out).isTrue();
        double value = Double.parseDouble(m.group(1));
        return switch (m.group(2)) {
            case "us" -> value / 1_000;
            case "ms" -> value;
            default -> value * 1_000;
        };
    }

    private static double gbits(Way way, int flows, int seconds) throws Exception {
        String out = run("iperf3 -J -c 127.0.0.1 -p " + way.bulk + " -t " + seconds + " -P " + flows)
                .out();
        double bits = JSON.readTree(out)
                .path("end")
                .path("sum_received")
                .path("bits_per_second")
                .asDouble();
        assertThat(bits).as(way.name + ": " + out).isPositive();
        return bits / 1e9;
    }

    private void table() {
        System.out.println("median (range) of " + ROUNDS + " rounds; in brackets what MCC has of it");
        System.out.printf(
                "%-14s%28s%28s%36s%36s%34s%34s%n",
                "",
                "p50 ms, 16 connections",
                "p99 ms",
                "requests/s",
                "a connection for each",
                "1 connection Gbit/s",
                "4 connections Gbit/s");
        Way mine = ways.get(1);
        for (Way w : ways) {
            System.out.printf(
                    Locale.ROOT,
                    "%-14s%28s%28s%36s%36s%34s%34s%n",
                    w.name,
                    Figures.cell(w.p50, mine.p50),
                    Figures.cell(w.p99, mine.p99),
                    Figures.cell(w.rate, mine.rate),
                    Figures.cell(w.fresh, mine.fresh),
                    Figures.cell(w.one, mine.one),
                    Figures.cell(w.four, mine.four));
        }
    }
}
