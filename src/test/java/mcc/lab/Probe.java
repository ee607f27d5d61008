package mcc.lab;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;

/**
 * A UDP socket in a namespace. It keeps what it receives, and answers each question, a datagram that begins with {@code ?}, with
 * the address from which it came.
 */
final class Probe implements AutoCloseable {
    /** A datagram that came. */
    record Got(Address from, String text) {}

    private static final int KEPT_MAX = 10_000;

    private final DatagramChannel channel;
    private final List<Got> kept = new ArrayList<>();
    private int questions;

    Probe(Netns ns, String ip, int port) throws Exception {
        InetAddress at = InetAddress.getByName(ip); // an address, so that nobody is asked for it
        channel = ns.call(() -> DatagramChannel.open().bind(new InetSocketAddress(at, port)));
        Thread.ofVirtual().start(this::receive);
    }

    private void receive() {
        ByteBuffer buffer = ByteBuffer.allocate(2_048);
        try {
            while (true) {
                buffer.clear();
                InetSocketAddress source = (InetSocketAddress) channel.receive(buffer);
                Address from = Address.of(source.getAddress().getAddress(), source.getPort());
                String text = new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII);
                if (text.startsWith("?")) send(from, "=" + text.substring(1) + " " + from);
                synchronized (kept) {
                    if (kept.size() < KEPT_MAX) kept.add(new Got(from, text));
                    kept.notifyAll();
                }
            }
        } catch (ClosedChannelException e) {
            // it is over
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Its own address. */
    Address at() throws IOException {
        InetSocketAddress at = (InetSocketAddress) channel.getLocalAddress();
        return Address.of(at.getAddress().getAddress(), at.getPort());
    }

    void send(Address to, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        channel.send(bytes, new InetSocketAddress(InetAddress.getByAddress(to.ip()), to.port()));
    }

    /** Asks another probe at which address it sees this one. */
    Address ask(Address other) throws IOException {
        String name = "q" + questions++ + " ";
        send(other, "?" + name);
        return Address.parse(await("=" + name).text.substring(name.length() + 2));
    }

    /** The first datagram that came and begins like this; null for none. */
    Got find(String beginning) {
        synchronized (kept) {
            for (Got got : kept) if (got.text.startsWith(beginning)) return got;
        }
        return null;
    }

    /** The same; it must come. */
    Got await(String beginning) {
        long end = System.nanoTime() + Lab.PATIENCE_NS;
        synchronized (kept) {
            for (Got got; ; ) {
                if ((got = find(beginning)) != null) return got;
                long leftMs = (end - System.nanoTime()) / 1_000_000;
                if (leftMs <= 0) throw new AssertionError("nothing came that begins with '" + beginning + "'");
                try {
                    kept.wait(leftMs);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
