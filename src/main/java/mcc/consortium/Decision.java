package mcc.consortium;

/** The answer to a {@link Question}. */
public sealed interface Decision {
    /** Whether the action is allowed. */
    default boolean isAllowed() {
        return this instanceof Allowed;
    }

    /**
     * The action is allowed.
     *
     * @param grant that allows it
     * @param validUntil when this ends, milliseconds since 1970: whoever was admitted is judged again then;
     *     {@link Long#MAX_VALUE} for never
     */
    record Allowed(Grant grant, long validUntil) implements Decision {}

    /**
     * The action is denied.
     *
     * @param ref {@code D-} and eight of {@code A-Z 2-7}: finds this decision in the log of the deciding node
     */
    record Denied(Reason reason, String ref) implements Decision {}

    /** What the nearest grant lacks, ordered from farthest to nearest. For the local operator only. */
    enum Reason {
        /** The policy itself failed. */
        FAILED,
        /** No grant covers this thing. */
        NOTHING_GRANTED,
        /** Some do, but not with this action. */
        OTHER_ACTION,
        /** This action is granted, but not to this subject. */
        OTHER_SUBJECT,
        /** Not after so many delegations. */
        TOO_MANY_HOPS,
        /** Not for this port. */
        OTHER_PORT,
        /** Not yet. */
        TOO_EARLY,
        /** No longer. */
        EXPIRED
    }
}
