package mcc.link;

import mcc.core.Address;
import mcc.core.Id;
import mcc.wire.Message;

/** What the links report to other cores. */
public sealed interface LinkOutput {
    /** An authenticated peer asks; to be answered by {@link LinkInput.Reply}. */
    record Asked(Id from, Address at, long call, Message request) implements LinkOutput {}

    /**
     * The answer to an {@link LinkInput.Ask}.
     *
     * @param rttNs from the sending of the request to its answer, in nanoseconds
     */
    record Answered(Id from, Address at, long call, Message answer, long rttNs) implements LinkOutput {}

    /** An {@link LinkInput.Ask} that will not be answered. */
    record Unanswered(Id to, long call, Reason reason) implements LinkOutput {}

    /** A session with {@code node} stands. */
    record Up(Id node, Address at) implements LinkOutput {}

    /** The session with {@code node} is gone. */
    record Down(Id node, Reason reason) implements LinkOutput {}

    /** Why a peer is gone or was not reached. */
    enum Reason {
        /** No address answered. */
        UNREACHABLE,
        /** The peer said goodbye. */
        CLOSED,
        /** Nothing was sent or heard for long. */
        IDLE,
        /** The peer proved another identity, or none. */
        REFUSED,
        /** A limit of ours was reached. */
        OVERLOADED
    }
}
