package mcc.lab;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** An app that sends back what it gets. */
final class Echo {
    private Echo() {}

    static void serve(Host at, int port) throws Exception {
        ServerSocket server = at.listen(port);
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    Thread.ofVirtual().start(() -> answer(socket));
                } catch (IOException e) {
                    return; // closed
                }
            }
        });
    }

    /** Sends bytes to a port of a host's own and returns as many that come back. */
    static byte[] exchange(Host at, int port, byte[] sent) throws Exception {
        return at.ns.call(() -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout((int) (Lab.PATIENCE_NS / 1_000_000));
                socket.getOutputStream().write(sent);
                return socket.getInputStream().readNBytes(sent.length);
            }
        });
    }

    private static void answer(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // the other end will notice
        }
    }
}
