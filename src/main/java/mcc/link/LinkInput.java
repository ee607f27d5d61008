package mcc.link;

import java.util.List;
import mcc.consortium.PolicyEpoch;
import mcc.core.Address;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;

/** What other cores may ask of the links. */
public sealed interface LinkInput {
    /**
     * Ask {@code to}. Answered by {@link LinkOutput.Answered}, or by {@link LinkOutput.Unanswered} if the peer cannot be
     * reached. If its answer is lost nothing comes, so the asker keeps a deadline of its own.
     *
     * @param call drawn by the asking core
     * @param leaf whether to tell that strangers do not reach this node
     */
    record Ask(Contact to, long call, Message request, boolean leaf) implements LinkInput {
        /** Without a word about that. */
        public Ask(Contact to, long call, Message request) {
            this(to, call, request, false);
        }
    }

    /** Forget an {@link Ask}, whose answer nobody waits for any longer, and the handshake that only it needed. */
    record Cancel(Id peer, long call) implements LinkInput {}

    /**
     * Answer what {@code to} asked.
     *
     * @param call the one in {@link LinkOutput.Asked}
     * @param leaf whether to tell that strangers do not reach this node
     */
    record Reply(Id to, long call, Message answer, boolean leaf) implements LinkInput {
        /** Without a word about that. */
        public Reply(Id to, long call, Message answer) {
            this(to, call, answer, false);
        }
    }

    /**
     * Make first contact with an address whose key is unknown. Answered by {@link LinkOutput.Dialled} or {@link
     * LinkOutput.NotDialled}.
     */
    record Dial(long ticket, Address to) implements LinkInput {}

    /**
     * Send one sealed datagram beside the paths: it makes no path, and nothing follows from its loss. Dropped and counted
     * without keys for the peer, and where the peer does not know this kind.
     *
     * @param local the end to send it from; {@link PacketSink#ANY} for that of the path in use
     * @param nonce what its receiver recognises it by
     */
    record Probe(Id peer, int local, Address to, Kind kind, long nonce) implements LinkInput {
        /** What it is for. */
        public enum Kind {
            /** From where does this come? Answered by {@link LinkOutput.Echoed}. */
            ECHO,
            /** What the peer asked for; it gets {@link LinkOutput.DialledBack}. */
            DIAL_BACK
        }
    }

    /** A core that follows peers was started again: report again who is up, by {@link LinkOutput.Stands}. */
    record Tell() implements LinkInput {}

    /** The policy from now on: every link is judged again. An epoch older than the one in force is ignored. */
    record NewPolicy(PolicyEpoch epoch) implements LinkInput {}

    /**
     * Relay between two peers from now on.
     *
     * @param token the circuit's number for {@code peer}; both numbers are random and not 0
     * @param bytesPerSecond of both directions together; 0 for no limit
     */
    record Bind(Id peer, long token, Id other, long otherToken, long bytesPerSecond) implements LinkInput {}

    /**
     * Challenge a peer that relays reach at another address of its, so that its NAT, and that of this node, let in what the other
     * sends. Within what may go to an address that nobody proved.
     *
     * @param local the end to send it from; {@link PacketSink#ANY} for a main one
     * @param manner how far it is to go, and on which account
     */
    record Knock(Id peer, Address at, int local, mcc.core.Knock manner) implements LinkInput {}

    /** Relay no longer by the circuit with this number for either end. */
    record Unbind(long token) implements LinkInput {}

    /** A relay made a circuit to {@code peer}, at this node's request. */
    record Way(Id peer, Id relay, long token) implements LinkInput {}

    /** A relay, asked by somebody who wants to reach this node, makes a circuit that ends here, with a number drawn here. */
    record Take(Id relay, long token) implements LinkInput {}

    /** Somebody has as many circuits here as one may have: relay no longer by that which was used least recently, if it rests. */
    record Spare(Id asker) implements LinkInput {}

    /** A carrier to a peer is open, or open again: shake hands there. */
    record Carried(Id peer, Address carrier) implements LinkInput {}

    /** A carrier ended: what it led to is not reached by it any longer. */
    record CarrierEnded(Address carrier) implements LinkInput {}

    /** Challenge a peer at all its addresses, to see whether it is reached without a carrier. */
    record TryAddresses(Id peer) implements LinkInput {}

    /** This node keeps places at these relays and no others: they may bring circuits that others asked for. */
    record Welcome(List<Id> relays) implements LinkInput {}

    /** Tell all peers, though they may know, what this node offers beside what it always does: {@link mcc.wire.Capabilities}. */
    record Offer(long capabilities) implements LinkInput {}

    /** The wall clock, in milliseconds since 1970; to be told at the start and about once a minute. */
    record WallClock(long epochMs) implements LinkInput {}

    /** Say goodbye to every peer and forget them. */
    record Shutdown() implements LinkInput {}

    /** Time has passed. A tick that comes early does nothing. */
    record Tick() implements LinkInput {}
}
