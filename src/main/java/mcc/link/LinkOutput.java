package mcc.link;

import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/** What the links report to other cores. */
public sealed interface LinkOutput {
    /** An authenticated peer asks; to be answered by {@link LinkInput.Reply}. */
    record Asked(Subject from, Address at, long call, Message request) implements LinkOutput {}

    /**
     * The answer to an {@link LinkInput.Ask}.
     *
     * @param rttNs from the sending of the request to its answer, in nanoseconds
     */
    record Answered(Id from, Address at, long call, Message answer, long rttNs) implements LinkOutput {}

    /** An {@link LinkInput.Ask} that will not be answered. */
    record Unanswered(Id to, long call, Reason reason) implements LinkOutput {}

    /** A session with {@code node} stands. */
    record Up(Subject node, Address at) implements LinkOutput {}

    /**
     * A session with {@code node} stands, as was told before: the answer to {@link LinkInput.Tell}.
     *
     * @param self from which address {@code node} heard this one last; null where it did not say
     */
    record Stands(Subject node, Address at, @Nullable Address self) implements LinkOutput {}

    /** The session with {@code node} is gone. */
    record Down(Id node, Reason reason) implements LinkOutput {}

    /** {@code by}, which is at {@code at}, says from which address it hears this node. */
    record Observed(Id by, Address at, Address self) implements LinkOutput {}

    /** First contact was made: {@code node} answers at {@code at}. */
    record Dialled(long ticket, Id node, Address at) implements LinkOutput {}

    /** First contact was not made. */
    record NotDialled(long ticket, Address to, Reason reason) implements LinkOutput {}

    /** The peer opened a stream. */
    record StreamOpened(Subject peer, long stream) implements LinkOutput {}

    /** A datagram of the flow that a stream opened. */
    record StreamDatagram(Subject peer, long stream, Bytes data) implements LinkOutput {}

    /** A stream has bytes, or its end, to read. */
    record StreamReadable(Id peer, long stream) implements LinkOutput {}

    /** A stream on which a write fell short takes bytes again. */
    record StreamWritable(Id peer, long stream) implements LinkOutput {}

    /** A stream was broken off by the peer; it is forgotten. */
    record StreamReset(Id peer, long stream, int code) implements LinkOutput {}

    /** The peer is gone or lost its state: none of its streams exists any more. */
    record StreamsLost(Id peer) implements LinkOutput {}

    /** A stream ended in both directions; it is forgotten. */
    record StreamFinished(Id peer, long stream) implements LinkOutput {}

    /** A new epoch of the policy ended so many links. */
    record PolicyEnded(long epoch, int links) implements LinkOutput {}

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
        /** The policy does not allow it, or not any longer. */
        DENIED,
        /** A limit of ours was reached. */
        OVERLOADED
    }
}
