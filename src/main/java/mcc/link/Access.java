package mcc.link;

import java.util.Arrays;
import mcc.consortium.Action;
import mcc.consortium.DecisionPoint;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Question;
import mcc.consortium.Subject;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.crypto.Ed25519;
import mcc.link.LinkOutput.Reason;
import mcc.session.Handshake;
import org.jspecify.annotations.Nullable;

/**
 * Who may have a link with this node, whichever end begins it. Makes a {@link Subject} of the peer that a handshake proved, or
 * whose key it is begun with, and no other class does; asks the policy about it; and in each new epoch asks again about every
 * link.
 */
final class Access {
    private final Links links;
    private final DecisionPoint policy;
    private final Counters counters;

    Access(Links links, Counters counters) {
        this.links = links;
        this.counters = counters;
        policy = new DecisionPoint(counters);
    }

    /** Who the peer is: the identity that it claims, if it is a valid key and the handshake's static key is derived from it. */
    @Nullable
    Subject proven(byte[] claimed, Handshake handshake) {
        Id peer = Id.of(claimed);
        byte[] expected = Ed25519.toX25519(peer);
        boolean sound = expected != null && Arrays.equals(expected, handshake.remoteStatic());
        return sound && !peer.equals(links.identity.id()) ? Subject.of(peer) : null;
    }

    /** Whether this peer may know that this node is there, and so have a link with it. */
    boolean admits(long nowNs, Subject peer) {
        Question.Thing here = new Question.Thing.Node(Policy.OPEN, links.identity.id());
        return policy.allows(new Question(peer, Action.SIGNAL, here, links.epochMs(nowNs)));
    }

    /**
     * Whether this node may begin a handshake with the peer of a link, which is asked before anything is sent: only the holder
     * of the peer's key can read an initiation of Noise IK, so whom it reaches is known.
     */
    boolean admits(long nowNs, Link link) {
        return admits(nowNs, link.subject == null ? Subject.of(link.peer) : link.subject);
    }

    /** Takes a new policy: ends the links and handshakes that it does not allow. */
    void govern(long nowNs, PolicyEpoch epoch) {
        if (!policy.take(epoch)) return;
        links.responder.judgeAgain(nowNs);
        links.dialer.judgeAgain(nowNs);
        int ended = 0;
        for (Link link : links.table.snapshot()) {
            if (admits(nowNs, link)) continue;
            links.end(nowNs, link, Reason.DENIED);
            if (link.subject != null) ended++;
        }
        if (ended == 0) return;
        counters.of("policy.ended.links").add(ended);
        links.output(new LinkOutput.PolicyEnded(epoch.number(), ended));
    }
}
