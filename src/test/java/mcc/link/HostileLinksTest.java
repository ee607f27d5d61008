package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.stream.Stream;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two links over a network that does everything to packets that a network can, with wall clocks that jump; in virtual time. */
class HostileLinksTest {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;
    private static final long EPOCH_MS = 1_800_000_000_000L;

    private record Flight(long atNs, long order, End to, byte[] bytes) {}

    /** A node that writes a stream of random bytes, and hashes the stream that it receives. */
    private final class End {
        final Address at;
        final Identity identity = Identity.fromSeed(rng.bytes(Identity.SEED_BYTES));
        final Counters counters = new Counters();
        final Links links;
        final MessageDigest wrote = sha256();
        final MessageDigest read = sha256();
        final List<LinkOutput> broken = new ArrayList<>();
        private final byte[] buffer = new byte[16_384];
        private byte[] chunk = new byte[0];
        End other;
        Stream stream;
        long left;
        long got;
        boolean ended;
        boolean answered;

        End(String at) {
            this.at = Address.parse(at);
            links = OpenLinks.of(
                    new LinkConfig("test", List.of(Aead.Suite.AES_256_GCM), 100, StreamConfig.defaults()),
                    identity,
                    rng.split(),
                    counters);
            links.handle(now, new LinkInput.WallClock(EPOCH_MS));
        }

        void send(long bytes) {
            left = bytes;
            stream = links.open(now, new Contact(other.identity.id(), List.of(other.at)));
            turn();
        }

        private void write() {
            while (stream != null && left + chunk.length > 0) {
                if (chunk.length == 0) {
                    chunk = rng.bytes((int) Math.min(left, 4_096));
                    wrote.update(chunk);
                    left -= chunk.length;
                }
                int n = stream.write(chunk, 0, chunk.length);
                if (n <= 0) return;
                chunk = Arrays.copyOfRange(chunk, n, chunk.length);
                if (left + chunk.length == 0) stream.finish();
            }
        }

        private void on(LinkOutput output) {
            switch (output) {
                case LinkOutput.StreamReadable r -> {
                    int n;
                    while ((n = r.stream().read(now, buffer, 0, buffer.length)) > 0) {
                        read.update(buffer, 0, n);
                        got += n;
                    }
                    if (n != -1 || r.stream().equals(stream)) return;
                    ended = true;
                    r.stream().finish();
                }
                case LinkOutput.StreamReset _, LinkOutput.StreamsLost _, LinkOutput.Down _ -> broken.add(output);
                case LinkOutput.Asked q ->
                    links.handle(now, new LinkInput.Reply(q.from().node(), q.call(), new Message.Pong()));
                case LinkOutput.Answered _ -> answered = true;
                default -> {}
            }
        }

        void turn() {
            do {
                for (LinkOutput o; (o = links.poll()) != null; ) on(o);
                write();
                links.transmit(now, sink);
            } while (links.wantsToTransmit());
            for (LinkOutput o; (o = links.poll()) != null; ) on(o);
        }

        private final PacketSink sink = (to, buf, offset, length) -> {
            carry(other, Arrays.copyOfRange(buf, offset, offset + length));
        };
    }

    /** The UDP payload of an Ethernet frame over IPv4. */
    private static final int ETHERNET_BYTES = 1_472;

    private Rng rng = Rng.seeded(1);
    private Rng network = Rng.seeded(2);
    private final PriorityQueue<Flight> flights =
            new PriorityQueue<>(Comparator.comparingLong(Flight::atNs).thenComparingLong(Flight::order));
    private long now = 1;
    private long order;
    private int ppm;
    private boolean cut;
    private long carried;
    private End a;
    private End b;

    private void start(long seed) {
        rng = Rng.seeded(seed);
        network = rng.split();
        a = new End("192.0.2.1:1");
        b = new End("192.0.2.2:1");
        a.other = b;
        b.other = a;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** Everything that can happen to a packet is equally likely, and several things may happen to one. */
    private void carry(End to, byte[] bytes) {
        carried++;
        if (cut || bytes.length > ETHERNET_BYTES) return;
        long due = now + 10 * MS + network.below(MS);
        if (network.chance(ppm)) fly(due + network.below(2 * SECOND), to, bytes.clone()); // again, later
        if (network.chance(ppm)) fly(due, to, bytes.clone());
        if (network.chance(ppm)) due += network.below(30 * MS);
        if (network.chance(ppm)) bytes = Arrays.copyOf(bytes, network.below(bytes.length));
        if (bytes.length > 0 && network.chance(ppm)) {
            bytes[network.below(bytes.length)] ^= (byte) (1 + network.below(255));
        }
        fly(due, to, bytes);
    }

    private void fly(long due, End to, byte[] bytes) {
        flights.add(new Flight(due, order++, to, bytes));
    }

    private boolean run(long forNs, BooleanSupplier done) {
        long end = now + forNs;
        while (!done.getAsBoolean()) {
            long next = Math.min(a.links.deadlineNs(), b.links.deadlineNs());
            if (!flights.isEmpty()) next = Math.min(next, flights.peek().atNs());
            if (next > end || next == Core.NEVER) {
                now = end;
                return done.getAsBoolean();
            }
            now = Math.max(now, next);
            while (!flights.isEmpty() && flights.peek().atNs() <= now) {
                Flight f = flights.poll();
                f.to().links.receive(now, f.bytes(), 0, f.bytes().length, f.to().other.at);
                f.to().turn();
            }
            for (End e : List.of(a, b)) {
                if (e.links.deadlineNs() <= now) e.links.handle(now, new LinkInput.Tick());
                e.turn();
            }
        }
        return true;
    }

    private void assertEqualBothWays() {
        assertThat(b.read.digest()).as("what a wrote").isEqualTo(a.wrote.digest());
        assertThat(a.read.digest()).as("what b wrote").isEqualTo(b.wrote.digest());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void noByteIsWrongWhereAFifthOfPacketsIsLateTwiceAgainShortAndWrong(long seed) {
        start(seed);
        ppm = 200_000;
        a.send(2 << 20);
        b.send(2 << 20);
        assertThat(run(600 * SECOND, () -> a.ended && b.ended))
                .as(a.got + " and " + b.got + " bytes")
                .isTrue();
        assertEqualBothWays();
        assertThat(carried).isGreaterThan(3_000);
        assertThat(a.broken).isEmpty();
        assertThat(b.broken).isEmpty();
        for (End e : List.of(a, b)) {
            assertThat(e.counters.value("link.datagram.forged"))
                    .as("were noticed")
                    .isPositive();
            assertThat(e.counters.value("link.datagram.replayed"))
                    .as("so were these")
                    .isPositive();
        }
    }

    @Test
    void nothingIsLeftOfAHostileTransferOnceItIsIdle() {
        start(7);
        ppm = 200_000;
        a.send(1 << 20);
        b.send(1 << 20);
        assertThat(run(600 * SECOND, () -> a.ended && b.ended)).isTrue();
        ppm = 0;
        run(130 * SECOND, () -> false);
        long before = carried;
        run(60 * SECOND, () -> false);
        assertThat(carried - before).as("an idle link is silent").isLessThan(10);
    }

    /** Years forward, years back, while bytes flow, keys are renewed and strangers meet. */
    @ParameterizedTest
    @ValueSource(longs = {1_000L * 86_400 * 3_650, -1_000L * 86_400 * 3_650, 3_600_000, -3_600_000})
    void aWallClockThatJumpsBreaksNoTransfer(long jumpMs) {
        start(11);
        a.send(8 << 20);
        assertThat(run(60 * SECOND, () -> b.got > 1 << 20)).isTrue();
        a.links.handle(now, new LinkInput.WallClock(EPOCH_MS + jumpMs));
        a.turn();
        b.send(1 << 20);
        assertThat(run(60 * SECOND, () -> a.ended && b.ended)).isTrue();
        assertEqualBothWays();
        assertThat(a.broken).isEmpty();
        assertThat(b.broken).isEmpty();
    }

    @Test
    void strangersMeetThoughTheirClocksAreYearsApart() {
        start(12);
        a.links.handle(now, new LinkInput.WallClock(0));
        b.links.handle(now, new LinkInput.WallClock(2 * EPOCH_MS));
        Contact to = new Contact(b.identity.id(), List.of(b.at));
        a.links.handle(now, new LinkInput.Ask(to, 7, new Message.Ping()));
        a.send(100_000);
        b.send(100_000);
        assertThat(run(10 * SECOND, () -> a.ended && b.ended)).isTrue();
        assertEqualBothWays();
        assertThat(b.counters.value("link.early.refused"))
                .as("what was asked with the handshake is not taken")
                .isPositive();
        assertThat(a.answered).as("it was asked again").isTrue();
    }

    @Test
    void aPeerThatIsAwayForAWhileGoesOnWhereItWas() {
        start(13);
        a.send(8 << 20);
        assertThat(run(60 * SECOND, () -> b.got > 1 << 20)).isTrue();
        cut = true;
        run(5 * SECOND, () -> false);
        cut = false;
        assertThat(run(60 * SECOND, () -> b.ended)).isTrue();
        assertThat(b.read.digest()).isEqualTo(a.wrote.digest());
        assertThat(a.broken).isEmpty();
    }

    @Test
    void aPeerThatIsAwayForGoodIsGivenUpByBothWithinAMinute() {
        start(14);
        a.send(64 << 20);
        assertThat(run(60 * SECOND, () -> b.got > 1 << 20)).isTrue();
        cut = true;
        long from = now;
        assertThat(run(60 * SECOND, () -> a.broken.stream().anyMatch(LinkOutput.StreamsLost.class::isInstance)))
                .as("the sender")
                .isTrue();
        assertThat(now - from).as("the sender has patience").isGreaterThan(20 * SECOND);
        assertThat(run(
                        60 * SECOND - (now - from),
                        () -> b.broken.stream().anyMatch(LinkOutput.StreamsLost.class::isInstance)))
                .as("the receiver")
                .isTrue();
    }
}
