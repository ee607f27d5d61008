package mcc.congestion;

/**
 * Whether sending faster still delivers more: the path counts as full after three rounds in which the delivery rate did not
 * grow by a quarter (full_bw of draft-ietf-ccwg-bbr). Rounds limited by the application do not count.
 *
 * <p>Growth counts at any acknowledgement of a round, not only at the first, as otherwise a delayed or lost acknowledgement at
 * the start of a round would look like a plateau.
 */
final class FullPipe {
    private static final int ROUNDS = 3;

    private long baseline;
    private int rounds;
    private boolean now;
    private boolean reached;

    /** Starts the search again, from a known rate. */
    void reset(long rate) {
        baseline = rate;
        rounds = 0;
        now = false;
    }

    void onAck(long rate, boolean appLimited, boolean roundStart) {
        if (now || appLimited || rate == 0) return;
        if (rate >= baseline + baseline / 4) {
            reset(rate);
        } else if (roundStart && ++rounds >= ROUNDS) {
            now = true;
            reached = true;
        }
    }

    /** Loss or CE marks showed it before the plateau did. */
    void reach() {
        now = true;
        reached = true;
    }

    /** The path was wrongly taken for full. */
    void unreach() {
        reached = false;
    }

    /** Returns whether the path is full, by the present search. */
    boolean isNow() {
        return now;
    }

    /** Returns whether it was ever full. */
    boolean isReached() {
        return reached;
    }

    int rounds() {
        return rounds;
    }
}
