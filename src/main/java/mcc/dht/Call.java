package mcc.dht;

import mcc.core.Id;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/** A request in flight. */
final class Call {
    /** What the answer to a request is used for. */
    sealed interface Use {
        /** A step of a lookup. */
        record Step(Lookup lookup, Lookup.Peer peer) implements Use {}

        /** A further page of a holder's records. */
        record Page(Lookup lookup, int page) implements Use {}

        /** To learn whether the node is still there. */
        record Check() implements Use {}

        /** To store a record of ours at the node. */
        record Place(Publication publication, int round, int attempt) implements Use {}

        /** To send the node a heartbeat of a record of ours. */
        record Renew(Publication publication, int round) implements Use {}
    }

    final long number;
    final Contact to;
    /** The asked node's position in the key space. */
    final Id position;

    final Use use;
    final long sentNs;
    /** When it counts as failed if there was no answer. */
    final long failsNs;
    /** The planned task of this request: to count it as slow, or as failed. */
    Agenda.@Nullable Planned next;

    Call(long number, Contact to, Id position, Use use, long sentNs, long failsNs) {
        this.number = number;
        this.to = to;
        this.position = position;
        this.use = use;
        this.sentNs = sentNs;
        this.failsNs = failsNs;
    }
}
