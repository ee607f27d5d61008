package mcc.consortium;

/** What may be done with a thing. */
public enum Action {
    /** Learn that a service exists and who provides it. */
    SEE,
    /** Open a connection to it. */
    USE,
    /** Have a node carry packets for others. */
    RELAY,
    /** Have a node keep a record. */
    STORE,
    /** Make a node show that it is there, and where. */
    SIGNAL,
    /** Change how a node is run. */
    ADMINISTER
}
