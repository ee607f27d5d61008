package mcc;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.node.Problem;
import mcc.node.Settings;
import org.jspecify.annotations.Nullable;

/** {@code mcc run}: its options as settings. Reads them by hand, so that a node starts without the command line's classes. */
final class RunVerb {
    /** The command line's settings by key, and the file that holds more of them. */
    record Options(Map<String, String> values, @Nullable Path file) {}

    private RunVerb() {}

    /**
     * Returns the settings of the node.
     *
     * @throws Problem {@code usage} for an option that cannot be read, else as {@link Settings#load}
     */
    static Settings settings(List<String> args, Map<String, String> environment) {
        Options options = parse(args, environment);
        return Settings.load(options.values(), environment, options.file());
    }

    /** Sets what must be set before the first class of Netty loads. */
    static void prepare() {
        // Otherwise a task that reschedules itself would starve its loop's sockets.
        System.setProperty("io.netty.eventLoop.maxTaskProcessingQuantumMs", "100");
    }

    /**
     * Reads {@code --a-b VALUE} and {@code --a-b=VALUE}; a list's option may be repeated, a boolean one takes no value.
     *
     * @throws Problem {@code usage}
     */
    static Options parse(List<String> args, Map<String, String> environment) {
        Map<String, String> values = new LinkedHashMap<>();
        String named = environment.getOrDefault("MCC_CONFIG", "");
        Path file = named.isEmpty() ? null : Settings.path("MCC_CONFIG", named);
        Iterator<String> rest = args.iterator();
        String alone = null;
        while (rest.hasNext()) {
            String arg = rest.next();
            if (alone != null && !arg.startsWith("-")) {
                throw new Problem(
                        "usage",
                        alone + " may stand alone, so it takes no value after a blank",
                        "write " + alone + "=" + arg);
            }
            alone = null;
            int equals = arg.indexOf('=');
            String option = equals < 0 ? arg : arg.substring(0, equals);
            if (option.equals("--config")) {
                file = Settings.path(option, value(option, arg, equals, rest));
                continue;
            }
            Settings.Key key = keyOf(option);
            if (equals < 0 && key.flag()) alone = option;
            String value = alone != null ? "true" : value(option, arg, equals, rest);
            values.merge(key.name(), value, (old, more) -> key.list() ? old + "," + more : more);
        }
        return new Options(values, file);
    }

    private static String value(String option, String arg, int equals, Iterator<String> rest) {
        if (equals >= 0) return arg.substring(equals + 1);
        if (rest.hasNext()) return rest.next();
        throw new Problem("usage", "option " + option + " needs a value", "mcc run --help");
    }

    private static Settings.Key keyOf(String option) {
        for (Settings.Key key : Settings.KEYS) if (key.option().equals(option)) return key;
        if (!option.startsWith("--")) {
            throw new Problem("usage", option + " is no option of mcc run", "mcc run --help");
        }
        String nearest = Settings.nearest(option.substring(2).replace('-', '.'));
        throw new Problem(
                "usage",
                "unknown option " + option,
                "did you mean --" + nearest.replace('.', '-') + "? mcc run --help lists all");
    }
}
