package mcc.udp;

import java.util.BitSet;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A kind of system call that fails now and then: every failure is counted, every error is logged once. */
public final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);
    private static final int ERRNO_MAX = 4_095;

    private final String name;
    private final String doing;
    private final Counter counter;
    private final BitSet told = new BitSet();

    /**
     * Makes one for a kind of system call.
     *
     * @param name the counter
     * @param doing what fails, for people
     */
    public Failures(Counters counters, String name, String doing) {
        this.name = name;
        this.doing = doing;
        counter = counters.of(name);
    }

    /** Counts a failure, with the error as in errno(3). */
    public void add(int errno) {
        counter.add();
        int known = Math.clamp(errno, 0, ERRNO_MAX);
        if (told.get(known)) return;
        told.set(known);
        LOG.warn("{} failed with error {} (errno(3)); said once, counted as {}", doing, errno, name);
    }
}
