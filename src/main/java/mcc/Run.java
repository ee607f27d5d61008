package mcc;

import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import mcc.api.ApiVerticle;
import mcc.consortium.Policy;
import mcc.node.LogText;
import mcc.node.Node;
import mcc.node.Problem;
import mcc.node.Settings;
import mcc.plugin.PluginVerticle;
import mcc.sys.Systemd;
import mcc.tunnel.TunnelVerticle;

/** {@code mcc run}: a node in the foreground, until SIGTERM or ctrl-C. */
final class Run {
    /** The verticles of the rooms above the node, in the order in which they start. */
    static final List<Node.Edge> EDGES = List.of(TunnelVerticle::new, ApiVerticle::new, PluginVerticle::new);

    private Run() {}

    /**
     * Starts the node, prints the ready line on stdout, and stays for as long as the node does.
     *
     * @return the exit code of a start that failed
     */
    static int run(Settings settings, Map<String, String> environment, Ending ending) {
        Systemd systemd = Systemd.of(environment);
        Node node;
        try {
            node = Node.start(settings, Policy.open(), EDGES);
        } catch (Problem p) {
            if (!ending.isAsked()) tell(p);
            return 1;
        }
        if (ending.isAskedBefore(() -> stop(node, systemd))) {
            boolean _ = Thread.interrupted(); // set by that signal; the node must close undisturbed
            node.close();
            return 0;
        }
        node.watch(systemd::beat, ending::end);
        Node.Parts parts = node.parts();
        System.out.println("ready node=" + parts.id() + " udp="
                + String.join(",", parts.status().udp()) + " http="
                + parts.status().http());
        node.begin();
        systemd.ready();
        while (true) LockSupport.park(); // ended by a signal or by the watchdog
    }

    private static void stop(Node node, Systemd systemd) {
        systemd.stopping();
        node.close();
    }

    /** Prints on stderr what is wrong and what to do about it. */
    static void tell(Problem p) {
        System.err.println("mcc: " + LogText.plain(p.detail()));
        if (p.hint() != null) System.err.println("  hint: " + LogText.plain(p.hint()));
    }
}
