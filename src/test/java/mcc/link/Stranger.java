package mcc.link;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Objects;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.session.Session;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Transport;

/** A peer with keys and a socket of its own: shakes hands with a node as any does, and then says under its keys what it likes. */
public final class Stranger implements AutoCloseable {
    private static final long PATIENCE_NS = 5_000_000_000L;

    private final Contact node;
    private final Links links;
    private final DatagramSocket socket = new DatagramSocket();
    private long first;

    /** @param network the name of the node's network */
    public Stranger(String network, Rng rng, Id node, Address at) throws IOException {
        this.node = new Contact(node, List.of(at));
        links = links(network, Identity.fromSeed(rng.bytes(Identity.SEED_BYTES)), rng);
    }

    /** The links of a node that has no others. */
    public static Links links(String network, Identity identity, Rng rng) {
        List<Aead.Suite> suites = List.of(Aead.Suite.AES_256_GCM, Aead.Suite.CHACHA20_POLY1305);
        LinkConfig config = new LinkConfig(network, suites, 10, StreamConfig.defaults());
        return OpenLinks.of(config, identity, rng.split(), new Counters());
    }

    /** Asks the node once; returns after how many milliseconds it had the answer, −1 for none within five seconds. */
    public double meet() throws IOException {
        long startNs = System.nanoTime();
        links.handle(startNs, new LinkInput.WallClock(System.currentTimeMillis()));
        links.handle(startNs, new LinkInput.Ask(node, 1, new Message.FindNode(Id.ZERO)));
        byte[] in = new byte[2_048];
        for (long nowNs = startNs; nowNs - startNs < PATIENCE_NS; nowNs = System.nanoTime()) {
            if (links.deadlineNs() <= nowNs) links.handle(nowNs, new LinkInput.Tick());
            links.transmit(nowNs, this::send);
            for (LinkOutput o; (o = links.poll()) != null; ) {
                if (o instanceof LinkOutput.Answered) return (System.nanoTime() - startNs) / 1e6;
            }
            long waitMs = Math.clamp((links.deadlineNs() - nowNs) / 1_000_000, 1, 100);
            socket.setSoTimeout((int) waitMs);
            DatagramPacket packet = new DatagramPacket(in, in.length);
            try {
                socket.receive(packet);
                links.receive(
                        System.nanoTime(),
                        in,
                        0,
                        packet.getLength(),
                        node.addresses().getFirst());
            } catch (SocketTimeoutException _) {
                // the deadline came first
            }
        }
        return -1;
    }

    /** The ID of its stream of that number, from 0. */
    public long stream(int number) {
        if (first == 0)
            first = Objects.requireNonNull(links.open(System.nanoTime(), node)).id();
        return first + 2L * number;
    }

    /** Sends frames, whatever they are, in one packet under its keys; for one that has met the node. */
    public void say(byte[] frames, int length) {
        Session session = Objects.requireNonNull(links.find(node.node())).current;
        byte[] datagram = new byte[length + Transport.OVERHEAD_BYTES];
        Objects.requireNonNull(session).seal(Transport.FRAMES, frames, 0, length, datagram, 0);
        send(node.addresses().getFirst(), datagram, 0, datagram.length);
    }

    private void send(Address to, byte[] buf, int offset, int length) {
        try {
            InetAddress ip = InetAddress.getByAddress(to.ip());
            socket.send(new DatagramPacket(buf, offset, length, ip, to.port()));
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
