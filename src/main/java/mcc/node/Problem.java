package mcc.node;

import org.jspecify.annotations.Nullable;

/** An operating error that names its cause and the way out; thrown to whoever started the operation. */
public final class Problem extends RuntimeException {
    private final String code;
    private final @Nullable String hint;

    /**
     * @param code one of the codes of the REST interface
     * @param detail what happened, with the values concerned, without secrets
     * @param hint what to do about it
     */
    public Problem(String code, String detail, @Nullable String hint) {
        super(detail, null, false, false);
        this.code = code;
        this.hint = hint;
    }

    /** The machine-readable kind. */
    public String code() {
        return code;
    }

    /** What happened. */
    public String detail() {
        return getMessage() == null ? "" : getMessage();
    }

    /** What to do about it; null when there is nothing. */
    public @Nullable String hint() {
        return hint;
    }
}
