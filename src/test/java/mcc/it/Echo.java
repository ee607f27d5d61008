package mcc.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;

/** An app on loopback that says back what it is told. */
public final class Echo implements AutoCloseable {
    private final ServerSocket server;

    public Echo() {
        try {
            server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    Thread.ofVirtual().start(() -> echo(socket));
                } catch (IOException _) {
                    return; // closed at the end of the test
                }
            }
        });
    }

    private static void echo(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
            socket.shutdownOutput();
        } catch (IOException _) {
            // who reads sees that too little came back
        }
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Sends so many bytes to a port, both directions at a time, and ends; what comes back must be the same. */
    public static void assertEchoes(int port, byte[] sent) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.setSoTimeout((int) RealNode.PATIENCE_MS);
            Thread.ofVirtual().start(() -> {
                try {
                    socket.getOutputStream().write(sent);
                    socket.shutdownOutput();
                } catch (IOException _) {
                    // then too little comes back
                }
            });
            byte[] heard = socket.getInputStream().readAllBytes();
            assertThat(Arrays.equals(heard, sent))
                    .as("%d bytes of %d came back", heard.length, sent.length)
                    .isTrue();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
