package mcc.sim;

/** A run that broke an invariant. The message is one line, and begins with the command that replays the run. */
public final class Failure extends RuntimeException {
    Failure(String scenario, int nodes, long seed, Options options, String what, Throwable cause) {
        super(
                "./mcc sim " + scenario + " --nodes " + nodes + " --seed " + seed
                        + options.arguments(Scenarios.defaults(scenario)) + "  # " + what,
                cause);
    }
}
