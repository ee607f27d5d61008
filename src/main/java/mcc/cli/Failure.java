package mcc.cli;

import org.jspecify.annotations.Nullable;

/** Why a command failed: a text for people and an exit code for scripts. */
final class Failure extends RuntimeException {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int NOT_FOUND = 3;
    static final int DENIED = 4;
    static final int NOT_AUTHENTICATED = 5;
    static final int UNREACHABLE = 6;
    static final int TIMED_OUT = 7;
    static final int DEGRADED = 8;

    private final int exit;
    private final String title;
    private final @Nullable String hint;

    Failure(int exit, String title, String detail, @Nullable String hint) {
        super(detail, null, false, false);
        this.exit = exit;
        this.title = title;
        this.hint = hint;
    }

    /** A command line that makes no sense. */
    static Failure usage(String detail, String hint) {
        return new Failure(USAGE, "Wrong usage", detail, hint);
    }

    /** The failure in an answer: an RFC 9457 problem or, from something that is not a node, any other body. */
    static Failure of(int status, Json problem) {
        String code = problem.at("code").text("");
        String title = problem.at("title").text("HTTP status " + status);
        StringBuilder detail = new StringBuilder(problem.at("detail").text(""));
        for (Json error : problem.at("errors").items()) {
            detail.append(detail.isEmpty() ? "" : "\n  ");
            detail.append(error.at("pointer").text(""))
                    .append(": ")
                    .append(error.at("detail").text(""));
        }
        String ref = problem.at("ref").text("");
        if (!ref.isEmpty()) detail.append(" (reference ").append(ref).append(')');
        String hint = problem.at("hint").text("");
        return new Failure(exitOf(status, code), title, detail.toString(), hint.isEmpty() ? null : hint);
    }

    static int exitOf(int status, String code) {
        return switch (code) {
            case "policy-denied", "scope-missing" -> DENIED;
            case "unauthenticated" -> NOT_AUTHENTICATED;
            case "lookup-timeout", "punch-timeout" -> TIMED_OUT;
            default ->
                switch (status) {
                    case 400, 413, 415 -> USAGE;
                    case 401 -> NOT_AUTHENTICATED;
                    case 403 -> DENIED;
                    case 404, 410 -> NOT_FOUND;
                    case 504 -> TIMED_OUT;
                    default -> FAILED;
                };
        };
    }

    int exit() {
        return exit;
    }

    String title() {
        return title;
    }

    String detail() {
        return getMessage() == null ? "" : getMessage();
    }

    @Nullable
    String hint() {
        return hint;
    }
}
