package mcc.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code mcc demo}: starts real node processes on free ports of this machine and a real HTTP service behind two of them, finds
 * the service from the last node and fetches from it through a tunnel; then kills a provider. With {@code --nats},
 * {@link DemoNats} shows something else.
 *
 * <p>Every step prints what it measured. A failed step ends the demo with exit code 1. At the end all nodes and files are
 * removed.
 */
@Command(description = "see MCC work: nodes, a service, a tunnel and a failover on this machine; or NATs")
final class Demo implements Callable<Integer> {
    private static final String SERVICE = "web";
    private static final long LEASE_MS = 10_000;
    private static final long FIND_MS = 20_000;
    private static final long LEAVE_MS = 60_000;
    static final int REST_MS = 20_000;

    @Option(names = "--once", description = "end after the last step, with exit code 0 if all went well")
    boolean once;

    @Option(
            names = "--nats",
            description = "show NATs instead: a relay between two nodes behind routers, a direct path, and both lost")
    boolean nats;

    @Option(names = "--nodes", paramLabel = "N", defaultValue = "4", description = "how many nodes, 3 to 20; default 4")
    int count = 4;

    final Cli cli;
    private final List<DemoNode> nodes = new ArrayList<>();
    final List<DemoSite> sites = new ArrayList<>();
    private int step;

    Demo(Cli cli) {
        this.cli = cli;
    }

    @Override
    public Integer call() throws Exception {
        if (count < 3 || count > 20) throw Failure.usage("--nodes " + count, "3 to 20 nodes");
        Path folder = Files.createTempDirectory("mcc-demo-");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> cleanUp(folder)));
        if (nats) DemoNats.show(this, folder);
        else showServices(folder);
        if (!once) stay();
        return Failure.OK;
    }

    private void showServices(Path folder) throws IOException {
        startNodes(folder);
        Map<String, DemoNode> providers = register();
        DemoNode user = nodes.getLast();
        find(user, providers.size());
        String tunnel = open(user);
        String served = fetchPage(tunnel);
        fetchFile(tunnel);
        failOver(tunnel, user, providers, served);
    }

    private void startNodes(Path folder) throws IOException {
        cli.out.println("Starting " + count + " nodes, each a process of its own ...");
        long start = System.nanoTime();
        DemoNode first = launch("node1", folder, List.of());
        first.awaitReady();
        for (int i = 2; i <= count; i++) launch("node" + i, folder, List.of(first.udp()));
        for (DemoNode node : nodes.subList(1, count)) node.awaitReady();
        done(count + " nodes up, bootstrapped by node1 (" + first.udp() + ")", since(start));
        for (DemoNode node : nodes) {
            cli.out.println("     " + node.name + "  " + Text.shortId(node.id()) + "  dashboard " + node.url() + "/");
        }
    }

    DemoNode launch(String name, Path folder, List<String> bootstrap, String... more) throws IOException {
        DemoNode node = DemoNode.start(name, folder, bootstrap, more);
        synchronized (nodes) {
            nodes.add(node);
        }
        return node;
    }

    private Map<String, DemoNode> register() throws IOException {
        long start = System.nanoTime();
        Map<String, DemoNode> out = new LinkedHashMap<>();
        for (DemoNode node : nodes.subList(0, 2)) {
            DemoSite site = new DemoSite(node.name);
            sites.add(site);
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("service", SERVICE);
            body.put("port", site.port());
            body.put("leaseMs", LEASE_MS);
            body.put("check", Map.of("type", "http", "path", "/", "intervalMs", 2_000));
            node.rest(REST_MS).put("/registrations/" + SERVICE, body);
            out.put(node.name, node);
        }
        done("two HTTP servers registered as '" + SERVICE + "', at node1 and at node2", since(start));
        return out;
    }

    private void find(DemoNode user, int wanted) {
        long start = System.nanoTime();
        int found = 0;
        while (found < wanted) {
            if (since(start) > FIND_MS) {
                throw failed("the service was not found", found + " of " + wanted + " providers after 20 s");
            }
            found = providers(user).size();
            if (found < wanted) Cli.pause(50);
        }
        done("found by name from " + user.name + ": " + found + " providers", since(start));
        for (String line : ServiceVerbs.providers(page(user)).lines(cli.isColoured())) cli.out.println("     " + line);
    }

    private static Json page(DemoNode user) {
        return user.rest(REST_MS).get("/services/" + SERVICE + "/providers").json();
    }

    private static List<Json> providers(DemoNode user) {
        return page(user).at("items").items();
    }

    private String open(DemoNode user) {
        long start = System.nanoTime();
        Json tunnel =
                user.rest(REST_MS).post("/tunnels", Map.of("service", SERVICE)).json();
        done("tunnel at " + user.name + ": " + TunnelVerbs.line(tunnel), since(start));
        return tunnel.at("listen").text("");
    }

    static Http get(String address, String path) throws IOException {
        int colon = address.lastIndexOf(':');
        int port = Integer.parseInt(address.substring(colon + 1));
        return new Http(address.substring(0, colon), port, "GET", path, Map.of(), null, REST_MS);
    }

    /** Fetches the page; returns the name of the node behind which it was served. */
    private String fetchPage(String tunnel) {
        long start = System.nanoTime();
        String served = page(tunnel);
        done("page fetched through the tunnel, served behind " + served + ", every byte as it was sent", since(start));
        return served;
    }

    static String page(String tunnel) {
        try (Http http = get(tunnel, "/")) {
            String served = http.header("x-served-by");
            if (http.status() == 200 && http.text().equals(DemoSite.pageOf(served))) return served;
            throw failed("the page came through wrong", "status " + http.status());
        } catch (IOException e) {
            throw failed("the page could not be fetched", String.valueOf(e.getMessage()));
        }
    }

    private void fetchFile(String tunnel) {
        long start = System.nanoTime();
        int got = 0;
        try (Http http = get(tunnel, "/file")) {
            byte[] buffer = new byte[65_536];
            InputStream in = http.body();
            for (int n = in.read(buffer, 0, buffer.length); n >= 0; n = in.read(buffer, 0, buffer.length)) {
                if (!DemoSite.isFile(got, buffer, n)) throw failed("the file came through wrong", "near byte " + got);
                got += n;
            }
        } catch (IOException e) {
            throw failed("the file broke off", "after " + got + " bytes: " + e.getMessage());
        }
        if (got != DemoSite.FILE_BYTES) throw failed("the file came through short", got + " bytes");
        long ms = Math.max(1, since(start));
        String rate = String.format(Locale.ROOT, "%.0f Mbit/s", got * 8.0 / 1_000 / ms);
        done("100 MB fetched through the tunnel, every byte as it was sent: " + rate, ms);
    }

    private void failOver(String tunnel, DemoNode user, Map<String, DemoNode> providers, String served) {
        DemoNode victim = providers.get(served);
        if (victim == null) throw failed("unknown server", served);
        victim.kill();
        long start = System.nanoTime();
        String next = page(tunnel);
        if (next.equals(served)) throw failed("the dead provider answered", served);
        done(served + " killed (SIGKILL); the next fetch came from behind " + next, since(start));
        while (providers(user).stream().anyMatch(p -> p.at("node").text("").equals(victim.id()))) {
            if (since(start) > LEAVE_MS) throw failed("the dead provider is still listed", "after 60 s");
            Cli.pause(100);
        }
        done(served + " left the list of providers (its lease was " + LEASE_MS / 1000 + " s)", since(start));
    }

    private void stay() throws InterruptedException {
        cli.out.println("All steps went well. The nodes stay up; look around, ctrl-C ends them:");
        for (DemoNode node : nodes) {
            if (node.isAlive()) cli.out.println("     " + node.name + "  " + node.url() + "/");
        }
        String at = "     mcc --node " + nodes.getLast().url();
        cli.out.println(at + (nats ? " netcheck" : " discover " + SERVICE));
        if (!nats) cli.out.println("     mcc demo --nats");
        new CountDownLatch(1).await();
    }

    void done(String what, long ms) {
        step++;
        cli.out.printf(Locale.ROOT, "%s %2d  %s  [%d ms]%n", cli.paint(Table.Colour.GREEN, "ok"), step, what, ms);
    }

    static Failure failed(String title, String detail) {
        return new Failure(Failure.FAILED, "Demo failed: " + title, detail, null);
    }

    static long since(long startNs) {
        return (System.nanoTime() - startNs) / 1_000_000;
    }

    private void cleanUp(Path folder) {
        synchronized (nodes) {
            nodes.forEach(DemoNode::stop);
            nodes.forEach(DemoNode::awaitEnd);
        }
        sites.forEach(DemoSite::close);
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(file);
        } catch (IOException e) {
            cli.err.println("not everything under " + folder + " could be removed: " + e.getMessage());
        }
    }
}
