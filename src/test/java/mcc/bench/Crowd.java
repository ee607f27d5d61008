package mcc.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/**
 * Many TCP connections of one process, for benches; needs nothing but the JDK.
 *
 * <ul>
 *   <li>{@code serve}: takes connections on a port that it prints. The first byte says what one gets: {@code e} that byte
 *       back, {@code p} bytes without end. A line on its input is answered by the least that any open one was poured.
 *   <li>{@code hold PORT COUNT}: opens so many, each proved by an echo, prints how many, and holds them until its input ends.
 *   <li>{@code fetch PORT COUNT BYTES}: opens so many, reads so much from each, and prints after how many milliseconds the
 *       first, the median and the last had all.
 * </ul>
 */
public final class Crowd {
    private static final int OPENING_MAX = 64;

    private final Selector selector = Selector.open();
    private final ByteBuffer block = ByteBuffer.allocateDirect(65_536);

    private Crowd() throws IOException {}

    /** What a served connection wants and got. */
    private static final class Served {
        boolean pours;
        long bytes;
    }

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "serve" -> new Crowd().serve();
            case "hold" -> new Crowd().hold(port(args[1]), Integer.parseInt(args[2]));
            case "fetch" -> new Crowd().fetch(port(args[1]), Integer.parseInt(args[2]), Long.parseLong(args[3]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static InetSocketAddress port(String text) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(text));
    }

    // ---- serve ------------------------------------------------------------------------------------------------------

    private void serve() throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open().bind(port("0"), 4_096);
        server.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
        System.out.println(((InetSocketAddress) server.getLocalAddress()).getPort());
        while (true) {
            selector.select(100);
            for (SelectionKey key : selector.selectedKeys()) {
                if (key.isAcceptable()) accept(server);
                else serve(key);
            }
            selector.selectedKeys().clear();
            if (System.in.available() > 0) {
                while (System.in.available() > 0) System.in.read();
                System.out.println(leastPoured());
            }
        }
    }

    private void accept(ServerSocketChannel server) throws IOException {
        for (SocketChannel taken; (taken = server.accept()) != null; ) {
            taken.setOption(StandardSocketOptions.SO_SNDBUF, 65_536);
            taken.configureBlocking(false).register(selector, SelectionKey.OP_READ, new Served());
        }
    }

    private void serve(SelectionKey key) {
        SocketChannel channel = (SocketChannel) key.channel();
        Served served = (Served) key.attachment();
        try {
            if (key.isReadable()) {
                block.clear();
                int n = channel.read(block);
                if (n < 0) channel.close();
                if (n <= 0) return;
                if (block.get(0) == 'p') {
                    served.pours = true;
                    key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                } else channel.write(block.flip());
            }
            if (key.isValid() && key.isWritable()) {
                block.clear();
                served.bytes += channel.write(block);
            }
        } catch (IOException _) {
            key.cancel();
            close(channel);
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            System.err.println(e);
        }
    }

    private long leastPoured() {
        return selector.keys().stream()
                .filter(SelectionKey::isValid)
                .map(SelectionKey::attachment)
                .filter(a -> a instanceof Served served && served.pours)
                .mapToLong(a -> ((Served) a).bytes)
                .min()
                .orElse(0);
    }

    // ---- hold and fetch ---------------------------------------------------------------------------------------------

    private void open(InetSocketAddress to, byte wish) throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_CONNECT, new long[] {wish, 0});
        if (channel.connect(to)) throw new IllegalStateException("connected at once");
    }

    /** Sends the wish once connected; returns how many bytes came, −1 at the end. */
    private int advance(SelectionKey key) throws IOException {
        SocketChannel channel = (SocketChannel) key.channel();
        if (key.isConnectable()) {
            channel.finishConnect();
            channel.write(ByteBuffer.wrap(new byte[] {(byte) ((long[]) key.attachment())[0]}));
            key.interestOps(SelectionKey.OP_READ);
            return 0;
        }
        block.clear();
        return channel.read(block);
    }

    private void hold(InetSocketAddress to, int count) throws IOException {
        int opened = 0;
        int held = 0;
        while (held < count) {
            for (; opened < count && opened - held < OPENING_MAX; opened++) open(to, (byte) 'e');
            selector.select();
            for (SelectionKey key : selector.selectedKeys()) {
                int n = advance(key);
                if (n < 0) throw new IOException("connection " + held + " ended");
                held += n;
            }
            selector.selectedKeys().clear();
        }
        System.out.println(held);
        while (System.in.read() >= 0) {}
    }

    private void fetch(InetSocketAddress to, int count, long bytes) throws IOException {
        long start = System.nanoTime();
        long[] doneMs = new long[count];
        int opened = 0;
        int done = 0;
        while (done < count) {
            for (; opened < count; opened++) open(to, (byte) 'p');
            selector.select();
            for (SelectionKey key : selector.selectedKeys()) {
                int n = advance(key);
                if (n < 0) throw new IOException("a connection ended after " + ((long[]) key.attachment())[1]);
                if ((((long[]) key.attachment())[1] += n) < bytes) continue;
                close((SocketChannel) key.channel());
                doneMs[done++] = (System.nanoTime() - start) / 1_000_000;
            }
            selector.selectedKeys().clear();
        }
        Arrays.sort(doneMs);
        System.out.println(doneMs[0] + " " + doneMs[count / 2] + " " + doneMs[count - 1]);
    }
}
