package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import mcc.bench.Figures;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.link.Stranger;
import mcc.wire.FramesWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hundreds of fresh keys at one address, each of which makes a node open as many streams as one packet can. */
@Busy
class StreamFloodIT {
    /** Streams that the node allows a peer at first. */
    private static final int STREAMS = 100;

    private static final int PACKET_BYTES = 1_171;
    /** Peers that open 10,000 streams by one frame; 46 would fill the heap, had they what they ask for. */
    private static final int BEYOND = 50;
    /** Peers that open as many as they may: together more than a node lets wait for what they want. */
    private static final int WITHIN = 120;

    @TempDir
    Path folder;

    private final Rng rng = Rng.seeded(2);
    private final FramesWriter writer = new FramesWriter();
    private final byte[] packet = new byte[PACKET_BYTES];
    private long number = 1 << 20;

    @Test
    void strangersWithFewBytesTakeNeitherANodesMemoryNorItsPlaces() throws Exception {
        List<Stranger> strangers = new ArrayList<>();
        try (Echo echo = new Echo();
                RealNode victim = RealNode.start(folder.resolve("victim"));
                RealNode honest = RealNode.start(folder.resolve("honest"), "--bootstrap", victim.bootstrap())) {
            victim.register("there", "there", echo.port());
            honest.register("here", "here", echo.port());
            RealNode.await(
                    "each finds the other's",
                    () -> !honest.providers("there").isEmpty()
                            && !victim.providers("here").isEmpty());
            int there = honest.forward("there");
            int here = victim.forward("here");
            serves(victim, honest, there, here);
            double before = Figures.live(victim.process);
            for (int i = 0; i < BEYOND + WITHIN; i++) strangers.add(stranger(victim));
            meet(strangers);

            // They say it again and again, as what comes while the node collects garbage may be lost.
            List<Stranger> beyond = strangers.subList(0, BEYOND);
            RealNode.await("each of them loses its link", () -> {
                for (Stranger each : beyond) open(each, 9_999, 10_000);
                return victim.counted("mcc_link_peer_broken_total") == BEYOND;
            });
            serves(victim, honest, there, here);

            List<Stranger> within = strangers.subList(BEYOND, BEYOND + WITHIN);
            for (Stranger each : within) open(each, STREAMS - 1, STREAMS);
            serves(victim, honest, there, here);
            RealNode.await("streams that ask for nothing give way", () -> {
                for (Stranger each : within) open(each, 0, STREAMS);
                return victim.counted("mcc_tunnel_asking_evicted_total") > 0;
            });
            serves(victim, honest, there, here);
            double after = Figures.live(victim.process);
            assertThat(after - before).as("MB that strangers hold").isLessThan(64);
            assertThat(victim.log() + honest.log()).doesNotContain("Exception", "OutOfMemoryError");
        } finally {
            for (Stranger each : strangers) each.close();
        }
    }

    private Stranger stranger(RealNode node) throws IOException {
        return new Stranger("open", rng.split(), Id.parse(node.id), Address.parse(node.bootstrap()));
    }

    /** All at a time: those beyond the rate that is calm are asked for a cookie, and most of them to wait. */
    private static void meet(List<Stranger> strangers) throws Exception {
        try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Double>> asked = new ArrayList<>();
            for (Stranger stranger : strangers) asked.add(stranger::meet);
            for (Future<Double> met : each.invokeAll(asked)) {
                assertThat(met.get()).as("a handshake like any other").isNotNegative();
            }
        }
    }

    /** One packet with the first byte of streams by their numbers. */
    private void open(Stranger stranger, int from, int to) {
        writer.begin(packet, 0, PACKET_BYTES);
        writer.packetNumber(++number);
        for (int i = from; i < to; i++) packet[writer.stream(stranger.stream(i), 0, 1, false)] = 1;
        stranger.say(packet, writer.length());
    }

    /** The node lives, and it and the honest peer find and reach each other's services. */
    private void serves(RealNode victim, RealNode honest, int there, int here) throws IOException {
        assertThat(victim.get("/health/live").status()).isEqualTo(200);
        assertThat(honest.providers("there")).containsExactly(victim.id);
        Echo.assertEchoes(there, rng.bytes(1_000));
        Echo.assertEchoes(here, rng.bytes(1_000));
    }
}
