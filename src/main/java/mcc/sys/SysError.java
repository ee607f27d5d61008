package mcc.sys;

/** A refused system call, explained for people, with a way out. */
public final class SysError extends Exception {
    private static final int EPERM = 1;
    private static final int ENOENT = 2;
    private static final int EACCES = 13;
    private static final int EBUSY = 16;

    private final String hint;

    SysError(String message, String hint) {
        super(message, null, false, false);
        this.hint = hint;
    }

    /** The error that an action ended with. */
    static SysError of(String doing, int errno) {
        return switch (errno) {
            case EPERM, EACCES ->
                new SysError(
                        doing + " needs the capability CAP_NET_ADMIN",
                        "run with sudo, or give the service AmbientCapabilities=CAP_NET_ADMIN");
            case EBUSY -> new SysError(doing + ": the name is taken", "choose another with --tun-name NAME");
            case ENOENT -> new SysError(doing + ": there is no /dev/net/tun", "load the kernel's module: modprobe tun");
            default -> new SysError(doing + " failed with error " + errno, "see errno(3) and the kernel's log");
        };
    }

    /** What to do about it. */
    public String hint() {
        return hint;
    }
}
