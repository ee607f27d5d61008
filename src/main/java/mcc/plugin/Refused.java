package mcc.plugin;

import io.vertx.core.json.JsonObject;
import mcc.api.Problems;
import mcc.node.ApiQuery;
import mcc.node.Problem;

/** A failure, as the REST interface would report it. */
final class Refused extends RuntimeException {
    private final int status;
    private final transient JsonObject problem;

    private Refused(int status, JsonObject problem) {
        super(problem.getString("detail"), null, false, false);
        this.status = status;
        this.problem = problem;
    }

    /** From an operation's answer that is a problem. */
    static Refused of(ApiQuery.Answer answer) {
        return new Refused(answer.status(), answer.body());
    }

    /**
     * From any error, without the details of an unexpected one.
     *
     * @param address where it happened
     */
    static Refused of(Throwable e, String address) {
        if (e instanceof Refused r) return r;
        Problem problem = e instanceof Problem p
                ? p
                : new Problem(
                        "overloaded",
                        "the node failed to do this: " + e.getClass().getSimpleName(),
                        "try again");
        return new Refused(Problems.status(problem), Problems.toJson(problem, address));
    }

    /** The HTTP status. */
    int status() {
        return status;
    }

    /** The problem in the format of RFC 9457, as text. */
    String text() {
        return problem.encode();
    }
}
