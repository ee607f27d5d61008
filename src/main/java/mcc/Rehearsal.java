package mcc;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import mcc.cli.Cli;
import mcc.consortium.Policy;
import mcc.node.Node;
import mcc.node.Settings;

/**
 * What the build runs once, so that the JVM learns which classes to store in the start-up archive and what is worth compiling:
 * two nodes start, the most used verbs talk to one of them, and programs talk through it to the other.
 */
final class Rehearsal {
    private static final int CONNECTIONS = 16;
    private static final int QUESTIONS = 3_000;

    private Rehearsal() {}

    /** Uses the given folder, which the caller removes. */
    public static void main(String[] args) {
        Path folder = Path.of(args[0]);
        RunVerb.prepare();
        try (Node node = start(folder.resolve("data"), "");
                Node peer = start(
                        folder.resolve("peer"), node.parts().status().udp().getFirst())) {
            String url = node.parts().status().http();
            say(url, "status", "services", "tunnel ls", "register web --port 1", "discover web", "--help");
            say(url, "bench peer " + peer.parts().id() + " --seconds 3");
            try (ServerSocket app = listen();
                    ServerSocket free = listen()) {
                Thread.ofVirtual().start(() -> serve(app));
                say(peer.parts().status().http(), "register echo --port " + app.getLocalPort());
                free.close();
                say(url, "tunnel open echo " + free.getLocalPort());
                talk(free.getLocalPort());
            } catch (IOException _) {
                // then the archive goes without this part
            }
        }
    }

    private static void say(String url, String... verbs) {
        for (String verb : verbs) Cli.run((verb + " --node " + url).split(" "));
    }

    private static ServerSocket listen() throws IOException {
        return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** Echoes all that is sent. */
    private static void serve(ServerSocket app) {
        while (true) {
            try {
                Socket socket = app.accept();
                Thread.ofVirtual().start(() -> {
                    try (socket) {
                        socket.getInputStream().transferTo(socket.getOutputStream());
                    } catch (IOException _) {
                        // the client has ended
                    }
                });
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    /** Many short requests at once, each with its answer. */
    private static void talk(int port) {
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < CONNECTIONS; i++) {
                all.submit(() -> {
                    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                        socket.setTcpNoDelay(true);
                        byte[] question = new byte[100];
                        for (int n = 0; n < QUESTIONS; n++) {
                            socket.getOutputStream().write(question);
                            if (socket.getInputStream().readNBytes(question.length).length < question.length) break;
                        }
                    }
                    return null;
                });
            }
        }
    }

    private static Node start(Path data, String bootstrap) {
        Map<String, String> options = Map.of(
                "data",
                data.toString(),
                "listen",
                "127.0.0.1:0",
                "http",
                "127.0.0.1:0",
                "log.level",
                "error",
                "bootstrap",
                bootstrap);
        return Node.start(Settings.load(options, Map.of(), null), Policy.open(), Run.EDGES);
    }
}
