package mcc.node;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An error for the operator or user: what happened, and the way out. Thrown to whoever started the operation. */
public final class Problem extends RuntimeException {
    /**
     * One fault of a request.
     *
     * @param pointer the place, as a JSON pointer (RFC 6901)
     * @param detail what is expected there
     */
    public record Fault(String pointer, String detail) {}

    private final String code;
    private final @Nullable String hint;
    private final transient List<Fault> faults;

    /**
     * @param code one of the codes of the REST interface
     * @param detail what happened, with the values involved but without secrets
     * @param hint what to do about it
     */
    public Problem(String code, String detail, @Nullable String hint) {
        this(code, detail, hint, List.of());
    }

    /** A problem that consists of several faults of a request. */
    public Problem(String code, String detail, @Nullable String hint, List<Fault> faults) {
        super(detail, null, false, false);
        this.code = code;
        this.hint = hint;
        this.faults = List.copyOf(faults);
    }

    /** The message of a network exception for people: at most 200 characters, without the name of the system call. */
    public static String text(Throwable e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        String plain = message.replaceFirst("^\\w+\\(\\.\\.\\) failed(?: with error\\(-?\\d+\\))?: ", "");
        return plain.length() > 200 ? plain.substring(0, 200) : plain;
    }

    /** The machine-readable kind. */
    public String code() {
        return code;
    }

    /** What happened. */
    public String detail() {
        return getMessage() == null ? "" : getMessage();
    }

    /** What to do about it; null if there is no advice. */
    public @Nullable String hint() {
        return hint;
    }

    /** The faults of the request; empty if they are not told one by one. */
    public List<Fault> faults() {
        return faults;
    }
}
