package mcc.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import mcc.sim.NatBehavior;
import mcc.sim.NatBehavior.Ports;
import mcc.sim.NatBehavior.Scope;

/**
 * {@code mcc demo --nats}: a service behind one home router, its user behind another, and three nodes that
 * anybody reaches, on a {@link DemoNetwork}. A relay joins the two, then a direct path takes over; during a transfer both
 * routers are replaced by such that allow no direct path, and at last the relay in use is killed.
 */
final class DemoNats {
    private static final String SERVICE = "photos";
    private static final int ONE_WAY_MS = 5;
    private static final long PATIENCE_MS = 60_000;
    private static final List<String> OPEN = List.of("192.0.2.1", "198.51.100.1", "203.0.113.1");
    private static final List<String> HOMES = List.of("198.18.0.1", "198.19.0.1");

    /** What most home routers do: one port for all destinations, and only whom one called gets in. */
    private static final NatBehavior HOME =
            NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED);
    /** Another port for each destination, which nobody can guess. */
    private static final NatBehavior HARD =
            NatBehavior.of(Scope.ADDRESS_AND_PORT_DEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.RANDOM);

    private final Demo demo;
    private final Path folder;
    private final DemoNetwork network = new DemoNetwork(ONE_WAY_MS);
    private final List<DemoNode> relays = new ArrayList<>();
    private final List<DemoNetwork.Host> routers = new ArrayList<>();
    private List<String> bootstrap = List.of();

    private DemoNats(Demo demo, Path folder) {
        this.demo = demo;
        this.folder = folder;
    }

    static void show(Demo demo, Path folder) throws IOException {
        DemoNats nats = new DemoNats(demo, folder);
        nats.startRelays();
        DemoNode provider = nats.offer();
        DemoNode user = nats.launch("home2", nats.router(HOMES.getLast()));
        user.awaitReady();
        Pair pair = nats.new Pair(provider, user);
        String tunnel = pair.fetch();
        pair.upgrade();
        pair.lose(tunnel);
    }

    private void startRelays() throws IOException {
        long begin = System.nanoTime();
        for (String ip : OPEN) {
            DemoNetwork.Host host = network.host(ip);
            DemoNode node = launch("relay" + (relays.size() + 1), host);
            relays.add(node);
            if (!bootstrap.isEmpty()) continue;
            node.awaitReady();
            bootstrap = List.of(host.address(node.udp()));
        }
        for (DemoNode node : relays.subList(1, relays.size())) node.awaitReady();
        demo.done("3 nodes that anybody reaches", Demo.since(begin));
    }

    private DemoNetwork.Host router(String ip) throws IOException {
        DemoNetwork.Host host = network.host(ip);
        host.behind(HOME);
        routers.add(host);
        return host;
    }

    private DemoNode launch(String name, DemoNetwork.Host host) throws IOException {
        return demo.launch(name, folder, bootstrap, "--udp-via", host.via(), "--network", "nats");
    }

    /** Starts a node behind a router, with a service beside it. */
    private DemoNode offer() throws IOException {
        long begin = System.nanoTime();
        DemoNode node = launch("home1", router(HOMES.getFirst()));
        node.awaitReady();
        DemoSite site = new DemoSite(node.name);
        demo.sites.add(site);
        node.rest(Demo.REST_MS).put("/registrations/" + SERVICE, Map.of("service", SERVICE, "port", site.port()));
        await(
                "home1 found no relay",
                () -> get(node, "/relays").at("kept").items().size() == 2);
        demo.done("home1 offers '" + SERVICE + "' behind a router; two of the others relay for it", Demo.since(begin));
        demo.cli.out.println("     " + get(node, "/nat").at("verdict").text("-"));
        return node;
    }

    private static void await(String what, BooleanSupplier holds) {
        long begin = System.nanoTime();
        while (!holds.getAsBoolean()) {
            if (Demo.since(begin) > PATIENCE_MS) throw Demo.failed(what, "not within 60 s");
            Cli.pause(50);
        }
    }

    private static Json get(DemoNode node, String path) {
        return node.rest(Demo.REST_MS).get(path).json();
    }

    /** The node with the service, and the one with its user. */
    private final class Pair {
        private final DemoNode provider;
        private final DemoNode user;

        Pair(DemoNode provider, DemoNode user) {
            this.provider = provider;
            this.user = user;
        }

        String fetch() {
            String providers = "/services/" + SERVICE + "/providers";
            await(
                    "home2 did not find the service",
                    () -> !get(user, providers).at("items").items().isEmpty());
            long begin = System.nanoTime();
            Json tunnel = user.rest(Demo.REST_MS)
                    .post("/tunnels", Map.of("service", SERVICE))
                    .json();
            String listen = tunnel.at("listen").text("");
            await("the page was not fetched", () -> isFetched(listen));
            demo.done(
                    "page fetched at home2, which is behind a router too, at first by "
                            + by(path().at("changes").items().getFirst()),
                    Demo.since(begin));
            return listen;
        }

        /** What home2 finds may be older than home1's relays, a moment after these were found. */
        private static boolean isFetched(String listen) {
            try {
                return Demo.page(listen).equals("home1");
            } catch (Failure _) {
                return false;
            }
        }

        private Json path() {
            return get(user, "/peers/" + provider.id() + "/path");
        }

        /** {@code relay2}, or an address. */
        private String by(Json change) {
            String relay = change.at("relay").text("");
            for (DemoNode each : relays) if (each.id().equals(relay)) return each.name;
            return relay.isEmpty()
                    ? change.at("path").text("-") + " " + change.at("address").text("")
                    : Text.shortId(relay);
        }

        private Json last() {
            return path().at("changes").items().getLast();
        }

        void upgrade() {
            long begin = System.nanoTime();
            await("no direct path was found", () -> last().at("path").text("").equals("direct"));
            Json now = path();
            demo.done(
                    "the packets go straight now: " + by(last()) + ", " + Text.latency(now.at("rttMs")),
                    Demo.since(begin));
            demo.cli.out.println("     " + now.at("verdict").text("-"));
        }

        /** The direct path is lost in mid-transfer, and later the relay that took over. */
        void lose(String tunnel) {
            long pauseMs = transfer(tunnel, () -> routers.forEach(each -> each.behind(HARD)));
            demo.done(
                    "100 MB fetched; meanwhile both routers were replaced by such that allow no direct path: it went on"
                            + " by " + by(last()) + " after a pause",
                    pauseMs);
            Json now = path();
            demo.cli.out.println("     " + now.at("verdict").text("-"));
            for (Json each : now.at("advice").items()) {
                String side = each.at("side").text("").equals("this") ? "home2: " : "home1: ";
                demo.cli.out.println("     " + side + each.at("text").text(""));
            }
            long begin = System.nanoTime();
            await("the relays are not reached", () -> hearsRelays(provider, begin) && hearsRelays(user, begin));
            demo.done("both hear their relays through the new routers", Demo.since(begin));
            String victim = by(last());
            long killedMs = transfer(tunnel, this::kill);
            demo.done(
                    "100 MB fetched; meanwhile " + victim + " was killed (SIGKILL): it went on by " + by(last())
                            + " after a pause, every byte as it was sent",
                    killedMs);
        }

        private static boolean hearsRelays(DemoNode node, long sinceNs) {
            List<String> kept = new ArrayList<>();
            for (Json each : get(node, "/relays").at("kept").items())
                kept.add(each.at("relay").text(""));
            for (Json peer : get(node, "/peers").at("items").items()) {
                if (peer.at("heardAgoMs").number(Double.MAX_VALUE) < Demo.since(sinceNs)) {
                    kept.remove(peer.at("id").text(""));
                }
            }
            return kept.isEmpty();
        }

        /** Fetches a file, breaks something in the middle of it, and returns the longest pause after that. */
        private long transfer(String tunnel, Runnable breaks) {
            long longestNs = 0;
            int got = 0;
            boolean broken = false;
            try (Http http = Demo.get(tunnel, "/file")) {
                byte[] buffer = new byte[65_536];
                InputStream in = http.body();
                long readNs = System.nanoTime();
                for (int n = in.read(buffer, 0, buffer.length); n >= 0; n = in.read(buffer, 0, buffer.length)) {
                    if (broken) longestNs = Math.max(longestNs, System.nanoTime() - readNs);
                    if (!DemoSite.isFile(got, buffer, n)) {
                        throw Demo.failed("the file came through wrong", "near byte " + got);
                    }
                    got += n;
                    if (!broken && got > DemoSite.FILE_BYTES / 2) {
                        broken = true;
                        breaks.run();
                    }
                    readNs = System.nanoTime();
                }
            } catch (IOException e) {
                throw Demo.failed("the file broke off", "after " + got + " bytes: " + e.getMessage());
            }
            if (got != DemoSite.FILE_BYTES) throw Demo.failed("the file came through short", got + " bytes");
            return longestNs / 1_000_000;
        }

        private void kill() {
            String relay = last().at("relay").text("");
            for (DemoNode each : relays) {
                if (!each.id().equals(relay)) continue;
                each.kill();
                return;
            }
            throw Demo.failed("no relay carries the transfer", last().at("path").text("-"));
        }
    }
}
