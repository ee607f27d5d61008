package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import mcc.Retained;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.session.Session;
import mcc.stream.Stream;
import mcc.wire.Frames;
import mcc.wire.FramesWriter;
import mcc.wire.Message;
import mcc.wire.Rpc;
import mcc.wire.Transport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A peer that has keys and says what it likes under them: mutations of what is valid, absurd numbers, floods of what is cheap to
 * say. The node never throws, keeps little, answers little, and serves the honest peer beside it.
 */
class HostilePeerTest extends VirtualNet {
    private static final int MAX = 1_171;
    /** How often one kind of frame may make the attacker need new keys. */
    private static final int LIVES = 40;

    private static final long KIB = 1_024;
    /** What one short packet may make a node keep, beyond a stream that it may open: its first block of memory and itself. */
    private static final long FEW_BYTES_KEEP = 24 * KIB;

    /** Numbers at which arithmetic may go wrong, at limits, and of things that do not exist. */
    private static final long[] NUMBERS = {
        0,
        1,
        2,
        3,
        5,
        7,
        99,
        100,
        197,
        199,
        201,
        255,
        256,
        9_999,
        19_999,
        20_001,
        65_535,
        65_536,
        262_143,
        262_144,
        262_145,
        1_048_576,
        1L << 24,
        Integer.MAX_VALUE,
        1L << 31,
        0xffff_ffffL,
        1L << 32,
        1L << 40,
        (1L << 53) - 1,
        Frames.MAX_VALUE - 1,
        Frames.MAX_VALUE
    };

    /**
     * The bytes that a packet makes the node allocate stand for its work: no step of its processing costs much without
     * allocating.
     */
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final long MADE_PER_BYTE = 100;

    private final Host victim = host("192.0.2.1:1");
    private final Host honest = host("192.0.2.2:1");
    private final Identity mallory = Identity.fromSeed(rng.bytes(32));
    private final FramesWriter writer = new FramesWriter();
    private final byte[] packet = new byte[MAX];
    private Host attacker = life();
    private long number = 1 << 20;
    private int lives = 1;
    private long made;

    private Host life() {
        Host made = new Host(mallory, "192.0.2.66:1", mcc.crypto.Aead.Suite.AES_256_GCM);
        made.links.handle(now, new LinkInput.Ask(victim.contact(), 7, new Message.Ping()));
        made.turn();
        run(200 * MS);
        return made;
    }

    /** The attacker's keys with the victim; new ones if the victim ended the old link. */
    private Session keys() {
        if (victim.links.find(mallory.id()) == null) {
            hosts.remove(attacker);
            attacker = life();
            lives++;
        }
        Link link = attacker.links.find(victim.identity.id());
        if (link == null || link.current == null || !link.current.isAlive(now)) {
            // The attacker's own end gave up as well, so it starts again.
            hosts.remove(attacker);
            attacker = life();
            lives++;
            link = attacker.links.find(victim.identity.id());
        }
        assertThat(link).isNotNull();
        assertThat(link.current).as("the attacker has keys").isNotNull();
        return link.current;
    }

    private void attack(byte[] frames, int length) {
        Session session = keys();
        byte[] datagram = new byte[length + Transport.OVERHEAD_BYTES];
        session.seal(Transport.FRAMES, frames, 0, length, datagram, 0);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        victim.links.receive(now, datagram, 0, datagram.length, attacker.at);
        victim.turn();
        made += THREADS.getCurrentThreadAllocatedBytes() - before;
        assertThat(victim.counters.value("link.deadline.stuck")).isZero();
        victim.seen.clear();
        victim.received.clear();
    }

    private int begin() {
        writer.begin(packet, 0, MAX);
        writer.packetNumber(++number);
        return writer.length();
    }

    private static long any(Rng rng) {
        long base = NUMBERS[rng.below(NUMBERS.length)];
        return rng.below(4) == 0 ? Math.clamp(base + rng.below(5) - 2, 0, Frames.MAX_VALUE) : base;
    }

    /** Writes one frame of that kind with arbitrary numbers. */
    private void frame(int kind, Rng rng) {
        int room = Math.max(0, writer.room() - 40);
        switch (kind) {
            case 0 -> writer.stream(any(rng), any(rng), rng.below(Math.min(room, 200) + 1), rng.below(4) == 0);
            case 1 -> writer.maxStreamData(any(rng), any(rng));
            case 2 -> writer.reset(any(rng), rng.below(1 << 20), any(rng));
            case 3 -> writer.stop(any(rng), rng.below(1 << 20));
            case 4 -> writer.maxData(any(rng));
            case 5 -> writer.maxStreams(any(rng));
            case 6 -> writer.unusedData(any(rng));
            case 7 -> writer.ping();
            case 8 -> writer.datagram(any(rng), Bytes.owning(rng.bytes(rng.below(40))));
            case 9 -> writer.ack(any(rng), any(rng), any(rng), runs(rng), 1 + 2 * rng.below(20));
            default -> writer.message(rpc(rng));
        }
    }

    private static final int KINDS = 11;

    private static long[] runs(Rng rng) {
        long[] runs = new long[64];
        for (int i = 0; i < runs.length; i++) runs[i] = rng.below(3) == 0 ? any(rng) : rng.below(9);
        return runs;
    }

    private static Bytes rpc(Rng rng) {
        Message message = switch (rng.below(6)) {
            case 0 -> new Message.Ping();
            case 1 -> new Message.FindNode(Id.random(rng));
            case 2 -> new Message.FindValue(Id.random(rng), any(rng) & Long.MAX_VALUE);
            case 3 -> new Message.Nodes(List.of());
            case 4 -> new Message.Beat(Id.random(rng), Id.random(rng), any(rng));
            default -> new Message.Pong();
        };
        byte[] bytes = Rpc.encode(new Rpc(rng.nextLong(), message)).toArray();
        return Bytes.owning(rng.below(2) == 0 ? bytes : mutated(bytes, bytes.length, rng));
    }

    private static byte[] mutated(byte[] from, int length, Rng rng) {
        byte[] out = Arrays.copyOf(from, length);
        for (int i = rng.below(3); i >= 0 && out.length > 0; i--) {
            switch (rng.below(4)) {
                case 0 -> out[rng.below(out.length)] = (byte) rng.nextInt();
                case 1 -> out[rng.below(out.length)] ^= (byte) (1 << rng.below(8));
                case 2 -> out = Arrays.copyOf(out, rng.below(out.length) + 1);
                default -> {
                    int at = rng.below(out.length);
                    if (out.length < MAX) out = Arrays.copyOf(out, out.length + 1);
                    System.arraycopy(out, at, out, at + 1, out.length - at - 1);
                }
            }
        }
        return out;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void whateverAPeerSaysUnderItsKeysOthersAreServed(long seed) {
        Rng own = Rng.seeded(seed);
        Stream stream = victim.links.open(now, honest.contact());
        byte[] told = own.bytes(12);
        long before = Retained.by(victim.links).bytes();
        for (int i = 0; i < 600; i++) {
            begin();
            for (int frames = 1 + own.below(4); frames > 0; frames--) frame(own.below(KINDS), own);
            int length = writer.length();
            byte[] bytes = own.below(3) == 0 ? mutated(packet, length, own) : Arrays.copyOf(packet, length);
            if (i % 50 == 0) {
                assertThat(stream.write(told, i / 50, 1)).isEqualTo(1);
                victim.turn();
                run(25 * MS);
            }
            attack(bytes, bytes.length);
        }
        honest.input(new LinkInput.Ask(victim.contact(), 99, new Message.Ping()));
        run(SECOND);
        assertThat(honest.all(LinkOutput.Answered.class))
                .as("a question is answered")
                .hasSize(1);
        assertThat(honest.received.get(stream.id())).as("bytes arrive").isEqualTo(told);
        assertThat(lives).as("much was believed, some broke the protocol").isBetween(2, 599);
        assertThat(Retained.by(victim.links).bytes() - before).isLessThan(4_096 * KIB);
    }

    /** The law of few bytes: a packet of at most 40 bytes makes a node keep no more than a stream's first block. */
    @Test
    void fewBytesMakeLittle() {
        Rng own = Rng.seeded(5);
        long most = 0;
        for (int i = 0; i < 1_000; i++) {
            keys();
            begin();
            frame(i % (KINDS - 1) == 0 ? 0 : i % KINDS, own);
            int length = writer.length();
            if (length > 40) continue;
            long before = Retained.by(victim.links).bytes();
            attack(packet, length);
            long kept = Retained.by(victim.links).bytes() - before;
            most = Math.max(most, kept);
            assertThat(kept).as("kept for " + Bytes.copyOf(packet, 0, length)).isLessThan(FEW_BYTES_KEEP);
            run(MS);
        }
        assertThat(most).as("some opened a stream").isGreaterThan(100);
    }

    /** Packets that cost the sender twenty bytes each do not cost the node much either, however many come. */
    @Test
    void aFloodOfCheapFramesIsCheap() {
        for (int kind = 0; kind < KINDS; kind++) {
            Rng own = Rng.seeded(60 + kind);
            keys();
            run(SECOND);
            long kept = Retained.by(victim.links).bytes();
            long heard = 0;
            long said = victim.counters.value("udp.tx.bytes");
            int before = lives;
            made = 0;
            for (int i = 0; i < 1_000 && lives - before < LIVES; i++) {
                begin();
                frame(kind, own);
                attack(packet, writer.length());
                heard += writer.length() + Transport.OVERHEAD_BYTES;
                if (i % 100 == 0) run(MS);
            }
            said = victim.counters.value("udp.tx.bytes") - said - 3_000L * (lives - before);
            assertThat(said).as("answered to a flood of kind " + kind).isLessThan(3 * heard);
            assertThat(made).as("made of a flood of kind " + kind).isLessThan(MADE_PER_BYTE * heard);
            run(5 * SECOND);
            assertThat(Retained.by(victim.links).bytes() - kept)
                    .as("kept of a flood of kind " + kind)
                    .isLessThan(4_096 * KIB);
        }
    }
}
