package mcc.link;

import mcc.session.Session;

/** What a receiver index of this node stands for. */
sealed interface Slot {
    /** An initiation of this node that waits for its response. */
    record Initiating(Link link) implements Slot {}

    /** A first contact by address that waits for its response. */
    record Dialing(Dial dial) implements Slot {}

    /** A response of this node that waits for the initiator's first transport packet. */
    record Responding(Responder.Pending pending) implements Slot {}

    /** Keys in use. */
    record Established(Link link, Session session) implements Slot {}
}
