package mcc.link;

import java.util.List;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/** What the links report to other cores. */
public sealed interface LinkOutput {
    /**
     * A request of an authenticated peer; to be answered by {@link LinkInput.Reply}.
     *
     * @param leaf whether it says that strangers do not reach it
     */
    record Asked(Subject from, Address at, long call, Message request, boolean leaf) implements LinkOutput {
        /** Of a peer that does not say so. */
        public Asked(Subject from, Address at, long call, Message request) {
            this(from, at, call, request, false);
        }
    }

    /**
     * The answer to an {@link LinkInput.Ask}.
     *
     * @param rttNs from the sending of the request to its answer, in nanoseconds
     * @param leaf whether the peer says that strangers do not reach it
     */
    record Answered(Id from, Address at, long call, Message answer, long rttNs, boolean leaf) implements LinkOutput {
        /** Of a peer that does not say so. */
        public Answered(Id from, Address at, long call, Message answer, long rttNs) {
            this(from, at, call, answer, rttNs, false);
        }
    }

    /** An {@link LinkInput.Ask} that will not be answered. */
    record Unanswered(Id to, long call, Reason reason) implements LinkOutput {}

    /**
     * The link to {@code node} is up: it has a session.
     *
     * @param at where the node is reached; a circuit where only relays reach it
     * @param capabilities what it offers to do
     */
    record Up(Subject node, Address at, long capabilities) implements LinkOutput {}

    /**
     * The link uses another path now.
     *
     * @param at an address, or a circuit
     * @param local this node's end of it
     */
    record Moved(Subject node, Address at, int local, long capabilities) implements LinkOutput {}

    /** A peer tells what it offers to do; if it is what it told before, the part of it that does so was started again. */
    record Offers(Subject node, Address at, long capabilities) implements LinkOutput {}

    /**
     * There is no path to {@code node} yet, or no longer, and no circuit by these relays, one of which is asked for.
     *
     * @param addresses where a relay of this node may reach it, if this node itself has nothing but a carrier; else empty
     */
    record WayWanted(Id node, List<Contact> relays, List<Address> addresses) implements LinkOutput {}

    /** A circuit that was relayed here ended, after so many bytes. */
    record Unbound(long token, long otherToken, long bytes) implements LinkOutput {}

    /**
     * The link to {@code node} is still up: the answer to {@link LinkInput.Tell}.
     *
     * @param self the address at which {@code node} last saw this one; null if it did not say
     * @param local the local end that {@code node} talks to
     * @param sinceNs as in {@link Observed}
     */
    record Stands(Subject node, Address at, @Nullable Address self, int local, long sinceNs, long capabilities)
            implements LinkOutput {}

    /** The link to {@code node} is down. */
    record Down(Id node, Reason reason) implements LinkOutput {}

    /**
     * The peer {@code by}, at the address {@code at}, sees this node at the address {@code self}.
     *
     * @param local the local end that the peer talks to
     * @param sinceNs when this node first sent to that IP address, and so when a NAT made the mapping
     */
    record Observed(Id by, Address at, Address self, int local, long sinceNs) implements LinkOutput {}

    /** The peer {@code by} got an echo from {@code local} and says that it came from {@code self}. */
    record Echoed(Id by, int local, long nonce, Address self) implements LinkOutput {}

    /** The peer {@code by} sent a dial-back, which came from {@code from} to {@code local}. */
    record DialledBack(Id by, Address from, int local, long nonce) implements LinkOutput {}

    /** A peer at an IP address to which no main end has sent anything for minutes made first contact, and proved itself. */
    record Unsolicited(Id by, Address from) implements LinkOutput {}

    /** First contact was made: {@code node} answers at {@code at}. */
    record Dialled(long ticket, Id node, Address at) implements LinkOutput {}

    /** First contact was not made. */
    record NotDialled(long ticket, Address to, Reason reason) implements LinkOutput {}

    /** The peer opened a stream. */
    record StreamOpened(Subject peer, Stream stream) implements LinkOutput {}

    /** What becomes of streams that are open. */
    sealed interface OfStream extends LinkOutput {}

    /** A datagram of the flow that a stream opened. */
    record StreamDatagram(Stream stream, Bytes data) implements OfStream {}

    /** A stream has bytes, or its end, to read. */
    record StreamReadable(Id peer, Stream stream) implements OfStream {}

    /** A stream that did not take all of a write takes bytes again. */
    record StreamWritable(Stream stream) implements OfStream {}

    /** The peer reset a stream; it is forgotten. */
    record StreamReset(Stream stream, int code) implements OfStream {}

    /** The peer is gone or lost its state: none of its streams exists any more. */
    record StreamsLost(Id peer) implements OfStream {}

    /** A stream ended in both directions; it is forgotten. */
    record StreamFinished(Stream stream) implements OfStream {}

    /** A new policy ended this many links. */
    record PolicyEnded(long epoch, int links) implements LinkOutput {}

    /** Why a peer is gone or was not reached. */
    enum Reason {
        /** No address answered. */
        UNREACHABLE,
        /** The peer said goodbye. */
        CLOSED,
        /** Nothing was sent or heard for a long time. */
        IDLE,
        /** The peer proved another identity, or none. */
        REFUSED,
        /** The policy does not allow it, or no longer does. */
        DENIED,
        /** A limit of this node was reached. */
        OVERLOADED
    }
}
