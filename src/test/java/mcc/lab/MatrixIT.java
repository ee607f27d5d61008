package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import mcc.it.Busy;
import mcc.it.RealNode;
import mcc.sim.NatBehavior.Ports;
import mcc.sim.NatBehavior.Scope;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two nodes behind two NATs: bytes flow at once, by a relay, and where the NATs allow it the path needs none a moment later.
 *
 * <p>The whole matrix prints its table: {@code -Dgroups=bench -DexcludedGroups=}, with {@code -Dbench.rounds}, {@code
 * -Dbench.delays} in ms, and {@code -Dbench.only}, the names of pairs.
 */
@Busy
class MatrixIT {
    private static final int ECHO_PORT = 7_000;
    private static final int PEERS = 5;
    private static final List<NatKind> KINDS = List.of(
            NatKind.FULL_CONE,
            NatKind.ADDRESS_RESTRICTED,
            NatKind.PORT_RESTRICTED,
            NatKind.SEQUENTIAL,
            NatKind.PORT_BLOCK,
            NatKind.RANDOM,
            NatKind.HOME_OPEN,
            NatKind.RANDOM_OPEN);

    @TempDir
    static Path folder;

    private static Lab lab;
    private static Site here;
    private static Site there;
    private static String bootstrap = "";
    private static int runs;

    private record Cell(NatKind user, NatKind provider) {
        /** Whether one of the two always knows where the other will be seen. */
        boolean canMeet() {
            return isPredictable(user) || isPredictable(provider);
        }

        /** Whether that is a matter of hundreds of ports. */
        boolean isByChance() {
            return canMeet() && (isRandom(user) || isRandom(provider));
        }

        private static boolean isPredictable(NatKind kind) {
            return kind.behavior().mapping() == Scope.ENDPOINT_INDEPENDENT;
        }

        private static boolean isRandom(NatKind kind) {
            return !isPredictable(kind) && kind.behavior().ports() == Ports.RANDOM;
        }

        @Override
        public String toString() {
            return user + " x " + provider;
        }
    }

    /** How it went: ms from a client's connection to its first byte, and to a path without a relay at both ends; −1 for none. */
    private record Run(long firstByteMs, long directMs) {}

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("matrix");
        lab.delay(5);
        here = lab.site(1);
        there = lab.site(1);
        Host first = lab.open();
        bootstrap = first.ip + ":" + Host.PORT;
        first.node(folder.resolve("first"));
        List<CompletableFuture<RealNode>> others = new ArrayList<>();
        for (int i = 1; i < PEERS; i++) {
            Host host = lab.open();
            Path data = folder.resolve("peer" + i);
            others.add(CompletableFuture.supplyAsync(() -> host.node(data, "--bootstrap", bootstrap)));
        }
        for (CompletableFuture<RealNode> each : others) each.get();
        Echo.serve(there.host(), ECHO_PORT);
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    private static RealNode start(Site site, NatKind kind) {
        Path data = folder.resolve("node" + ++runs);
        RealNode node = site.host().node(data, "--bootstrap", bootstrap);
        boolean same = kind.behavior().mapping() == Scope.ENDPOINT_INDEPENDENT;
        RealNode.await(
                "it knows its NAT",
                () -> {
                    JsonNode side = node.get("/api/v1/nat").body().path("ipv4");
                    boolean ports =
                            same || !side.path("ports").asText("unknown").equals("unknown");
                    boolean knows =
                            List.of("yes", "no").contains(side.path("reachable").asText());
                    return knows && ports && side.path("voices").asInt() >= PEERS;
                },
                node);
        return node;
    }

    private static JsonNode path(RealNode from, RealNode to) {
        return from.get("/api/v1/peers/" + to.id + "/path").body();
    }

    private static boolean isDirect(RealNode from, RealNode to) {
        return path(from, to).at("/path/tx").asText().equals("direct");
    }

    private static Run run(Cell cell) throws Exception {
        here.become(cell.user);
        there.become(cell.provider);
        NatKind far = cell.provider;
        CompletableFuture<RealNode> providing = CompletableFuture.supplyAsync(() -> start(there, far));
        try (RealNode user = start(here, cell.user);
                RealNode provider = providing.get()) {
            provider.register("echo", "echo", ECHO_PORT);
            boolean reachable = provider.get("/api/v1/nat")
                    .body()
                    .at("/ipv4/reachable")
                    .asText()
                    .equals("yes");
            RealNode.await("the provider keeps two places", () -> reachable || Pair.places(provider) >= 2, provider);
            RealNode.await("the provider is found", () -> user.providers("echo").contains(provider.id), user, provider);
            int port = user.forward("echo");
            long beganNs = System.nanoTime();
            byte[] sent = {1, 2, 3, 4};
            assertThat(Echo.exchange(here.host(), port, sent)).isEqualTo(sent);
            long firstNs = System.nanoTime() - beganNs;
            boolean met = false;
            if (cell.canMeet() && !cell.isByChance()) {
                RealNode.await(
                        cell + " need no relay",
                        () -> isDirect(user, provider) && isDirect(provider, user),
                        user,
                        provider);
                met = true;
            } else {
                // Until an attempt was made and is over: it has met, or the next one is far off.
                met = metOrOver(user, provider);
                if (!cell.canMeet())
                    assertThat(met)
                            .as("%s never claim a path that there is not", cell)
                            .isFalse();
            }
            assertThat(Echo.exchange(here.host(), port, sent)).isEqualTo(sent);
            if (!met && cell.canMeet()) {
                for (RealNode each : List.of(user, provider)) {
                    JsonNode path = path(each, each == user ? provider : user);
                    System.out.println(cell + ", not met: " + path.path("punching") + path.path("tries"));
                    for (String line : each.get("/metrics").raw().body().split("\n")) {
                        if (line.matches(".*(punch|link_path|ephemeral|initiation|knock|no_socket).*")
                                && !line.startsWith("#")) System.out.println(line);
                    }
                }
            }
            return new Run(firstNs / 1_000_000, met ? (System.nanoTime() - beganNs) / 1_000_000 : -1);
        }
    }

    private static boolean metOrOver(RealNode user, RealNode provider) {
        boolean[] met = {false};
        RealNode.await(
                "an attempt is over",
                () -> {
                    met[0] = isDirect(user, provider) && isDirect(provider, user);
                    JsonNode punching = path(user, provider).path("punching");
                    JsonNode others = path(provider, user).path("punching");
                    long nextMs = Math.max(
                            punching.path("nextInMs").asLong(),
                            others.path("nextInMs").asLong());
                    return met[0] || nextMs > 0 && nextMs < 588_000 && nextMs > 20_000 && attempts(punching) >= 1;
                },
                user,
                provider);
        return met[0];
    }

    private static long attempts(JsonNode punching) {
        return punching.path("attemptsTotal").asLong();
    }

    private static DynamicTest once(NatKind user, NatKind provider) {
        Cell cell = new Cell(user, provider);
        return DynamicTest.dynamicTest(cell.toString(), () -> System.out.println(cell + ": " + run(cell)));
    }

    @TestFactory
    Stream<DynamicTest> twoNodesMeetWhereTheirNatsAllowIt() {
        return Stream.of(once(NatKind.SEQUENTIAL, NatKind.HOME), once(NatKind.RANDOM, NatKind.PORT_BLOCK));
    }

    private static List<Cell> cells() {
        return IntStream.range(0, KINDS.size())
                .boxed()
                .flatMap(i -> KINDS.subList(i, KINDS.size()).stream().map(other -> new Cell(KINDS.get(i), other)))
                .toList();
    }

    @TestFactory
    @Tag("long")
    Stream<DynamicTest> eachPairOfNatsOnce() {
        return cells().stream().map(cell -> once(cell.user, cell.provider));
    }

    @TestFactory
    @Tag("bench")
    Stream<DynamicTest> theWholeMatrix() {
        int rounds = Integer.getInteger("bench.rounds", 10);
        String only = System.getProperty("bench.only", "");
        List<DynamicTest> out = new ArrayList<>();
        for (String delay : System.getProperty("bench.delays", "5,25,100").split(",")) {
            for (Cell cell : cells()) {
                if (!cell.toString().contains(only)) continue;
                out.add(DynamicTest.dynamicTest(cell + ", " + delay + " ms", () -> {
                    lab.delay(Integer.parseInt(delay));
                    List<Run> all = new ArrayList<>();
                    for (int i = 0; i < rounds; i++) all.add(run(cell));
                    List<Long> direct = all.stream()
                            .map(Run::directMs)
                            .filter(ms -> ms >= 0)
                            .sorted()
                            .toList();
                    List<Long> first =
                            all.stream().map(Run::firstByteMs).sorted().toList();
                    System.out.printf(
                            "| %s | %s ms | %d of %d | %s | %d |%n",
                            cell,
                            delay,
                            direct.size(),
                            rounds,
                            direct.isEmpty()
                                    ? "never"
                                    : direct.get(direct.size() / 2) + " (" + direct.getLast() + ") ms",
                            first.get(first.size() / 2));
                }));
            }
        }
        return out.stream();
    }
}
