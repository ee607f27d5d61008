package mcc.core;

/**
 * Checks what must always be true: a violation is a bug in this program, never the fault of a peer or an operator. Checked in
 * production.
 */
public final class Invariant {
    /** Reports the bug; ends the one link, or restarts the one verticle, in which it happened. */
    public static final class Broken extends IllegalStateException {
        private Broken(String what) {
            super(what);
        }
    }

    private Invariant() {}

    /** Throws {@link Broken} with {@code what} unless {@code holds}. */
    public static void check(boolean holds, String what) {
        if (!holds) throw new Broken(what);
    }
}
