package mcc.dht;

import java.util.List;
import mcc.core.Id;

/**
 * What one lookup did, step by step.
 *
 * @param id counts the lookups of this node
 * @param tookMs from its start to its end
 * @param requests how many were sent
 * @param steps in the order in which they ended; at most 128
 */
public record Trace(long id, long tookMs, int requests, List<Step> steps) {
    /** Copies the list. */
    public Trace {
        steps = List.copyOf(steps);
    }

    /** How one request ended. */
    public enum Result {
        /** Answered; {@link Step#count} of the contacts were new to the lookup. */
        CLOSER,
        /** Answered with {@link Step#count} records. */
        VALUES,
        /** Not answered in time. */
        TIMEOUT,
        /** The links could not reach the peer. */
        UNREACHABLE
    }

    /**
     * One request.
     *
     * @param index from 0
     * @param atMs when it was sent, since the lookup's start
     * @param sharedBits leading bits that the peer's position shares with the target
     * @param count what {@code result} says
     * @param rttNs from request to answer, or to the end of waiting if there was none
     */
    public record Step(int index, long atMs, Id peer, int sharedBits, Result result, int count, long rttNs) {}
}
