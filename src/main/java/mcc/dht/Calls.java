package mcc.dht;

import java.util.LinkedHashMap;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/** The requests in flight, each with the moment at which it is slow and the moment at which it has failed. */
final class Calls {
    private final Shared shared;
    private final LinkedHashMap<Long, Call> pending = new LinkedHashMap<>();
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
            // How far a measured peer is, is known: twice its time is patience enough for a walk that others wait for.
            boolean enough = measured && use instanceof Call.Use.Step;
            timeoutNs = enough ? shared.rtts.clamp(2 * timeoutNs) : shared.config.maxTimeoutNs();
        }
        pending.put(number, new Call(to, position, use));
        if (use instanceof Call.Use.Step step) step.peer().call = number;
        if (slowNs < timeoutNs && use instanceof Call.Use.Step) {
            shared.agenda.add(shared.nowNs + slowNs, new Agenda.Task.Slow(number));
        }
        shared.agenda.add(shared.nowNs + timeoutNs, new Agenda.Task.Timeout(number));
        shared.emit(new Dht.Output.Ask(to, number, request));
        return true;
    }

    /**
     * Who is asked for the second time, or whose place is at stake, gets all the time there is: a peer that is merely farther
     * than the rest would miss an adaptive deadline every time.
     */
    private static boolean isPatient(Call.Use use) {
        return switch (use) {
            case Call.Use.Step step -> step.peer().asks > 1;
            case Call.Use.Page _ -> false;
            case Call.Use.Check _ -> true;
            case Call.Use.Place place -> place.attempt() > 1;
            case Call.Use.Beat _ -> true;
        };
    }

    /** Returns a request in flight, or null when it has been decided. */
    @Nullable
    Call peek(long number) {
        return pending.get(number);
    }

    /** Takes a request off whose answer is of no use any longer; null when it was decided before. */
    @Nullable
    Call giveUp(long number) {
        Call call = pending.remove(number);
        if (call != null) shared.emit(new Dht.Output.Cancel(call.to().node(), number));
        return call;
    }

    /** Takes a request off, decided; null when it was before. */
    @Nullable
    Call take(long number) {
        return pending.remove(number);
    }
}
