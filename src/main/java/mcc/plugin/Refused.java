package mcc.plugin;

import io.vertx.core.json.JsonObject;
import mcc.api.Problems;
import mcc.node.ApiQuery;
import mcc.node.Problem;

/** A failure in the words of the REST interface. */
final class Refused extends RuntimeException {
    private final int status;
    private final transient JsonObject problem;

    private Refused(int status, JsonObject problem) {
        super(problem.getString("detail"), null, false, false);
        this.status = status;
        this.problem = problem;
    }

    /** An operation's answer that is a problem. */
    static Refused of(ApiQuery.Answer answer) {
        return new Refused(answer.status(), answer.body());
    }

    /**
     * Whatever went wrong, without its inner parts where nobody foresaw it.
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

    /** As in HTTP. */
    int status() {
        return status;
    }

    /** RFC 9457, as text. */
    String text() {
        return problem.encode();
    }
}
