package mcc.udp;

import java.util.BitSet;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One kind of system call that failed: each time is counted, each error told once. */
public final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);
    private static final int ERRNO_MAX = 4_095;

    private final String name;
    private final String doing;
    private final Counter counter;
    private final BitSet told = new BitSet();

    /**
     * Those of one kind.
     *
     * @param doing what fails, for people
     */
    public Failures(Counters counters, String name, String doing) {
        this.name = name;
        this.doing = doing;
        counter = counters.of(name);
    }

    /** It failed once more, by an error of errno(3). */
    public void add(int errno) {
        counter.add();
        int known = Math.clamp(errno, 0, ERRNO_MAX);
        if (told.get(known)) return;
        told.set(known);
        LOG.warn("{} failed with error {} (errno(3)); said once, counted as {}", doing, errno, name);
    }
}
