package mcc.tunnel;

/** One end of a flow of datagrams: a socket of this host, or a peer's stream. Used on one context. */
sealed interface FlowEnd permits FlowStream, UdpSocket {
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

    /**
     * Ends it.
     *
     * @param broken whether the other end shall think that something failed
     */
    void close(boolean broken);
}
