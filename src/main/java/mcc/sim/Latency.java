package mcc.sim;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Core;
import mcc.core.Invariant;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.wire.Rpc;
import org.jspecify.annotations.Nullable;

/**
 * The links of one node at message fidelity: a message arrives after the latency between its two nodes, or never. A request
 * arrives only if one of the addresses that it is sent to is the receiver's.
 */
final class Latency implements LinkLayer {
    /** One message in this many passes through the real codec. */
    private static final int CODEC_EVERY = 64;
    /** Requests remembered until they are answered; the oldest gives way. */
    private static final int UNANSWERED_MAX = 64;
    /** How long real links try an address that does not answer. */
    private static final long DIAL_NS = 4 * World.SECOND;

    /** A request on its way, and when it was sent. */
    record Request(SimNode by, long sentNs, LinkOutput.Asked asked) {}

    private final World world;
    private final SimNode node;
    private @Nullable List<Request> unanswered;

    Latency(World world, SimNode node) {
        this.world = world;
        this.node = node;
    }

    @Override
    public void take(Object content) {
        switch (content) {
            case LinkInput input -> command(input);
            case Request request -> {
                if (unanswered == null) unanswered = new ArrayList<>(2);
                if (unanswered.size() == UNANSWERED_MAX) unanswered.removeFirst();
                unanswered.add(request);
                world.said(node, request.asked);
            }
            case LinkOutput output -> world.said(node, output);
            default -> throw new IllegalStateException("no links take " + content);
        }
    }

    @Override
    public long deadlineNs() {
        return Core.NEVER;
    }

    private void command(LinkInput input) {
        switch (input) {
            case LinkInput.Ask ask -> ask(ask);
            case LinkInput.Reply reply -> reply(reply);
            case LinkInput.Dial dial -> dial(dial);
            default -> {}
        }
    }

    private void ask(LinkInput.Ask ask) {
        SimNode to = world.network.find(ask.to());
        if (to == null || !world.network.carries(node, to)) return;
        Rpc rpc = coded(new Rpc(ask.call(), ask.request(), ask.leaf()));
        var asked = new LinkOutput.Asked(node.subject, node.address(), rpc.call(), rpc.body(), rpc.leaf());
        world.arrive(to, world.network.latencyNs(node, to), new Request(node, world.nowNs(), asked));
    }

    private void reply(LinkInput.Reply reply) {
        Request request = answered(reply);
        if (request == null) return;
        SimNode to = request.by;
        if (!world.network.carries(node, to)) return;
        Rpc rpc = coded(new Rpc(reply.call(), reply.answer(), reply.leaf()));
        long latencyNs = world.network.latencyNs(node, to);
        long rttNs = world.nowNs() + latencyNs - request.sentNs;
        world.arrive(
                to,
                latencyNs,
                new LinkOutput.Answered(node.id, node.address(), rpc.call(), rpc.body(), rttNs, rpc.leaf()));
    }

    private @Nullable Request answered(LinkInput.Reply reply) {
        if (unanswered == null) return null;
        for (int i = 0; i < unanswered.size(); i++) {
            Request request = unanswered.get(i);
            if (request.asked.call() != reply.call() || !request.by.id.equals(reply.to())) continue;
            unanswered.remove(i);
            if (unanswered.isEmpty()) unanswered = null;
            return request;
        }
        return null;
    }

    /** A first handshake takes three messages: the node that dialled knows the result after one round trip. */
    private void dial(LinkInput.Dial dial) {
        SimNode to = world.network.at(dial.to());
        if (to == null || !world.network.carries(node, to) || !world.network.carries(to, node)) {
            var not = new LinkOutput.NotDialled(dial.ticket(), dial.to(), LinkOutput.Reason.UNREACHABLE);
            world.arrive(node, DIAL_NS, not);
            return;
        }
        long rttNs = world.network.latencyNs(node, to) + world.network.latencyNs(to, node);
        world.arrive(node, rttNs, new LinkOutput.Dialled(dial.ticket(), to.id, dial.to()));
    }

    private Rpc coded(Rpc rpc) {
        if (world.countMessage() % CODEC_EVERY != 0) return rpc;
        byte[] bytes = Rpc.encode(rpc).toArray();
        Invariant.check(rpc.equals(Rpc.decode(bytes, 0, bytes.length, world.counters)), "what is sent is what arrives");
        return rpc;
    }
}
