package mcc.core;

/** How a challenge goes to an address where a peer may be. */
public enum Knock {
    /** To the peer. */
    PLAIN,
    /** Past this node's own NAT, not as far as the peer's: it only opens the way for what comes from there. */
    SHORT,
    /** One of hundreds to ports of one address, of which one meets the peer. */
    GUESS,
    /** {@link #SHORT}, one of hundreds from ends of this node. */
    SPREAD;

    /** Whether it must not reach the peer's NAT. */
    public boolean isShort() {
        return this == SHORT || this == SPREAD;
    }

    /** Whether there are hundreds. */
    public boolean isOfMany() {
        return this == GUESS || this == SPREAD;
    }
}
