package mcc;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import mcc.cli.Cli;
import mcc.consortium.Policy;
import mcc.node.Node;
import mcc.node.Settings;

/**
 * What the build runs once, so that the JVM learns which classes to keep ready in the start-up archive: a node starts,
 * and the verbs that people use most speak to it.
 */
final class Rehearsal {
    private Rehearsal() {}

    /** Plays in the folder given, which the caller removes. */
    public static void main(String[] args) {
        Path data = Path.of(args[0]).resolve("data");
        Map<String, String> options =
                Map.of("data", data.toString(), "listen", "127.0.0.1:0", "http", "127.0.0.1:0", "log.level", "error");
        RunVerb.prepare();
        try (Node node = Node.start(Settings.load(options, Map.of(), null), Policy.open(), Run.EDGES)) {
            String url = node.parts().status().http();
            List<String> verbs = List.of("status", "services", "tunnel ls", "register web --port 1", "discover web");
            for (String verb : verbs) Cli.run((verb + " --node " + url).split(" "));
            Cli.run(new String[] {"--help"});
        }
    }
}
