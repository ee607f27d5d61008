package mcc.sim;

/** What plays the links of a node: the shipped links, or mere latency. */
sealed interface LinkLayer permits Latency, RealLinks {
    /** Takes an input of the links, or what arrived from the network. */
    void take(Object content);

    /** When the next tick is due. */
    long deadlineNs();
}
