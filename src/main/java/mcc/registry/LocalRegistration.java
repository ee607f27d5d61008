package mcc.registry;

import mcc.core.Core;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * One registration of this node, and its app's health.
 *
 * <pre>
 * PASS:    on failed check, the n-th in a row -> FAILING, withdrawn from the network
 * FAILING: on passed check or heartbeat       -> PASS, offered again
 * </pre>
 */
final class LocalRegistration {
    /** A check whose result the host never reports counts as failed this long after its time-out. */
    static final long GRACE_NS = RegistryConfig.SECOND;

    private static final int LOAD_STEP_PERMILLE = 100;

    final Registration registration;
    final Id endpoint;
    Health health = Health.PASS;
    String reason;
    int loadPermille;
    /** The load that other nodes were told, and when they may be told another one. */
    int toldPermille;

    long tellNs;
    private int failures;
    /** The number of the check under way or last made. */
    long run;

    boolean running;
    long dueNs = Core.NEVER;

    /**
     * @param old the registration of the same ID that it replaces, whose health it takes over for the same app; null for none
     */
    LocalRegistration(Registration registration, Id endpoint, long nowNs, @Nullable LocalRegistration old) {
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
            case TTL -> nowNs + check.intervalMs() * RegistryConfig.MS;
            case TCP, HTTP -> nowNs;
        };
        if (old != null && old.registration.isSameApp(registration)) keep(old);
    }

    private void keep(LocalRegistration old) {
        health = old.health;
        reason = old.reason;
        failures = old.failures;
        loadPermille = old.loadPermille;
        tellNs = old.tellNs;
        run = old.run;
        running = old.running;
        boolean same = old.registration.check().equals(registration.check());
        if (same || running) dueNs = old.dueNs; // otherwise it is checked at once
    }

    /** When other nodes are to be told the load; {@link Core#NEVER} while what they know is close enough. */
    long loadDueNs() {
        boolean near = Math.abs(loadPermille - toldPermille) < LOAD_STEP_PERMILLE;
        boolean known = near && (loadPermille > 0 || toldPermille == 0);
        return known || health != Health.PASS ? Core.NEVER : tellNs;
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
