package mcc.lab;

import java.nio.file.Path;
import java.util.List;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A host with two interfaces, each behind a router of its own, that loses the one it uses in the middle of a transfer. */
@Tag("long")
class InterfaceSwitchIT {
    @TempDir
    static Path folder;

    private static Lab lab;
    private static Site here;
    private static Pair pair;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("switch");
        lab.delay(5);
        List<RealNode> open = lab.openNodes(3, folder);
        Site there = lab.site(1);
        here = lab.site(1);
        lab.plug(here.host(), lab.site(1));
        pair = new Pair(open, folder, there.host(), here.host());
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    /** As a laptop that leaves its cable for the wireless network, and comes back. */
    @Test
    void anotherInterfaceTakesOver() throws Exception {
        pair.exchange(Pair.block(1));
        pair.awaitStraight();
        pair.transfer("the interface is gone", () -> here.host().ns.sh("ip link set eth0 down"));
        pair.awaitStraight();
        // The route through the router does not come back by itself.
        String gateway = here.host().ip.replaceAll("[0-9]+$", "1");
        pair.transfer(
                "and back",
                () -> here.host()
                        .ns
                        .sh("ip link set eth0 up && ip route replace default via " + gateway + " dev eth0"));
        pair.awaitStraight();
    }
}
