package mcc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.link.Config;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.wire.Contact;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.Message;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Figures, not verdicts: what the steps of the packet path cost, by JMH, in a JVM with a node's flags. */
@Tag("bench")
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MicroBench {
    private static final int PACKETS = 100;

    @Test
    void all() throws Exception {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(MicroBench.class.getName() + "\\." + System.getProperty("bench.only", ""))
                        .forks(Integer.getInteger("bench.rounds", 1))
                        .warmupIterations(3)
                        .measurementIterations(5)
                        .warmupTime(TimeValue.seconds(2))
                        .measurementTime(TimeValue.seconds(2))
                        .jvmArgs("-XX:+UseSerialGC", "-Xmx256m", "--enable-native-access=ALL-UNNAMED")
                        .shouldFailOnError(true)
                        .build())
                .run();
        assertThat(results).isNotEmpty();
        for (RunResult each : results) {
            if (!each.getParams().getBenchmark().endsWith("handshake")) continue;
            double ms = each.getPrimaryResult().getScore() / 1e6;
            System.out.printf("a handshake costs %.3f ms a side, wanted are at most 0.6%n", ms / 2);
        }
    }

    // ---- AEAD -------------------------------------------------------------------------------------------------------

    /** A key, and a box of a size. */
    @State(Scope.Benchmark)
    public static class Box {
        @Param({"AES_256_GCM", "CHACHA20_POLY1305"})
        public String suite;

        @Param({"1400", "8900"})
        public int bytes;

        final byte[] nonce = new byte[Aead.NONCE_BYTES];
        final byte[] none = {};
        byte[] clear;
        byte[] sealed;
        byte[] out;
        Aead seals;
        Aead opens;
        long counter;

        @Setup
        public void make() {
            byte[] key = Rng.seeded(1).bytes(Aead.KEY_BYTES);
            seals = new Aead(Aead.Suite.valueOf(suite), key);
            opens = new Aead(Aead.Suite.valueOf(suite), key);
            clear = Rng.seeded(2).bytes(bytes);
            sealed = new byte[bytes + Aead.TAG_BYTES];
            out = new byte[bytes + Aead.TAG_BYTES];
            seals.seal(nonce, none, clear, 0, bytes, sealed, 0);
        }

        byte[] next() {
            counter++;
            for (int i = 0; i < 8; i++) nonce[4 + i] = (byte) (counter >>> 8 * i);
            return nonce;
        }
    }

    @Benchmark
    public int seal(Box box) {
        return box.seals.seal(box.next(), box.none, box.clear, 0, box.bytes, box.out, 0);
    }

    @Benchmark
    public int open(Box box) {
        int n = box.opens.open(box.nonce, box.none, box.sealed, 0, box.sealed.length, box.out, 0);
        if (n == Aead.FORGED) throw new AssertionError();
        return n;
    }

    // ---- frames -----------------------------------------------------------------------------------------------------

    /** A packet's frames: its number, an acknowledgement with three gaps, a stream's bytes. */
    @State(Scope.Benchmark)
    public static class Packet {
        final FramesWriter writer = new FramesWriter();
        final FramesReader reader = new FramesReader();
        final byte[] bytes = new byte[1_400];
        final long[] runs = {100, 1, 20, 2, 50, 1, 300};
        long number;
        int length;

        @Setup
        public void make() {
            length = write();
        }

        int write() {
            number++;
            writer.begin(bytes, 0, bytes.length);
            writer.packetNumber(number);
            writer.ack(number + 1_000, 250, 0, runs, runs.length);
            int n = writer.streamRoom(1, number * 1_000, 1_200);
            writer.stream(1, number * 1_000, n, false);
            return writer.length();
        }
    }

    @Benchmark
    public int writeFrames(Packet packet) {
        return packet.write();
    }

    @Benchmark
    public long readFrames(Packet packet) {
        long sum = 0;
        packet.reader.begin(packet.bytes, 0, packet.length);
        while (packet.reader.next()) sum += packet.reader.kind() + packet.reader.dataLength();
        if (packet.reader.malformed()) throw new AssertionError();
        return sum;
    }

    // ---- links ------------------------------------------------------------------------------------------------------

    private record Carried(byte[] bytes, boolean toLeft) {}

    /** Two nodes and a wire without delay, in virtual time. */
    private static final class Two {
        static final Address LEFT = Address.parse("192.0.2.1:1");
        static final Address RIGHT = Address.parse("192.0.2.2:1");
        final Rng rng = Rng.seeded(3);
        final Identity leftKey = Identity.fromSeed(rng.bytes(32));
        final Identity rightKey = Identity.fromSeed(rng.bytes(32));
        final Links left = links(leftKey);
        final Links right = links(rightKey);
        private final ArrayDeque<Carried> wire = new ArrayDeque<>();
        private final PacketSink toRight = sink(false);
        private final PacketSink toLeft = sink(true);
        private final byte[] block = new byte[65_536];
        private long nowNs = 1;
        private long stream;
        private long packets;
        private boolean answered;

        private Links links(Identity identity) {
            Links made = new Links(
                    new Config("test", List.of(Aead.Suite.AES_256_GCM), 10, mcc.stream.Config.defaults()),
                    identity,
                    Policy.open(),
                    rng.split(),
                    new Counters());
            made.handle(1, new LinkInput.WallClock(1_800_000_000_000L));
            return made;
        }

        private PacketSink sink(boolean toLeft) {
            return new PacketSink() {
                @Override
                public boolean ready() {
                    return true;
                }

                @Override
                public void send(Address to, byte[] buf, int offset, int length) {
                    wire.add(new Carried(Arrays.copyOfRange(buf, offset, offset + length), toLeft));
                }
            };
        }

        Contact rights() {
            return new Contact(rightKey.id(), List.of(RIGHT));
        }

        /** One moment: what is due is sent, what was sent is received. */
        void step() {
            for (Links each : new Links[] {left, right}) {
                if (each.deadlineNs() <= nowNs) each.handle(nowNs, new LinkInput.Tick());
            }
            left.transmit(nowNs, toRight);
            right.transmit(nowNs, toLeft);
            for (Carried c; (c = wire.poll()) != null; ) {
                if (!c.toLeft && c.bytes.length > 1_000) packets++;
                (c.toLeft ? left : right).receive(nowNs, c.bytes, 0, c.bytes.length, c.toLeft ? RIGHT : LEFT);
            }
            drain(left);
            drain(right);
            nowNs += 20_000;
        }

        private void drain(Links links) {
            for (LinkOutput o; (o = links.poll()) != null; ) {
                switch (o) {
                    case LinkOutput.Asked a ->
                        links.handle(nowNs, new LinkInput.Reply(a.from(), a.call(), new Message.Pong()));
                    case LinkOutput.Answered _ -> answered = true;
                    case LinkOutput.StreamReadable r -> {
                        while (links.read(nowNs, r.peer(), r.stream(), block, 0, block.length) > 0) {}
                    }
                    default -> {}
                }
            }
        }

        void ask() {
            left.handle(nowNs, new LinkInput.Ask(rights(), 1, new Message.Ping()));
            for (int i = 0; i < 10_000 && !(answered && left.peers().size() == 1); i++) step();
            if (!answered) throw new AssertionError("no answer");
        }
    }

    /** A transfer under way. */
    @State(Scope.Benchmark)
    public static class Transfer {
        private final Two two = new Two();

        @Setup
        public void begin() {
            two.ask();
            two.stream = two.left.open(two.nowNs, two.rights());
        }

        void carry(int count) {
            byte[] block = new byte[16_384];
            long until = two.packets + count;
            for (int i = 0; two.packets < until; i++) {
                if (i > 100_000) throw new AssertionError("the transfer stands");
                two.left.write(two.nowNs, two.rightKey.id(), two.stream, block, 0, block.length);
                two.step();
            }
        }
    }

    /** A full packet with stream bytes, from one node's stream to the other's, with what acknowledges it: both sides. */
    @Benchmark
    @OperationsPerInvocation(PACKETS)
    public void packet(Transfer transfer) {
        transfer.carry(PACKETS);
    }

    /** Two nodes that never met. */
    @State(Scope.Benchmark)
    public static class Strangers {
        private Two two;

        @Setup(Level.Invocation)
        public void make() {
            two = new Two();
        }
    }

    /** A first contact until the answer to what was asked with it, and the session is proved: both sides. */
    @Benchmark
    public boolean handshake(Strangers strangers) {
        Two two = strangers.two;
        two.ask();
        two.step();
        return two.right.peer(two.leftKey.id()) != null && !two.leftKey.id().equals(Id.ZERO);
    }
}
