package mcc.tunnel;

import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/** One end of a flow of datagrams: a socket of this host, or a peer's stream. Used on one context. */
interface FlowEnd {
    /** What an end tells, on its context. */
    interface Handler {
        void onDatagram(byte[] datagram);

        /**
         * No more will come, and nothing goes any more; once, and not after {@link #close}.
         *
         * @param broken whether something failed, rather than nobody wanting more
         */
        void onOver(boolean broken);
    }

    /** Begins to receive. */
    void start(Handler handler);

    /** Sends an array, which the caller must not touch again. Like any datagram it may be lost; that is counted. */
    void send(byte[] datagram);

    /** The node that it leads to; null for this one. */
    @Nullable
    Id peer();

    /** What was sent and has not left this host yet, in bytes. */
    long backlogBytes();

    /** How long nothing was heard of the other end though it had to say something; 0 while all is well. */
    long silentNs(long nowNs);

    /**
     * Ends it.
     *
     * @param broken whether the other end shall think that something failed
     */
    void close(boolean broken);
}
