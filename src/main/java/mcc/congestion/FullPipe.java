package mcc.congestion;

/**
 * Whether sending faster still brings more: the path counts as full after three rounds in which the delivery rate did not
 * grow by a quarter (draft-ietf-ccwg-bbr, full_bw). Rounds in which the application set the pace do not count.
 *
 * <p>Growth counts with any acknowledgement of a round, not with the first alone: one delayed or lost acknowledgement at
 * a round's start would else pass for a plateau.
 */
final class FullPipe {
    private static final int ROUNDS = 3;

    private long baseline;
    private int rounds;
    private boolean now;
    private boolean reached;

    /** Starts to look, from a known rate. */
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

    /** Loss or marks told it before the plateau did. */
    void reach() {
        now = true;
        reached = true;
    }

    /** What was taken for a full path was not. */
    void unreach() {
        reached = false;
    }

    /** Returns whether it is full as far as the present search goes. */
    boolean isNow() {
        return now;
    }

    /** Returns whether it has ever been full. */
    boolean isReached() {
        return reached;
    }

    int rounds() {
        return rounds;
    }
}
