package mcc.consortium;

/** The answer to a {@link Question}. */
public sealed interface Decision {
    /** Whether it may be done. */
    default boolean isAllowed() {
        return this instanceof Allowed;
    }

    /**
     * It may be done.
     *
     * @param grant by which right
     * @param validUntil when it ends, milliseconds since 1970: what was let in is asked about again then;
     *     {@link Long#MAX_VALUE} for never
     */
    record Allowed(Grant grant, long validUntil) implements Decision {}

    /**
     * It may not be done.
     *
     * @param ref {@code D-} and eight of {@code A-Z 2-7}: finds this decision in the log of whoever decided
     */
    record Denied(Reason reason, String ref) implements Decision {}

    /** What the grant that came nearest lacks, from the farthest to the nearest. For the local operator only. */
    enum Reason {
        /** The policy itself failed over the question. */
        FAILED,
        /** Nothing is granted of this thing. */
        NOTHING_GRANTED,
        /** Something is, but not this action. */
        OTHER_ACTION,
        /** This action is, but not to this one. */
        OTHER_SUBJECT,
        /** Not by so long a chain of those who passed it on. */
        TOO_MANY_HOPS,
        /** Not to this port. */
        OTHER_PORT,
        /** Not yet. */
        TOO_EARLY,
        /** No longer. */
        EXPIRED
    }
}
