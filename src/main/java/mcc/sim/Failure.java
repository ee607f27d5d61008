package mcc.sim;

/** A run in which something was wrong; its message is one line, and begins with the command that replays it. */
public final class Failure extends RuntimeException {
    Failure(String scenario, int nodes, long seed, Options options, String what, Throwable cause) {
        super(
                "./mcc sim " + scenario + " --nodes " + nodes + " --seed " + seed
                        + options.arguments(Scenarios.defaults(scenario)) + "  # " + what,
                cause);
    }
}
