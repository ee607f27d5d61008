package mcc.registry;

import mcc.core.Core;
import mcc.core.Id;

/**
 * One registration of ours and how its app fares.
 *
 * <pre>
 * PASS:    on failed check, the n-th in a row -> FAILING, withdrawn from the network
 * FAILING: on passed check or heartbeat       -> PASS, offered again
 * </pre>
 */
final class Local {
    /** A check that the host never answers counts as failed after its time-out and this. */
    static final long GRACE_NS = Config.SECOND;

    final Registration registration;
    final Id endpoint;
    Health health = Health.PASS;
    String reason;
    int loadPermille;
    private int failures;
    /** The number of the check under way or last made. */
    long run;

    boolean running;
    long dueNs = Core.NEVER;

    Local(Registration registration, Id endpoint, long nowNs) {
        this.registration = registration;
        this.endpoint = endpoint;
        Registration.Check check = registration.check();
        reason = switch (check.type()) {
            case NONE -> "unchecked";
            case TTL -> "waiting for a heartbeat";
            case TCP, HTTP -> "first check under way";
        };
        dueNs = switch (check.type()) {
            case NONE -> Core.NEVER;
            case TTL -> nowNs + check.intervalMs() * Config.MS;
            case TCP, HTTP -> nowNs;
        };
    }

    /** Notes the end of a check; returns whether the health changed. */
    boolean checked(boolean ok, String detail) {
        running = false;
        failures = ok ? 0 : failures + 1;
        Health before = health;
        if (ok) health = Health.PASS;
        else if (failures >= registration.check().failures()) health = Health.FAILING;
        reason = detail;
        return health != before;
    }
}
