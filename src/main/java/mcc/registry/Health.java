package mcc.registry;

/** Whether a provider can be used; usable ones sort first. */
public enum Health {
    /** Its checks pass, or it has none. */
    PASS,
    /** Its checks fail; known for our own registrations only, as other nodes withdraw theirs. */
    FAILING,
    /** Its node was not heard within the lease. */
    STALE
}
