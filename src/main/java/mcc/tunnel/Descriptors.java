package mcc.tunnel;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;

/**
 * How many file descriptors the sockets of tunnels hold and may hold: a part of the process's, so that REST, the store and the
 * sockets between nodes have the rest. Each side leaves a quarter of that part to the others.
 */
final class Descriptors {
    /** What a socket is for. */
    enum Side {
        /** Programs of this host that use services, and their connections to apps of this same host. */
        USER,
        /** Apps that peers use. */
        PROVIDER,
        /** Apps that are used at their endpoints' addresses. */
        HOSTED
    }

    /** What the rest of a node needs, its jars among them. */
    private static final long OTHERS = 256;

    private static final long LEAST = 64;

    private final Map<Side, Integer> held = new EnumMap<>(Side.class);
    private final long max;
    private long all;

    /** @param max how many sockets there may be */
    Descriptors(long max) {
        this.max = max;
    }

    /** Those of this process, whose limit (RLIMIT_NOFILE) is read now. */
    static Descriptors ofProcess() {
        boolean known = ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean;
        return new Descriptors(
                known
                        ? part(((UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                                .getMaxFileDescriptorCount())
                        : Long.MAX_VALUE);
    }

    /** The part of a limit that is for tunnels: three quarters of what the rest of a node leaves. */
    static long part(long limit) {
        return Math.max(LEAST, (limit - OTHERS) / 4 * 3);
    }

    long max() {
        return max;
    }

    /** How many sockets there are. */
    long all() {
        return all;
    }

    /** Counts one more socket; false, and not counted, when there are too many. */
    boolean take(Side side) {
        int own = held.getOrDefault(side, 0);
        if (all >= max || own >= max - max / 4) return false;
        held.put(side, own + 1);
        all++;
        return true;
    }

    /** One that was taken is closed. */
    void give(Side side) {
        held.merge(side, -1, Integer::sum);
        all--;
    }
}
