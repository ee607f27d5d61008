package mcc.sim;

/** What stands at the mailbox of a node's links: the links themselves, or nothing but latency. */
sealed interface LinkLayer permits Latency, RealLinks {
    /** Takes an input of the links, or what the network brought. */
    void take(Object content);

    /** When a tick is due. */
    long deadlineNs();
}
