package mcc.dht;

import mcc.core.Id;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/** A request in flight. */
final class Call {
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

    final long number;
    final Contact to;
    /** The asked node's position in the key space. */
    final Id position;

    final Use use;
    /** When it has failed. */
    final long failsNs;
    /** What comes next of it: that it is slow, or that it has failed. */
    Agenda.@Nullable Planned next;

    Call(long number, Contact to, Id position, Use use, long failsNs) {
        this.number = number;
        this.to = to;
        this.position = position;
        this.use = use;
        this.failsNs = failsNs;
    }
}
