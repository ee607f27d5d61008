package mcc.dht;

import mcc.core.Id;
import mcc.wire.Contact;

/**
 * A request in flight.
 *
 * @param position the asked node's position in the key space
 */
record Call(Contact to, Id position, Use use) {
    /** What its answer is for. */
    sealed interface Use {
        /** A step of a lookup. */
        record Step(Lookup lookup, Lookup.Peer peer) implements Use {}

        /** A further page of a holder's records. */
        record Page(Lookup lookup, int page) implements Use {}

        /** Whether the node is there. */
        record Check() implements Use {}

        /** Whether the node keeps a record of ours. */
        record Place(Publication publication, int round, int attempt) implements Use {}

        /** Whether the node still holds a record of ours. */
        record Renew(Publication publication, int round) implements Use {}
    }
}
