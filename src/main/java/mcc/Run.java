package mcc;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import mcc.api.ApiVerticle;
import mcc.node.Node;
import mcc.node.Problem;
import mcc.node.Settings;
import mcc.tunnel.TunnelVerticle;

/** {@code mcc run}: a node in the foreground, until SIGTERM or ctrl-C. */
final class Run {
    private Run() {}

    /**
     * Starts the node, says on stdout that it is ready, and waits for the end.
     *
     * @return the exit code
     */
    static int run(Settings settings) {
        Node node;
        try {
            node = Node.start(settings, List.of(TunnelVerticle::new, ApiVerticle::new));
        } catch (Problem p) {
            System.err.println("mcc: " + p.detail());
            if (p.hint() != null) System.err.println("     " + p.hint());
            return 1;
        }
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            node.close();
            ended.countDown();
        }));
        Node.Parts parts = node.parts();
        System.out.println("ready node=" + parts.id() + " udp="
                + String.join(",", parts.status().udp()) + " http="
                + parts.status().http());
        try {
            ended.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }
}
