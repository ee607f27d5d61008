package mcc.link;

/** Why a path is used from some moment on. */
public enum PathCause {
    /** A handshake went through by it. */
    HANDSHAKE,
    /** The one before it was silent or gone, and this one was heard. */
    SILENCE,
    /** Nothing that was sent by the one before was answered any longer. */
    FAILED,
    /** It is faster than the one before, or needs no relay. */
    BETTER,
    /** The circuit before it ended: its relay is gone, or gave it up. */
    CIRCUIT_ENDED,
    /** The carrier before it ended: its connection broke, or it is not needed any longer. */
    CARRIER_ENDED,
    /** No address answered any longer. */
    UNREACHABLE,
    /** The peer said goodbye. */
    CLOSED,
    /** Nothing was sent or heard for a long time. */
    IDLE,
    /** The peer proved another identity, or none. */
    REFUSED,
    /** The policy does not allow it. */
    DENIED,
    /** A limit of this node was reached. */
    OVERLOADED
}
