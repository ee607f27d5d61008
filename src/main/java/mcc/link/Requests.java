package mcc.link;

import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.link.LinkOutput.Reason;
import mcc.wire.FramesWriter;
import mcc.wire.Rpc;
import mcc.wire.Transport;

/**
 * Requests to peers and their answers, each in one message. Without keys a request waits for a handshake, whose first packet
 * may carry it.
 */
final class Requests {
    private final Links links;
    private final byte[] plain;
    private final Counters counters;

    Requests(Links links, byte[] plain, Counters counters) {
        this.links = links;
        this.plain = plain;
        this.counters = counters;
    }

    void ask(long nowNs, LinkInput.Ask a) {
        Link link = links.link(nowNs, a.to());
        if (link == null) {
            links.output(new LinkOutput.Unanswered(a.to().node(), a.call(), Reason.REFUSED));
            return;
        }
        if (link.calls.size() >= Link.CALLS_MAX) {
            link.calls.remove(link.calls.keySet().iterator().next());
        }
        link.calls.put(a.call(), nowNs);
        Bytes message = Rpc.encode(new Rpc(a.call(), a.request(), a.leaf()));
        if (link.canSend(nowNs)) {
            if (!link.connection.send(message)) {
                links.output(new LinkOutput.Unanswered(link.peer, a.call(), Reason.OVERLOADED));
                return;
            }
            links.expect(nowNs, link);
        } else {
            if (link.waiting.size() >= Link.WAITING_MAX) {
                counters.add("link.waiting.dropped");
                Link.Waiting old = link.waiting.removeFirst();
                links.output(new LinkOutput.Unanswered(link.peer, old.call(), Reason.OVERLOADED));
            }
            link.waiting.add(new Link.Waiting(a.call(), message));
            links.initiator.begin(nowNs, link);
        }
        links.touch(link);
        links.schedule(link);
    }

    void reply(long nowNs, LinkInput.Reply r) {
        Bytes message = Rpc.encode(new Rpc(r.call(), r.answer(), r.leaf()));
        Link link = links.find(r.to());
        // A peer that asked in its handshake may have no other keys, as after a restart: those of the link would be
        // from its earlier run.
        Responder.Pending pending = links.responder.early(r.to(), r.call());
        if (pending == null && link != null && link.canSend(nowNs)) {
            link.connection.send(message);
            links.touch(link);
            links.schedule(link);
            return;
        }
        if (pending == null || pending.session == null) {
            counters.add("link.reply.no-session");
            return;
        }
        FramesWriter writer = new FramesWriter();
        writer.begin(plain, 0, plain.length);
        writer.message(message);
        int n = writer.length();
        byte[] datagram = new byte[n + Transport.OVERHEAD_BYTES];
        if (datagram.length > pending.budgetBytes) {
            counters.add("link.early.over-budget");
            return;
        }
        pending.earlyCall = -1;
        pending.session.seal(Transport.FRAMES, plain, 0, n, datagram, 0);
        links.post(pending.local, pending.from, datagram);
    }

    /** Takes a message of a peer: a request, or the answer to one. */
    void onMessage(long nowNs, Link link, Bytes body) {
        Rpc rpc = Rpc.decode(body.toArray(), 0, body.size(), counters);
        if (rpc == null || link.path == null) return;
        Address at = link.path.remote;
        if (rpc.body().isRequest()) {
            links.asked(link.subject(), at, rpc);
            return;
        }
        Long asked = link.calls.remove(rpc.call());
        if (asked == null) {
            counters.add("link.answer.unasked");
            return;
        }
        long rttNs = nowNs - asked;
        link.answered(asked, nowNs);
        links.output(new LinkOutput.Answered(link.peer, at, rpc.call(), rpc.body(), rttNs, rpc.leaf()));
    }
}
