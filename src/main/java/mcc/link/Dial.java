package mcc.link;

import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.session.Handshake;
import mcc.session.Session;
import org.jspecify.annotations.Nullable;

/**
 * A first contact with an address whose key is unknown: Noise XX, seen from the initiator.
 *
 * <p>Sent → (response) → finishing → (first transport packet) → done; each step is repeated until its answer comes. Where the
 * response comes from a peer with a link: sent → (response) → calling it by its key → (keys) → done.
 */
final class Dial {
    final long ticket;
    final Address to;
    /** The local end that the answer came to. */
    int local = PacketSink.ANY;

    int index;

    @Nullable
    Handshake handshake;

    byte @Nullable [] mac1;
    byte @Nullable [] cookie;
    int attempts;
    long nextNs;
    /** The third message, repeated until the responder speaks with the new keys. */
    byte @Nullable [] last;

    /** Who answered. */
    @Nullable
    Subject peer;

    @Nullable
    Hello hello;

    @Nullable
    Link link;

    @Nullable
    Session session;

    /** Whether the peer turned out to have a link already, so that this node now calls it by its key. */
    boolean isCalling() {
        return link != null && session == null;
    }

    Dial(long ticket, Address to) {
        this.ticket = ticket;
        this.to = to;
    }
}
