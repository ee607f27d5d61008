package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import mcc.it.RealNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An app behind a NAT, used from behind another one: through relays, which are found and lost. Both NATs give each flow a port of
 * its own, so that there is no other way.
 */
@Tag("long")
class RelayIT {
    @TempDir
    static Path folder;

    private static Lab lab;
    private static Pair pair;

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("relay");
        lab.delay(5);
        List<RealNode> open = lab.openNodes(3, folder);
        Host there = lab.site(1).become(NatKind.RANDOM).host();
        Host here = lab.site(1).become(NatKind.RANDOM).host();
        pair = new Pair(open, folder, there, here);
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    @Test
    void bytesGoThroughARelayWhereThereIsNoOtherWay() throws Exception {
        byte[] sent = new byte[300_000];
        for (int i = 0; i < sent.length; i++) sent[i] = (byte) (i * 31 >> 3);
        assertThat(pair.exchange(sent)).isEqualTo(sent);
        assertThat(pair.via()).isIn(pair.open.stream().map(relay -> relay.id).toList());
        double relayed = 0;
        for (RealNode relay : pair.open) relayed += relay.counted("mcc_relay_bytes_total");
        assertThat(relayed).isGreaterThan(600_000);
    }

    @Test
    void whyARelayIsOnTheWayIsToldAndWhoCouldChangeIt() throws Exception {
        byte[] sent = {1, 2, 3};
        assertThat(pair.exchange(sent)).isEqualTo(sent);
        String path = "/api/v1/peers/" + pair.provider.id + "/path";
        RealNode.await(
                "the user's side is told what to do",
                () -> pair.using
                        .get(path)
                        .body()
                        .at("/advice/0/text")
                        .asText()
                        .contains("gives every destination another port"),
                pair.using);
        JsonNode told = pair.using.get(path).body();
        assertThat(told.at("/path/tx").asText()).isEqualTo("relay");
        assertThat(told.at("/verdict").asText()).startsWith("A relay (").contains("carries the packets");
        assertThat(told.at("/here/mapping").asText()).contains("dependent").isNotEqualTo("endpoint-independent");
        JsonNode changes = told.at("/changes");
        assertThat(changes.get(changes.size() - 1).at("/relay").asText())
                .isIn(pair.open.stream().map(relay -> relay.id).toList());
        assertThat(told.at("/tries").findValuesAsText("state")).contains("silent", "in-use");
    }

    @Test
    void aRelayThatDiesCostsNoByteOfAStream() throws Exception {
        pair.transfer("relay killed", () -> kill(pair.via()));
        RealNode.await(
                "the provider keeps a place at another relay", () -> Pair.places(pair.provider) >= 2, pair.provider);
        assertThat(pair.exchange(Pair.block(9))).as("and is found by it").isEqualTo(Pair.block(9));
    }

    private static void kill(String id) {
        for (RealNode relay : List.copyOf(pair.open)) {
            if (!relay.id.equals(id)) continue;
            relay.kill();
            pair.open.remove(relay);
        }
    }
}
