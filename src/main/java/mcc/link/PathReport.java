package mcc.link;

import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * What became of the paths to one peer, for people who ask why its path is what it is. Times are monotonic.
 *
 * @param linked whether there is a link to it now
 * @param observed the address at which the peer last saw this node; null if it did not say
 * @param capabilities what the peer does ({@link mcc.wire.Capabilities}); 0 without a link
 * @param changes the path that was used from each moment on, oldest first
 * @param tries the addresses that were tried, the one tried least recently first
 * @param dropped how many changes and addresses gave way to newer ones
 */
public record PathReport(
        boolean linked,
        @Nullable Address observed,
        long capabilities,
        List<Change> changes,
        List<Try> tries,
        long dropped) {
    /**
     * From {@code atNs} on packets go this way.
     *
     * @param kind {@code lan}, {@code direct} or {@code relay}; {@code none} when there is no way any longer
     * @param at the peer's address; null for a relay, and for none
     * @param relay null where there is none on the way
     * @param rttNs of the path when it was taken; 0 while unknown
     */
    public record Change(
            long atNs,
            String kind,
            @Nullable Address at,
            @Nullable Id relay,
            PathCause cause,
            long rttNs) {}

    /** What is known of an address that was tried. */
    public enum State {
        /** Packets go there. */
        IN_USE,
        /** It answered, and is kept. */
        STANDBY,
        /** It answered once; since then it was not tried again. */
        ANSWERED,
        /** An answer is awaited. */
        WAITING,
        /** It did not answer. */
        SILENT
    }

    /**
     * An address that was tried, or a relay.
     *
     * @param at null for a relay
     * @param times how many handshakes and challenges went there
     * @param answeredNs when it answered last; {@link mcc.core.Core#NEVER} if it never did
     * @param rttNs the round trip of a challenge there; 0 while unknown
     */
    public record Try(
            State state,
            @Nullable Address at,
            @Nullable Id relay,
            int times,
            long firstNs,
            long lastNs,
            long answeredNs,
            long rttNs) {}
}
