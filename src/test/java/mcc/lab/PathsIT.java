package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import mcc.it.RealNode;
import mcc.it.TwoHosts;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes behind home routers and a transfer between them, while the way that it goes dies, changes or sleeps. */
@Tag("long")
class PathsIT {
    @TempDir
    static Path folder;

    private static Lab lab;
    private static Site there;
    private static Site here;
    private static Pair pair;
    private static RealNode neighbour;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("paths");
        lab.delay(5);
        List<RealNode> open = lab.openNodes(3, folder);
        there = lab.site(2);
        here = lab.site(1);
        pair = new Pair(open, folder, there.host(), here.host());
        neighbour = there.hosts.get(1).node(folder.resolve("neighbour"), Lab.bootstrap(open.getFirst()));
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    /** Each test begins with nodes that reach each other straight. */
    @BeforeEach
    void goStraight() throws Exception {
        lab.blackHole(here.edge, there.edge, false);
        lab.blackHole(there.edge, here.edge, false);
        assertThat(pair.exchange(Pair.block(1))).isEqualTo(Pair.block(1));
        pair.awaitStraight();
    }

    @Test
    void theRelayCarriesADirectionThatDies() throws Exception {
        pair.transfer("one direction dead", () -> lab.blackHole(here.edge, there.edge, true));
        assertThat(Pair.way(pair.using, pair.provider)).isEqualTo("relay");
    }

    @Test
    void theRelayCarriesTheOtherDirection() throws Exception {
        pair.transfer("the other direction dead", () -> lab.blackHole(there.edge, here.edge, true));
        assertThat(Pair.way(pair.provider, pair.using)).isEqualTo("relay");
    }

    @Test
    void theRelayCarriesBothDirections() throws Exception {
        pair.transfer("both directions dead", () -> {
            lab.blackHole(here.edge, there.edge, true);
            lab.blackHole(there.edge, here.edge, true);
        });
        assertThat(Pair.way(pair.provider, pair.using)).isEqualTo("relay");
        assertThat(Pair.way(pair.using, pair.provider)).isEqualTo("relay");
    }

    @Test
    void aRouterThatForgetsItsFlowsCostsNoByte() throws Exception {
        pair.transfer("the user's router restarted", here::reboot);
        pair.transfer("the provider's router restarted", there::reboot);
    }

    @Test
    void aNodeThatSleptIsReachedStraightAgain() throws Exception {
        long pid = pair.provider.process.pid();
        TwoHosts.run("kill -STOP " + pid);
        RealNode.await(
                "it sleeps beyond its lease",
                () -> !pair.using.providers("echo").contains(pair.provider.id),
                pair.using);
        TwoHosts.run("kill -CONT " + pid);
        long woke = System.nanoTime();
        RealNode.await("it is reached", () -> reaches(), pair.using, pair.provider);
        long reached = System.nanoTime();
        pair.awaitStraight();
        System.out.println("| a node that slept, reached again after | " + (reached - woke) / 1_000_000
                + " ms, straight after " + (System.nanoTime() - woke) / 1_000_000 + " ms |");
    }

    private static boolean reaches() {
        try {
            return pair.exchange(Pair.block(2)).length == Pair.BLOCK_BYTES;
        } catch (Exception e) {
            return false;
        }
    }

    @Test
    void neighboursBehindOneRouterUseTheirOwnNetwork() throws Exception {
        RealNode provider = pair.provider;
        for (NatKind kind : List.of(NatKind.HOME, NatKind.HAIRPIN)) {
            there.become(kind);
            RealNode.await("it is found", () -> neighbour.providers("echo").contains(provider.id), neighbour, provider);
            assertThat(Echo.exchange(there.hosts.get(1), neighbour.forward("echo"), Pair.block(3)))
                    .isEqualTo(Pair.block(3));
            RealNode.await(kind.name(), () -> Pair.way(neighbour, provider).equals("lan"), neighbour, provider);
            RealNode.await(kind.name(), () -> Pair.way(provider, neighbour).equals("lan"), neighbour, provider);
        }
        there.become(NatKind.HOME);
    }
}
