package mcc.dht;

import java.util.HashMap;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/** The requests in flight, each with the times at which it counts as slow and as failed. */
final class Calls {
    private final Shared shared;
    private final HashMap<Long, Call> pending = new HashMap<>(); // Looked up, never iterated.
    private long next;

    Calls(Shared shared) {
        this.shared = shared;
        next = shared.rng.nextInt() & 0xffff_ffffL;
    }

    /** Sends a request; false, counted, when too many are in flight. */
    boolean ask(Contact to, Id position, Message request, Call.Use use) {
        if (pending.size() >= shared.config.limits().calls()) {
            shared.counters.add("dht.callsFull");
            return false;
        }
        long number = next++;
        Entry entry = shared.table.find(position);
        long slowNs = shared.rtts.slowNs();
        long timeoutNs = shared.rtts.timeoutNs();
        boolean measured = false;
        if (entry != null && entry.srttNs > 0) {
            measured = true;
            slowNs = entry.srttNs + 2 * entry.rttvarNs;
            timeoutNs = shared.rtts.clamp(entry.srttNs + Math.max(4 * entry.rttvarNs, entry.srttNs / 4));
        }
        if (isPatient(use)) {
            // Somebody waits for a lookup, so a peer whose round trip is known gets only twice its usual time-out.
            boolean enough = measured && use instanceof Call.Use.Step;
            timeoutNs = enough ? shared.rtts.clamp(2 * timeoutNs) : shared.config.maxTimeoutNs();
        }
        Call call = new Call(number, to, position, use, shared.nowNs, shared.nowNs + timeoutNs);
        pending.put(number, call);
        if (use instanceof Call.Use.Step step) step.peer().call = number;
        boolean slows = slowNs < timeoutNs && use instanceof Call.Use.Step;
        call.next = slows
                ? shared.agenda.add(shared.nowNs + slowNs, new Agenda.Task.Slow(call))
                : shared.agenda.add(call.failsNs, new Agenda.Task.Timeout(call));
        shared.emit(new Dht.Output.Ask(to, number, request, shared.leaf));
        return true;
    }

    /**
     * Whether a request gets the longest time-out: one that is sent for the second time, or that decides whether the peer
     * stays in the table. A peer that is merely farther away than the others would miss an adaptive time-out every time.
     */
    private static boolean isPatient(Call.Use use) {
        return switch (use) {
            case Call.Use.Step step -> step.peer().asks > 1;
            case Call.Use.Page _ -> false;
            case Call.Use.Check _ -> true;
            case Call.Use.Place place -> place.attempt() > 1;
            case Call.Use.Renew _ -> true;
        };
    }

    /** A request has become slow: plans the time at which it counts as failed. */
    void slow(Call call) {
        call.next = shared.agenda.add(call.failsNs, new Agenda.Task.Timeout(call));
    }

    /** Returns a request in flight, or null when it was answered or has failed. */
    @Nullable
    Call peek(long number) {
        return pending.get(number);
    }

    /** Removes a request whose answer is no longer needed; does nothing when it was answered or had failed. */
    void giveUp(long number) {
        Call call = pending.get(number);
        if (call == null) return;
        end(call);
        shared.emit(new Dht.Output.Cancel(call.to.node(), number));
    }

    /** Removes a request in flight: it was answered, or has failed. */
    void end(Call call) {
        pending.remove(call.number);
        if (call.next != null) shared.agenda.withdraw(call.next);
    }
}
