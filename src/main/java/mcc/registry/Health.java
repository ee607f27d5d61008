package mcc.registry;

/** Whether a provider can be used; the usable first. */
public enum Health {
    /** Its checks pass, or it has none. */
    PASS,
    /** Its checks fail; known for our own registrations only, others withdraw theirs. */
    FAILING,
    /** Its node was not heard within the lease. */
    STALE
}
