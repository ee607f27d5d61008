package mcc.sys;

/** What the error numbers (errno(3)) of calls on UDP sockets mean. */
public final class UdpErrors {
    static final int ECONNREFUSED = 111;
    private static final int EPERM = 1;
    private static final int EACCES = 13;
    private static final int EINVAL = UdpDescriptor.EINVAL;
    private static final int ENOSYS = 38;
    private static final int ENONET = 64;
    private static final int EPROTO = 71;
    private static final int EMSGSIZE = UdpDescriptor.EMSGSIZE;
    private static final int ENOPROTOOPT = 92;
    private static final int EOPNOTSUPP = 95;
    private static final int EADDRNOTAVAIL = 99;
    private static final int ENETUNREACH = 101;
    private static final int EHOSTDOWN = 112;
    private static final int EHOSTUNREACH = 113;

    private UdpErrors() {}

    /** Whether the system does not let this process make the call at all (seccomp(2)). */
    static boolean isRefusal(int error) {
        return switch (error) {
            case EPERM, EACCES, ENOSYS, EOPNOTSUPP -> true;
            default -> false;
        };
    }

    /** Whether the error may come from an ICMP message about an earlier datagram; the kernel reports each to one call. */
    static boolean mayBeOfAnother(int error) {
        return switch (error) {
            case ECONNREFUSED,
                    EHOSTUNREACH,
                    ENETUNREACH,
                    EHOSTDOWN,
                    ENOPROTOOPT,
                    EPROTO,
                    ENONET,
                    EMSGSIZE,
                    EACCES,
                    EOPNOTSUPP -> true;
            default -> false;
        };
    }

    /** Whether the host may no longer have the address of {@link UdpDescriptor#leaveFrom}, or no route from it. */
    public static boolean mayBeOfSource(int error) {
        return switch (error) {
            case EINVAL, EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH -> true;
            default -> false;
        };
    }
}
