package mcc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.GeneralSecurityException;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.link.PacketSink;
import mcc.link.Packets;
import mcc.session.Session;
import mcc.stream.Stream;
import mcc.tun.Coalescer;
import mcc.tun.Gate;
import mcc.tun.InnerAddress;
import mcc.tun.Ip;
import mcc.tun.PacketsOf;
import mcc.tun.Segmenter;
import mcc.wire.FramesReader;
import mcc.wire.FramesWriter;
import mcc.wire.Transport;
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
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Figures, not verdicts: what the steps of the packet path cost in time and garbage, by JMH, in a JVM with a node's flags.
 * {@code -Dbench.only=seal} or {@code 'jca.*|tun.*'}, {@code -Dbench.rounds=3} JVMs of each, {@code -Dbench.seconds=2}.
 */
@Tag("bench")
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MicroBench {
    private static final int PACKETS = 100;
    /** A full packet of the interface, and about one of a stream, in clear. */
    private static final int PACKET_BYTES = 1_420;
    /** Packets of a super-packet. */
    private static final int SEGMENTS = 46;

    private static final int TCP = 6;

    private static final String GARBAGE = "gc.alloc.rate.norm";

    @Test
    void all() throws Exception {
        TimeValue time = TimeValue.seconds(Integer.getInteger("bench.seconds", 2));
        String only = System.getProperty("bench.only", "");
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(MicroBench.class.getName() + "\\.(?:" + only + ")")
                        .forks(Integer.getInteger("bench.rounds", 1))
                        .warmupIterations(3)
                        .measurementIterations(5)
                        .warmupTime(time)
                        .measurementTime(time)
                        .addProfiler(GCProfiler.class)
                        .jvmArgs("-XX:+UseSerialGC", "-Xmx256m", "-Xmn48m", "--enable-native-access=ALL-UNNAMED")
                        .shouldFailOnError(true)
                        .build())
                .run();
        assertThat(results).isNotEmpty();
        Map<String, Double> garbage = new LinkedHashMap<>();
        System.out.printf("%-40s %14s %12s %18s%n", "", "ns", "+-", "bytes of garbage");
        for (RunResult each : results) {
            String name = name(each.getParams());
            double ns = each.getPrimaryResult().getScore();
            garbage.put(name, each.getSecondaryResults().get(GARBAGE).getScore());
            System.out.printf(
                    Locale.ROOT,
                    "%-40s %14.1f %12.1f %18.1f%n",
                    name,
                    ns,
                    each.getPrimaryResult().getScoreError(),
                    garbage.get(name));
            if (!name.equals("handshake")) continue;
            System.out.printf("a handshake costs %.3f ms a side, wanted are at most 0.6%n", ns / 2e6);
        }
        for (String box :
                List.of("1420 AES_256_GCM", "1420 CHACHA20_POLY1305", "8900 AES_256_GCM", "8900 CHACHA20_POLY1305")) {
            ours(garbage, "seal " + box, "jcaSeal " + box);
            ours(garbage, "open " + box, "jcaOpen " + box);
        }
        ours(garbage, "fullPacket", "seal 1420 AES_256_GCM", "open 1420 AES_256_GCM");
        ours(garbage, "tunPacket", "seal 1420 AES_256_GCM", "open 1420 AES_256_GCM");
        ours(garbage, "tunPacketInClear");
        ours(garbage, "handshake", "strangers");
    }

    private static String name(BenchmarkParams params) {
        String name = params.getBenchmark().substring(MicroBench.class.getName().length() + 1);
        for (String key : params.getParamsKeys()) name += " " + params.getParam(key);
        return name;
    }

    /**
     * What a step leaves but for what the JDK's cipher, or its preparation, leaves. The cipher's varies by some 100 bytes with how
     * it was compiled: what has no cipher in it is exact.
     */
    private static void ours(Map<String, Double> garbage, String step, String... others) {
        if (!garbage.containsKey(step) || !garbage.keySet().containsAll(List.of(others))) return;
        double rest = garbage.get(step);
        for (String other : others) rest -= garbage.get(other);
        System.out.printf(
                Locale.ROOT,
                "garbage of %s%s: %.0f bytes%n",
                step,
                others.length == 0 ? "" : " without that of " + String.join(" and ", others),
                rest);
    }

    // ---- AEAD -------------------------------------------------------------------------------------------------------

    /** A key, and a box of a size. */
    @State(Scope.Benchmark)
    public static class Box {
        @Param({"AES_256_GCM", "CHACHA20_POLY1305"})
        public String suite;

        @Param({"1420", "8900"})
        public int bytes;

        final byte[] nonce = new byte[Aead.NONCE_BYTES];
        final byte[] none = {};
        byte[] clear;
        byte[] sealed;
        byte[] out;
        Aead seals;
        Aead opens;
        SecretKey key;
        Cipher jcaSeals;
        Cipher jcaOpens;
        boolean aes;
        long counter;

        @Setup
        public void make() throws GeneralSecurityException {
            byte[] secret = Rng.seeded(1).bytes(Aead.KEY_BYTES);
            seals = new Aead(Aead.Suite.valueOf(suite), secret);
            opens = new Aead(Aead.Suite.valueOf(suite), secret);
            aes = Aead.Suite.valueOf(suite) == Aead.Suite.AES_256_GCM;
            key = new SecretKeySpec(secret, aes ? "AES" : "ChaCha20");
            jcaSeals = Cipher.getInstance(aes ? "AES/GCM/NoPadding" : "ChaCha20-Poly1305");
            jcaOpens = Cipher.getInstance(jcaSeals.getAlgorithm());
            clear = Rng.seeded(2).bytes(bytes);
            sealed = new byte[bytes + Aead.TAG_BYTES];
            out = new byte[bytes + Aead.TAG_BYTES];
            seals.seal(nonce, none, clear, 0, bytes, sealed, 0);
        }

        AlgorithmParameterSpec parameters(byte[] nonce) {
            return aes ? new GCMParameterSpec(8 * Aead.TAG_BYTES, nonce) : new IvParameterSpec(nonce);
        }

        byte[] next() {
            counter++;
            for (int i = 0; i < 8; i++) nonce[4 + i] = (byte) (counter >>> 8 * i);
            return nonce;
        }
    }

    /** The same work by the JDK's cipher and nothing of ours. */
    @Benchmark
    public int jcaSeal(Box box) throws GeneralSecurityException {
        box.jcaSeals.init(Cipher.ENCRYPT_MODE, box.key, box.parameters(box.next()));
        return box.jcaSeals.doFinal(box.clear, 0, box.bytes, box.out, 0);
    }

    @Benchmark
    public int jcaOpen(Box box) throws GeneralSecurityException {
        box.jcaOpens.init(Cipher.DECRYPT_MODE, box.key, box.parameters(box.nonce));
        return box.jcaOpens.doFinal(box.sealed, 0, box.sealed.length, box.out, 0);
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

    // ---- packets of an interface ------------------------------------------------------------------------------------

    /** Keys, and a packet that is written, sealed, opened and read. */
    @State(Scope.Benchmark)
    public static class Sealed {
        final Session left = session(true);
        final Session right = session(false);
        final FramesWriter writer = new FramesWriter();
        final FramesReader reader = new FramesReader();
        final byte[] payload = Rng.seeded(4).bytes(PACKET_BYTES);
        final byte[] clear = new byte[PACKET_BYTES];
        final byte[] datagram = new byte[PACKET_BYTES + Transport.OVERHEAD_BYTES];
        final byte[] opened = new byte[PACKET_BYTES + Transport.OVERHEAD_BYTES];
        long number;

        private static Session session(boolean initiator) {
            byte[][] split = {Rng.seeded(5).bytes(32), Rng.seeded(6).bytes(32)};
            return new Session(0, split, Aead.Suite.AES_256_GCM, initiator, 16, 16);
        }
    }

    /** A packet full of a stream's bytes: framed, sealed, opened, read. */
    @Benchmark
    public long fullPacket(Sealed s) {
        s.writer.begin(s.clear, 0, PACKET_BYTES);
        s.writer.packetNumber(++s.number);
        int n = s.writer.streamRoom(1, s.number * 1_000, PACKET_BYTES);
        int at = s.writer.stream(1, s.number * 1_000, n, false);
        System.arraycopy(s.payload, 0, s.clear, at, n);
        int length = s.left.seal(Transport.FRAMES, s.clear, 0, s.writer.length(), s.datagram, 0);
        int plain = s.right.open(s.datagram, 0, length, s.opened, 0);
        if (plain != s.writer.length()) throw new AssertionError(plain);
        long sum = 0;
        s.reader.begin(s.opened, 0, plain);
        while (s.reader.next()) sum += s.reader.kind() + s.reader.dataLength();
        if (s.reader.malformed()) throw new AssertionError();
        return sum;
    }

    /** What the kernel gave one node as a super-packet, and all that makes it one at the other; no socket, no interface. */
    @State(Scope.Benchmark)
    public static class Interface implements Packets.Handler {
        private static final int HEADERS = 60;
        private long written;
        private final LinkPair two = new LinkPair();
        private final Id peer = two.rightKey.id();
        private final InnerAddress us = InnerAddress.of("test", two.leftKey.id());
        private final InnerAddress them = InnerAddress.of("test", peer);
        private final byte[] read = PacketsOf.read(
                PacketsOf.v6(
                        us, them, TCP, PacketsOf.tcp(9, 22, 0, 0x10, new byte[SEGMENTS * (PACKET_BYTES - HEADERS)])),
                true,
                4,
                PACKET_BYTES - HEADERS);
        private final byte[] head = Arrays.copyOf(read, 10 + HEADERS);
        private final Ip ip = new Ip();
        private final Gate out = new Gate(us, true, (_, _, _, _) -> Long.MAX_VALUE, List.of(), 7, new Counters());
        private final Gate in = new Gate(them, true, (_, _, _, _) -> Long.MAX_VALUE, List.of(), 7, new Counters());
        private final Segmenter segmenter = new Segmenter();
        private final Coalescer coalescer = new Coalescer(true, true, (_, _, length) -> written += length);
        private final Coalescer.Check check = (ip, b, _, _) -> in.enters(two.nowNs, two.leftKey.id(), us, ip, b);
        private final PacketSink wire = (to, buf, offset, length) -> {
            two.right.receive(two.nowNs, buf, offset, length, LinkPair.LEFT);
        };
        private final Segmenter.Sink sealing = (_, b, offset, length) ->
                two.left.packets().send(two.nowNs, peer, Transport.PACKET_NEEDS_CSUM, b, offset, length, wire);
        private final Segmenter.Sink copying = (_, b, offset, length) -> {
            System.arraycopy(b, offset, buffer(), coalescer.place(length), length);
            coalescer.add(true, length, check);
        };

        @Setup
        public void meet() {
            two.ask();
            two.right.packets().handler(this);
        }

        /** From one interface to the other; only the headers must be set up again, for the bytes do not matter. */
        long carry(Segmenter.Sink sink) {
            System.arraycopy(head, 0, read, 0, head.length);
            long before = written;
            if (!ip.parse(read, 10, read.length - 10) || !out.leaves(two.nowNs, ip, read)) throw new AssertionError();
            if (!segmenter.cut(read, 0, read.length, sink)) throw new AssertionError();
            coalescer.flush();
            if (written - before != read.length) throw new AssertionError(written - before);
            return written;
        }

        @Override
        public byte[] buffer() {
            return coalescer.buffer();
        }

        @Override
        public int place(Id peer, int max) {
            return coalescer.place(max);
        }

        @Override
        public void opened(long nowNs, Id peer, byte kind, int length, int ecn) {
            if (length < 0) coalescer.refuse();
            else coalescer.add(kind == Transport.PACKET_NEEDS_CSUM, length, check);
        }
    }

    /** A packet of a super-packet: checked, cut, sealed, opened, checked, joined. */
    @Benchmark
    @OperationsPerInvocation(SEGMENTS)
    public long tunPacket(Interface each) {
        return each.carry(each.sealing);
    }

    /** The same, copied where it would be sealed and opened: what is ours alone. */
    @Benchmark
    @OperationsPerInvocation(SEGMENTS)
    public long tunPacketInClear(Interface each) {
        return each.carry(each.copying);
    }

    // ---- links ------------------------------------------------------------------------------------------------------

    /** A transfer under way. */
    @State(Scope.Benchmark)
    public static class Transfer {
        private final LinkPair two = new LinkPair();
        private final byte[] block = new byte[16_384];
        private Stream stream;

        @Setup
        public void begin() {
            two.ask();
            stream = two.left.open(two.nowNs, two.rights());
        }

        void carry(int count) {
            long until = two.packets + count;
            for (int i = 0; two.packets < until; i++) {
                if (i > 100_000) throw new AssertionError("the transfer stands");
                stream.write(block, 0, block.length);
                two.step();
            }
        }
    }

    /** A full packet with stream bytes, from one node's stream to the other's, with what acknowledges it: both sides. */
    @Benchmark
    @OperationsPerInvocation(PACKETS)
    public void streamPacket(Transfer transfer) {
        transfer.carry(PACKETS);
    }

    /** Two nodes that never met. */
    @State(Scope.Benchmark)
    public static class Strangers {
        private LinkPair two;

        @Setup(Level.Invocation)
        public void make() {
            two = new LinkPair();
        }
    }

    /** Nothing: its garbage is that of making two nodes, which the next one's has in it too. */
    @Benchmark
    public LinkPair strangers(Strangers strangers) {
        return strangers.two;
    }

    /** A first contact until the answer to what was asked with it, and the session is proved: both sides. */
    @Benchmark
    public boolean handshake(Strangers strangers) {
        LinkPair two = strangers.two;
        two.ask();
        two.step();
        return two.right.peer(two.leftKey.id()) != null && !two.leftKey.id().equals(Id.ZERO);
    }
}
