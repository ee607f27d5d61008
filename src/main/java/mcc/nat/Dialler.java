package mcc.nat;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/**
 * Sends dial-backs for peers that ask: one small datagram to an address of the asker's own IP, as this node sees it on its link.
 * The request is longer than all that it causes.
 *
 * <p>Limits: one datagram to an address in {@link #AGAIN_NS}, {@link #TARGETS_MAX} addresses remembered, rates of each asker and
 * of all, {@link #OPENING_MAX} ephemeral ends being opened.
 */
final class Dialler {
    static final long AGAIN_NS = 10_000_000_000L;
    static final int TARGETS_MAX = 1_024;
    /** Dial-backs per second, and at once after a pause: of one asker, and of all. */
    private static final int ASKER_PER_SECOND = 1;

    static final int ASKER_AT_ONCE = 12;
    private static final int ALL_PER_SECOND = 20;
    static final int ALL_AT_ONCE = 100;
    static final int OPENING_MAX = 16;
    /** An end is open long enough for its datagram to leave. */
    private static final long CLOSE_NS = 500_000_000L;

    private static final long OPEN_NS = 2_000_000_000L;

    private record Opening(Id asker, long call, Message.DialBack what, long diesNs) {}

    private record Open(int end, long closesNs) {}

    private final Counters counters;
    private final Consumer<Nat.Output> out;
    private final RateLimit<Id> askers = new RateLimit<>(ASKER_PER_SECOND, ASKER_AT_ONCE, TARGETS_MAX);
    private final RateLimit<Boolean> all = new RateLimit<>(ALL_PER_SECOND, ALL_AT_ONCE, 1);
    private final Map<Address, Long> targets = new LinkedHashMap<>();
    private final Map<Long, Opening> opening = new HashMap<>(); // looked up, never iterated but to forget
    private final ArrayDeque<Open> open = new ArrayDeque<>();

    Dialler(Counters counters, Consumer<Nat.Output> out) {
        this.counters = counters;
        this.out = out;
    }

    /**
     * A peer asks.
     *
     * @param at the address at which this node sees the asker
     * @param ticket to open an ephemeral end with, if one is needed
     */
    void asked(long nowNs, Id asker, Address at, long call, Message.DialBack what, long ticket) {
        counters.add("nat.dialback.asked");
        Message.Dialed refused = refused(nowNs, asker, at, what);
        if (refused != null) {
            counters.add(refused == Message.Dialed.BUSY ? "nat.dialback.limited" : "nat.dialback.refused");
            reply(asker, call, refused);
        } else if (what.otherPort()) {
            opening.put(ticket, new Opening(asker, call, what, nowNs + OPEN_NS));
            out.accept(new Nat.Output.OpenEnd(ticket, what.target().isV4()));
        } else {
            send(asker, Nat.MAIN, call, what);
        }
    }

    private Message.@Nullable Dialed refused(long nowNs, Id asker, Address at, Message.DialBack what) {
        if (!what.target().sameIp(at)) return Message.Dialed.REFUSED;
        forget(nowNs);
        boolean room = targets.size() < TARGETS_MAX && (!what.otherPort() || opening.size() < OPENING_MAX);
        if (!room || targets.containsKey(what.target())) return Message.Dialed.BUSY;
        if (!askers.take(nowNs, asker) || !all.take(nowNs, true)) return Message.Dialed.BUSY;
        targets.put(what.target(), nowNs);
        return null;
    }

    private void send(Id asker, int end, long call, Message.DialBack what) {
        counters.add("nat.dialback.sent");
        out.accept(new Nat.Output.DialBack(asker, end, what.target(), what.nonce()));
        reply(asker, call, Message.Dialed.SENT);
    }

    private void reply(Id asker, long call, Message.Dialed result) {
        out.accept(new Nat.Output.Reply(asker, call, new Message.DialedBack(result)));
    }

    /** An ephemeral end was opened; false when it is none of this. */
    boolean opened(long nowNs, long ticket, int end) {
        Opening o = opening.remove(ticket);
        if (o == null) return false;
        open.add(new Open(end, nowNs + CLOSE_NS));
        send(o.asker, end, o.call, o.what);
        return true;
    }

    void notOpened(long ticket) {
        Opening o = opening.remove(ticket);
        if (o != null) reply(o.asker, o.call, Message.Dialed.BUSY);
    }

    void tick(long nowNs) {
        while (!open.isEmpty() && open.getFirst().closesNs <= nowNs) {
            out.accept(new Nat.Output.CloseEnd(open.removeFirst().end));
        }
        opening.values().removeIf(o -> o.diesNs <= nowNs);
        forget(nowNs);
    }

    /** The ends went with the sockets. */
    void reset() {
        open.clear();
        opening.clear();
    }

    long deadlineNs() {
        long next = open.isEmpty() ? Core.NEVER : open.getFirst().closesNs;
        for (Opening o : opening.values()) next = Math.min(next, o.diesNs);
        return next;
    }

    private void forget(long nowNs) {
        for (Iterator<Long> it = targets.values().iterator(); it.hasNext(); ) {
            if (nowNs - it.next() < AGAIN_NS) return;
            it.remove();
        }
    }
}
