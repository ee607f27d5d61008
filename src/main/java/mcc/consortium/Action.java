package mcc.consortium;

/** What may be done with a thing. */
public enum Action {
    /** Learn that a service exists and who provides it. */
    SEE,
    /** Open a connection: to a service, or through the virtual interface to a port of a node's host. */
    USE,
    /** Have a node carry packets for others. */
    RELAY,
    /** Have a node keep a record. */
    STORE,
    /** Make a node reveal that it is there, and where. */
    SIGNAL,
    /** Have a node receive and discard bytes, to measure the throughput. */
    MEASURE,
    /** Change how a node is run. */
    ADMINISTER
}
