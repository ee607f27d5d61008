package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import mcc.it.RealNode;

/** A node with an app, one whose user has a forward to it, and three open nodes by which they found each other and that relay. */
final class Pair {
    static final int ECHO_PORT = 7_000;
    /** The longest transfer's blocks: more than all buffers on the way take. */
    private static final int BLOCKS = 400;

    static final int BLOCK_BYTES = 32_768;

    final List<RealNode> open;
    final RealNode provider;
    final RealNode using;
    /** What the app's endpoint was registered as. */
    final JsonNode registration;

    private final Host user;
    private int port;

    /**
     * Starts the two and waits until the provider is found.
     *
     * @param open nodes that know each other
     * @param there where the app and its node run, behind a NAT that makes it keep two places at relays
     * @param here where the user's node runs, at whatever addresses there are
     * @param options of both nodes
     */
    Pair(List<RealNode> open, Path folder, Host there, Host here, String... options) throws Exception {
        this.open = open;
        user = here;
        String[] all = Lab.bootstrap(open.getFirst(), options);
        CompletableFuture<RealNode> providing =
                CompletableFuture.supplyAsync(() -> there.node(folder.resolve("provider"), all));
        using = here.anywhere(folder.resolve("user"), all);
        provider = providing.get();
        Echo.serve(there, ECHO_PORT);
        registration = provider.put("/api/v1/registrations/echo", "{\"service\":\"echo\",\"port\":" + ECHO_PORT + "}")
                .body();
        RealNode.await("the provider keeps two places", () -> places(provider) >= 2, provider);
        RealNode.await("the provider is found", () -> using.providers("echo").contains(provider.id), using, provider);
    }

    /** At how many relays a node keeps places. */
    static int places(RealNode node) {
        return node.get("/api/v1/relays").body().at("/kept").size();
    }

    /** The port of the user's forward, which is made at the first call. */
    int port() {
        if (port == 0) port = using.forward("echo");
        return port;
    }

    /** Sends bytes through the user's forward and returns what comes back. */
    byte[] exchange(byte[] sent) throws Exception {
        return Echo.exchange(user, port(), sent);
    }

    /** The kind of path by which a node sends to another; empty without a link. */
    static String way(RealNode from, RealNode to) {
        return peer(from, to).at("/path/tx").asText();
    }

    /** The relay that carries what the user's node sends to the provider's; empty for none. */
    String via() {
        return peer(using, provider).at("/path/via/0").asText();
    }

    private static JsonNode peer(RealNode from, RealNode to) {
        JsonNode items = from.get("/api/v1/peers").body().path("items");
        for (JsonNode peer : items) if (peer.path("id").asText().equals(to.id)) return peer;
        return items.path("none");
    }

    void awaitStraight() {
        RealNode.await("packets go straight", () -> way(using, provider).equals("direct"), using, provider);
        RealNode.await("and the answers", () -> way(provider, using).equals("direct"), using, provider);
    }

    /** Bytes that differ from number to number. */
    static byte[] block(int number) {
        byte[] out = new byte[BLOCK_BYTES];
        for (int i = 0; i < out.length; i++) out[i] = (byte) (number * 7 + i * 31 >> 3);
        return out;
    }

    /** Sends blocks and reads them back, and in the middle does something; prints the longest time that no block came. */
    void transfer(String what, Lab.Act midway) throws Exception {
        int to = port();
        user.ns.call(() -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), to)) {
                socket.setSoTimeout((int) (Lab.PATIENCE_NS / 1_000_000));
                Thread writer = Thread.ofVirtual().start(() -> write(socket));
                long longestNs = 0;
                for (int n = 0; n < BLOCKS; n++) {
                    long began = System.nanoTime();
                    assertThat(Arrays.equals(socket.getInputStream().readNBytes(BLOCK_BYTES), block(n)))
                            .as("block " + n)
                            .isTrue();
                    longestNs = Math.max(longestNs, System.nanoTime() - began);
                    if (n == BLOCKS / 2) midway.run();
                }
                writer.join();
                System.out.println("| " + what + ", longest pause | " + longestNs / 1_000_000 + " ms |");
            }
            return null;
        });
    }

    private static void write(Socket socket) {
        try {
            for (int n = 0; n < BLOCKS; n++) socket.getOutputStream().write(block(n));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
