package mcc.lab;

import java.io.IOException;
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

    private static void answer(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // the other end will notice
        }
    }
}
