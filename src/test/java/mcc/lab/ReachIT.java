package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nodes reach each other through NATs, each kind in turn: bytes through a tunnel to an app and back. The nodes and their
 * forwards are kept from case to case, so that each case but the first is also that of a router that was replaced.
 */
class ReachIT {
    private static final int ECHO_PORT = 7_000;
    /** One of each allocator and filter; the others are a long test. */
    private static final List<NatKind> SHORT = List.of(
            NatKind.HOME,
            NatKind.RANDOM,
            NatKind.FULL_CONE,
            NatKind.ADDRESS_RESTRICTED,
            NatKind.SEQUENTIAL,
            NatKind.PORT_BLOCK,
            NatKind.CARRIER,
            NatKind.FIXED_AGE);

    @TempDir
    static Path folder;

    private static Lab lab;
    private static Site site;
    private static Host provider;
    private static User open;
    private static User behind;
    private static User firewalled;
    private static final Map<String, String> TABLE = new LinkedHashMap<>();

    /** A node with a forward to the app. */
    private record User(Host host, RealNode node, int port) {}

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("reach");
        lab.delay(5);
        provider = lab.open();
        Host user = lab.open();
        site = lab.site(1);
        Echo.serve(provider, ECHO_PORT);
        String bootstrap = provider.ip + ":" + Host.PORT;
        CompletableFuture<RealNode> providing =
                CompletableFuture.supplyAsync(() -> provider.node46(folder.resolve("provider")));
        List<CompletableFuture<RealNode>> using = new ArrayList<>();
        for (Host host : List.of(user, site.host())) {
            String name = "user" + using.size();
            using.add(CompletableFuture.supplyAsync(() -> host.node(folder.resolve(name), "--bootstrap", bootstrap)));
        }
        Host behindFirewall = lab.firewalled(1).host();
        String bootstrap6 = "[" + provider.ip6 + "]:" + Host.PORT;
        using.add(CompletableFuture.supplyAsync(
                () -> behindFirewall.node6(folder.resolve("user2"), "--bootstrap", bootstrap6)));
        providing.get().register("echo", "echo", ECHO_PORT);
        open = user(user, using.get(0).get(), providing.get());
        behind = user(site.host(), using.get(1).get(), providing.get());
        firewalled = user(behindFirewall, using.get(2).get(), providing.get());
    }

    private static User user(Host host, RealNode node, RealNode provider) {
        RealNode.await("the provider is found", () -> node.providers("echo").contains(provider.id), node, provider);
        return new User(host, node, node.forward("echo"));
    }

    @AfterAll
    static void remove() throws Exception {
        TABLE.forEach((cell, result) -> System.out.println("| " + cell + " | " + result + " |"));
        if (lab != null) lab.close();
    }

    /** Sends bytes through a user's forward and gets them back. */
    private static void reaches(String cell, User user) throws Exception {
        byte[] sent = cell.getBytes();
        long began = System.nanoTime();
        byte[] got = Echo.exchange(user.host, user.port, sent);
        TABLE.put(cell, (System.nanoTime() - began) / 1_000_000 + " ms");
        assertThat(got).as(cell).isEqualTo(sent);
    }

    @Test
    void anOpenUserReachesAnOpenProvider() throws Exception {
        reaches("open | open", open);
    }

    @Test
    void aUserBehindAFirewallReachesAnOpenProviderByIpv6() throws Exception {
        reaches("firewall, IPv6 | open", firewalled);
    }

    @TestFactory
    Stream<DynamicTest> aUserBehindANatReachesAnOpenProvider() {
        return cells(SHORT.stream());
    }

    @TestFactory
    @Tag("long")
    Stream<DynamicTest> aUserBehindAnyOtherNatDoesToo() {
        return cells(NatKind.TRANSLATING.stream().filter(kind -> !SHORT.contains(kind)));
    }

    private static Stream<DynamicTest> cells(Stream<NatKind> kinds) {
        return kinds.map(kind -> DynamicTest.dynamicTest(kind.name(), () -> {
            site.become(kind);
            reaches(kind + " | open", behind);
        }));
    }
}
