package mcc;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import mcc.api.ApiVerticle;
import mcc.consortium.Policy;
import mcc.node.Node;
import mcc.node.Problem;
import mcc.node.Settings;
import mcc.plugin.PluginVerticle;
import mcc.tunnel.TunnelVerticle;

/** {@code mcc run}: a node in the foreground, until SIGTERM or ctrl-C. */
final class Run {
    /** The rooms above the node, in the order in which they start. */
    static final List<Node.Edge> EDGES = List.of(TunnelVerticle::new, ApiVerticle::new, PluginVerticle::new);

    private Run() {}

    /**
     * Starts the node, says on stdout that it is ready, and waits for the end.
     *
     * @return the exit code
     */
    static int run(Settings settings) {
        Node node;
        try {
            node = Node.start(settings, Policy.open(), EDGES);
        } catch (Problem p) {
            System.err.println("mcc: " + p.detail());
            if (p.hint() != null) System.err.println("     " + p.hint());
            return 1;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            node.close();
            Runtime.getRuntime().halt(0); // a drained node ended well; the JVM would say 143 for SIGTERM
        }));
        Node.Parts parts = node.parts();
        System.out.println("ready node=" + parts.id() + " udp="
                + String.join(",", parts.status().udp()) + " http="
                + parts.status().http());
        node.begin();
        try {
            new CountDownLatch(1).await(); // the end comes as a signal, and to the hook
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }
}
