package mcc.consortium;

/** What may be done with a thing. */
public enum Action {
    /** Learn that a service exists and who provides it. */
    SEE,
    /** Open a connection to it: to a service, or to a port of a node's host by the virtual interface. */
    USE,
    /** Have a node carry packets for others. */
    RELAY,
    /** Have a node keep a record. */
    STORE,
    /** Make a node show that it is there, and where. */
    SIGNAL,
    /** Have a node take bytes for nothing, to see how many a second reach it. */
    MEASURE,
    /** Change how a node is run. */
    ADMINISTER
}
