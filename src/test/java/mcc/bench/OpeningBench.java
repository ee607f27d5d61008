package mcc.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Figures, not verdicts: connections opened one after another by many at once, directly, through a forward and through a forward
 * of ssh, in turns. Each sends a byte, hears it back and ends. {@code -Dbench.rounds=5}, {@code -Dbench.connections=5000}.
 */
@Tag("bench")
class OpeningBench {
    private static final int ROUNDS = Integer.getInteger("bench.rounds", 5);
    private static final int CONNECTIONS = Integer.getInteger("bench.connections", 5_000);
    private static final int AT_A_TIME = 64;

    /** A way to the app, and what it showed, a value for each round. */
    private static final class Way {
        final String name;
        final int port;
        final List<Double> steadyRate = new ArrayList<>();
        final List<Double> steadyP50 = new ArrayList<>();
        final List<Double> burstRate = new ArrayList<>();
        final List<Double> burstP50 = new ArrayList<>();
        final List<Double> burstP99 = new ArrayList<>();
        /** Connections that ended without the byte. */
        int broken;

        Way(String name, int port) {
            this.name = name;
            this.port = port;
        }
    }

    private final List<Way> ways = new ArrayList<>();

    @TempDir
    Path folder;

    @Test
    void besideSsh() throws Exception {
        boolean ssh = !Ssh.isMissing();
        try (Echo app = new Echo();
                RealNode provider = RealNode.start(folder.resolve("provider"));
                RealNode user = RealNode.start(folder.resolve("user"), "--bootstrap", provider.bootstrap());
                Ssh forward = ssh ? new Ssh(folder, List.of(), "127.0.0.1", List.of(), app.port()) : null) {
            provider.register("echo", "echo", app.port());
            RealNode.await("it is found", () -> !user.providers("echo").isEmpty());
            ways.add(new Way("direct", app.port()));
            ways.add(new Way("mcc forward", user.forward("echo")));
            if (forward != null) ways.add(new Way("ssh -L", forward.ports.getFirst()));
            for (Way way : ways) {
                open(way, CONNECTIONS, AT_A_TIME); // what is measured is warm
                open(way, CONNECTIONS, AT_A_TIME);
            }
            for (int i = 0; i < ROUNDS; i++) {
                for (Way way : ways) {
                    double[] steady = open(way, CONNECTIONS, AT_A_TIME);
                    way.steadyRate.add(steady[0]);
                    way.steadyP50.add(steady[1]);
                    double[] burst = open(way, CONNECTIONS, CONNECTIONS);
                    way.burstRate.add(burst[0]);
                    way.burstP50.add(burst[1]);
                    way.burstP99.add(burst[2]);
                }
            }
            table();
            for (Way way : ways) {
                System.out.println(way.name + ": " + way.broken + " connections broke");
                if (!way.name.equals("ssh -L"))
                    assertThat(way.broken).as(way.name).isZero();
            }
        }
    }

    /** Opens connections, so many at a time; returns {a second, median ms, 99th percentile ms} until the byte is back. */
    private static double[] open(Way way, int count, int atATime) throws IOException {
        InetSocketAddress to = new InetSocketAddress(InetAddress.getLoopbackAddress(), way.port);
        double[] ms = new double[count];
        ByteBuffer one = ByteBuffer.allocate(1);
        long startNs = System.nanoTime();
        int begun = 0;
        int done = 0;
        try (Selector selector = Selector.open()) {
            while (done < count) {
                while (begun < count && begun - done < atATime) {
                    SocketChannel channel = SocketChannel.open();
                    channel.configureBlocking(false);
                    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    begun++;
                    SelectionKey key = channel.register(selector, 0, System.nanoTime());
                    if (channel.connect(to)) ask(key, one);
                    else key.interestOps(SelectionKey.OP_CONNECT);
                }
                selector.select(10_000);
                for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext(); ) {
                    SelectionKey key = keys.next();
                    keys.remove();
                    SocketChannel channel = (SocketChannel) key.channel();
                    if (goesOn(key, channel, one, way)) continue;
                    ms[done++] = (System.nanoTime() - (long) key.attachment()) / 1e6;
                    channel.close();
                }
            }
        }
        double seconds = (System.nanoTime() - startNs) / 1e9;
        Arrays.sort(ms);
        return new double[] {count / seconds, ms[count / 2], ms[count * 99 / 100]};
    }

    /** Asks once it is connected; false once the byte is back, or the connection is broken. */
    private static boolean goesOn(SelectionKey key, SocketChannel channel, ByteBuffer one, Way way) {
        try {
            if (key.isConnectable()) {
                channel.finishConnect();
                ask(key, one);
                return true;
            }
            if (channel.read(one.clear()) != 1) way.broken++;
        } catch (IOException _) {
            way.broken++; // reset
        }
        return false;
    }

    private static void ask(SelectionKey key, ByteBuffer one) throws IOException {
        ((SocketChannel) key.channel()).write(one.clear());
        key.interestOps(SelectionKey.OP_READ);
    }

    /** An app that sends back what it hears, on one thread. */
    private static final class Echo implements AutoCloseable {
        private final Selector selector = Selector.open();
        private final ServerSocketChannel server = ServerSocketChannel.open();
        private final Thread thread = new Thread(this::run, "echo");

        Echo() throws IOException {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 8_192);
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT);
            thread.start();
        }

        int port() {
            return server.socket().getLocalPort();
        }

        private void run() {
            ByteBuffer buffer = ByteBuffer.allocate(4_096);
            while (server.isOpen()) {
                try {
                    selector.select();
                    for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext(); ) {
                        SelectionKey key = keys.next();
                        keys.remove();
                        if (key.isAcceptable()) accept();
                        else if (key.isReadable()) answer((SocketChannel) key.channel(), buffer);
                    }
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                } catch (java.nio.channels.ClosedSelectorException _) {
                    return;
                }
            }
        }

        private void accept() throws IOException {
            for (SocketChannel channel; (channel = server.accept()) != null; ) {
                channel.configureBlocking(false);
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.register(selector, SelectionKey.OP_READ);
            }
        }

        private static void answer(SocketChannel channel, ByteBuffer buffer) throws IOException {
            try {
                if (channel.read(buffer.clear()) < 0) channel.close();
                else channel.write(buffer.flip());
            } catch (IOException _) {
                channel.close(); // reset by whoever had enough
            }
        }

        @Override
        public void close() throws Exception {
            server.close();
            selector.close();
            thread.join();
        }
    }

    private void table() {
        System.out.println("median (range) of " + ROUNDS + " rounds of " + CONNECTIONS
                + " connections; in brackets what MCC has of it");
        System.out.printf(
                "%-14s%40s%30s%40s%36s%36s%n",
                "", "a second, " + AT_A_TIME + " at a time", "p50 ms", "a second, all at once", "p50 ms", "p99 ms");
        Way mine = ways.get(1);
        for (Way w : ways) {
            System.out.printf(
                    Locale.ROOT,
                    "%-14s%40s%30s%40s%36s%36s%n",
                    w.name,
                    Figures.cell(w.steadyRate, mine.steadyRate),
                    Figures.cell(w.steadyP50, mine.steadyP50),
                    Figures.cell(w.burstRate, mine.burstRate),
                    Figures.cell(w.burstP50, mine.burstP50),
                    Figures.cell(w.burstP99, mine.burstP99));
        }
    }
}
