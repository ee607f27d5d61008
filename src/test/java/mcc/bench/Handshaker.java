package mcc.bench;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import mcc.core.Address;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Ed25519;
import mcc.crypto.Identity;
import mcc.link.LinkInput;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.link.Stranger;
import mcc.session.Cookies;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;

/**
 * Initiations by one process, honest or not, for benches.
 *
 * <ul>
 *   <li>{@code honest NODE HOST:PORT COUNT}: that many strangers, one after another, each asks the node once; prints how many
 *       milliseconds each took until it had the answer, −1 for none within five seconds. Its own code is warm by then.
 *   <li>{@code flood NODE HOST:PORT PER_SECOND SECONDS PREFIX}: initiations that know the node's key and nothing else, from
 *       4,096 addresses that begin with the two numbers of the prefix; prints how many were sent.
 * </ul>
 */
final class Handshaker {
    private static final String NETWORK = "open";
    private static final int SOURCES = 4_096;
    /** An initiation's Noise message: an ephemeral key, a sealed static key, a sealed payload. */
    private static final int NOISE_BYTES = 32 + 48 + 100;

    /** Handshakes before the first that is timed, and the time between two of them: above the rate that is calm. */
    private static final int WARMUP = 2_000;

    private static final long WARMUP_TURN_NS = 5_000_000;

    private final Rng rng = Rng.seeded(new SecureRandom().nextLong());
    private final Id node;
    private final Address at;

    private Handshaker(String node, String at) {
        this.node = Objects.requireNonNull(Id.parse(node), node);
        this.at = Objects.requireNonNull(Address.parse(at), at);
    }

    public static void main(String[] args) throws IOException {
        Handshaker self = new Handshaker(args[1], args[2]);
        switch (args[0]) {
            case "honest" -> self.honest(Integer.parseInt(args[3]));
            case "flood" -> self.flood(Integer.parseInt(args[3]), Integer.parseInt(args[4]), args[5]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    // ---- honest -----------------------------------------------------------------------------------------------------

    private void honest(int count) throws IOException {
        warmUp();
        List<Double> took = new ArrayList<>();
        for (int i = 0; i < count; i++) took.add(once());
        System.out.println(took);
    }

    /** Shakes hands in memory, with and without a cookie: what is timed later is neither interpreted nor compiled meanwhile. */
    private void warmUp() {
        Identity own = Identity.fromSeed(rng.bytes(Identity.SEED_BYTES));
        Links server = links(own);
        for (int i = 0; i < WARMUP; i++) {
            long nowNs = i * WARMUP_TURN_NS;
            Links client = links(Identity.fromSeed(rng.bytes(Identity.SEED_BYTES)));
            client.handle(
                    nowNs, new LinkInput.Ask(new Contact(own.id(), List.of(at)), 1, new Message.FindNode(Id.ZERO)));
            for (int turn = 0; turn < 4; turn++) {
                client.transmit(nowNs, into(server, nowNs));
                server.handle(nowNs, new LinkInput.Tick());
                while (server.poll() != null) {} // nobody answers here
                server.transmit(nowNs, into(client, nowNs));
            }
        }
    }

    private PacketSink into(Links links, long nowNs) {
        return (to, buf, offset, length) -> {
            links.receive(nowNs, buf, offset, length, at);
        };
    }

    private Links links(Identity identity) {
        return Stranger.links(NETWORK, identity, rng);
    }

    private double once() throws IOException {
        try (Stranger stranger = new Stranger(NETWORK, rng, node, at)) {
            return stranger.meet();
        }
    }

    // ---- not --------------------------------------------------------------------------------------------------------

    private void flood(int perSecond, int seconds, String prefix) throws IOException {
        byte[] key = Cookies.mac1Key(NETWORK, Objects.requireNonNull(Ed25519.toX25519(node)));
        InetSocketAddress to = new InetSocketAddress(InetAddress.getByAddress(at.ip()), at.port());
        DatagramSocket[] sockets = new DatagramSocket[SOURCES];
        for (int i = 0; i < SOURCES; i++) {
            sockets[i] = new DatagramSocket(new InetSocketAddress(prefix + "." + (i >> 8) + "." + (i & 0xff), 0));
        }
        System.out.println("ready");
        long startNs = System.nanoTime();
        long count = (long) perSecond * seconds;
        for (long i = 0; i < count; i++) {
            long dueNs = startNs + i * 1_000_000_000L / perSecond;
            for (long left; (left = dueNs - System.nanoTime()) > 1_000_000; ) LockSupport.parkNanos(left);
            byte[] bytes = initiation(key);
            sockets[(int) (i % SOURCES)].send(new DatagramPacket(bytes, bytes.length, to));
        }
        System.out.printf("%d in %d ms%n", count, (System.nanoTime() - startNs) / 1_000_000);
    }

    private byte[] initiation(byte[] key) {
        byte[] noise = rng.bytes(NOISE_BYTES);
        int sender = (int) rng.nextLong();
        Initiation.Builder initiation = Initiation.newBuilder()
                .setSender(sender)
                .setNoise(com.google.protobuf.ByteString.copyFrom(noise))
                .setMac1(com.google.protobuf.ByteString.copyFrom(Cookies.mac(key, sender, noise)));
        return Datagram.newBuilder().setInitiation(initiation).build().toByteArray();
    }
}
