package mcc.punch;

import java.util.List;
import mcc.core.Address;
import mcc.wire.Outside.Allocation;

/**
 * What was done to reach a peer without a relay. Times are monotonic.
 *
 * @param going whether attempts go on: a relay carries the link, and both ends punch
 * @param leads whether this node says when; else the peer does
 * @param nextNs when this node asks for the next attempt; {@link mcc.core.Core#NEVER} where it does not
 * @param ports how the peer says its NAT gives out ports
 * @param attempts the newest {@link PunchLog#ATTEMPTS_MAX}, oldest first
 * @param attemptsTotal how many there were
 * @param challenges how many challenges were sent in all of them
 * @param refused how many requests of the peer were refused, because no relay was in use or they came too fast
 */
public record PunchReport(
        boolean going,
        boolean leads,
        long nextNs,
        Allocation ports,
        List<Attempt> attempts,
        long attemptsTotal,
        long challenges,
        long refused) {
    /** What came of an attempt. */
    public enum Outcome {
        /** The peer was asked for its addresses, and has not answered yet. */
        ASKED,
        /** The peer did not answer. */
        UNANSWERED,
        /** Challenges are sent, or were, and no direct path stands yet. */
        TRIED,
        /** A direct path was found. */
        DIRECT,
        /** The link ended meanwhile. */
        ENDED
    }

    /**
     * One attempt.
     *
     * @param candidates the peer's addresses that were tried
     * @param challenges how many challenges were sent to them
     * @param endNs when a direct path was found, or the attempt ended otherwise; {@link mcc.core.Core#NEVER} before
     */
    public record Attempt(long atNs, List<Address> candidates, int challenges, long endNs, Outcome outcome) {}
}
