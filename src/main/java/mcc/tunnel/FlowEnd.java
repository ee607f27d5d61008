package mcc.tunnel;

import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/** One end of a flow of datagrams: a socket of this host, or a peer's stream. Used on one context. */
interface FlowEnd {
    /** Is told what happens at an end, on the end's context. */
    interface Handler {
        void onDatagram(byte[] datagram);

        /**
         * The flow has ended in both directions; called once, and not after {@link #close}.
         *
         * @param broken whether it failed, rather than ended in order
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

    /** How long the other end has been silent though an answer is due; 0 while all is well. */
    long silentNs(long nowNs);

    /**
     * Ends it.
     *
     * @param broken whether the other end is told that it failed
     */
    void close(boolean broken);
}
