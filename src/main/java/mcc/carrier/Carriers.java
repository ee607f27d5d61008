package mcc.carrier;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Capabilities;
import org.jspecify.annotations.Nullable;

/**
 * Decides when this node opens connections to relays, because UDP does not work, and when it closes them.
 *
 * <p>A gate: idle → opening → open → linked → idle, once nothing is needed any longer; from each of these → resting, when it
 * failed, → opening. Connections are needed {@link #PATIENCE_NS} after the start, or after this host got other addresses, if
 * nobody was heard by UDP since; at once when the node is alone; and until somebody was heard by UDP for {@link #GRACE_NS}.
 * Neighbours in the local network do not count, as a firewall comes behind them; the relays of gates do, wherever they are.
 *
 * <p>Limits: {@link #OPEN_MAX} connections, {@link #LEARNT_MAX} gates beside those that an operator named, of which the one
 * learnt first gives way, and {@link #NEAR_MAX} neighbours.
 */
public final class Carriers implements Core<Carriers.Input, Carriers.Output> {
    /** How long UDP may take to be heard. */
    static final long PATIENCE_NS = 1_000_000_000L;
    /** For so long UDP has to work again before connections are closed. */
    static final long GRACE_NS = 10_000_000_000L;
    /** How often it is tried meanwhile whether UDP works again. */
    static final long TRY_NS = 10_000_000_000L;
    /** How long a relay may take to answer the handshake through a connection. */
    static final long HANDSHAKE_NS = 8_000_000_000L;
    /** Connections at a time: as many as relays are needed. */
    static final int OPEN_MAX = 2;
    /** Peers that are remembered to be reached by UDP: more do not matter. */
    static final int NEAR_MAX = 64;
    /** Gates that peers told of. */
    static final int LEARNT_MAX = 8;
    /** From a failure to the next attempt: doubled each time, and then a quarter more or less. */
    static final long REST_NS = 250_000_000L;

    static final long REST_MAX_NS = 30_000_000_000L;

    /** When connections are used. */
    public enum Use {
        /** While UDP does not work. */
        AUTO,
        /** Never. */
        OFF,
        /** Always, and nothing of UDP. */
        ONLY
    }

    /** Inputs. */
    public sealed interface Input {
        /** The links begin to work, or were started again: no connection leads anywhere. */
        record LinksStarted() implements Input {}

        /** There is a link with a peer by this way now. */
        record At(Id peer, Address at, long capabilities) implements Input {}

        /** The link with a peer ended. */
        record Down(Id peer) implements Input {}

        /** When a peer beyond the local network was last heard by UDP; told about once a second. */
        record Heard(long atNs) implements Input {}

        /** This host has other addresses. */
        record Renumbered() implements Input {}

        /** Nobody answers any longer. */
        record Alone() implements Input {}

        /** A connection stands; {@code carrier} stands for it in paths. */
        record Opened(int gate, Address carrier) implements Input {}

        /** A connection could not be made, or broke. */
        record Failed(int gate, String why) implements Input {}

        /** Time has passed. */
        record Tick() implements Input {}
    }

    /** Outputs. */
    public sealed interface Output {
        /** Make a connection; answered by {@link Input.Opened} or {@link Input.Failed}. */
        record Open(int gate, Gate to) implements Output {}

        /** Close a connection, or give the attempt up. */
        record Close(int gate) implements Output {}

        /** Shake hands with this relay through its connection. */
        record Call(Id relay, Address carrier) implements Output {}

        /** Find out who is behind a connection. */
        record Dial(Address carrier) implements Output {}

        /** What leads through a connection ended. */
        record Ended(Address carrier) implements Output {}

        /** See whether this peer is reached by UDP. */
        record TryUdp(Id peer) implements Output {}

        /** A peer told where it takes connections: worth remembering for the next start. */
        record Learnt(List<Gate> gates) implements Output {
            /** Copies the list. */
            public Learnt {
                gates = List.copyOf(gates);
            }
        }

        /** Whether connections are needed has changed, or how far one is. */
        record Changed(CarrierReport report) implements Output {}
    }

    private static final class Entry {
        final int number;
        Gate gate;
        final boolean learnt;
        CarrierReport.State state = CarrierReport.State.IDLE;

        @Nullable
        Address carrier;

        @Nullable
        Id peer;

        /** Whether the relay is reached by UDP. */
        boolean direct;

        String trouble = "";
        int failures;
        /** When the state has to change by itself. */
        long dueNs = NEVER;

        Entry(int number, Gate gate, boolean learnt) {
            this.number = number;
            this.gate = gate;
            this.learnt = learnt;
        }

        @Nullable
        Id relay() {
            return peer == null ? gate.key() : peer;
        }

        /** Whether its relay is this peer, as far as one can tell. */
        boolean isOf(Input.At a) {
            Id relay = relay();
            return relay == null ? a.at().isUnicast() && gate.host().equals(a.at().host()) : relay.equals(a.peer());
        }

        boolean isBusy() {
            return switch (state) {
                case OPENING, OPEN, LINKED -> true;
                case IDLE, RESTING -> false;
            };
        }

        CarrierReport.View view() {
            return new CarrierReport.View(gate.url(), state, relay(), isBusy() ? carrier : null, trouble);
        }
    }

    private final Use use;
    private final Rng rng;
    private final Counters counters;
    private final List<Entry> entries = new ArrayList<>();
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    /** Peers that are reached by UDP. */
    private final Set<Id> near = new LinkedHashSet<>();

    private int made;
    private boolean begun;
    private boolean needed;
    /** Since when UDP is waited for; NEVER while it works. */
    private long sinceNs = NEVER;

    private long heardNs = Long.MIN_VALUE;
    /** Since when it works again while connections are open; NEVER while it does not. */
    private long backNs = NEVER;

    private long tryNs = NEVER;

    /**
     * @param named where an operator says that relays take connections
     * @param learnt where peers said so before
     */
    public Carriers(Use use, List<Gate> named, List<Gate> learnt, Rng rng, Counters counters) {
        this.use = use;
        this.rng = rng;
        this.counters = counters;
        for (Gate gate : named) entries.add(new Entry(made++, gate, false));
        for (Gate gate : learnt) if (count(true) < LEARNT_MAX) entries.add(new Entry(made++, gate, true));
    }

    @Override
    public void handle(long nowNs, Input input) {
        boolean changed = false;
        switch (input) {
            case Input.LinksStarted _ -> {
                begun = true;
                near.clear();
                for (Entry each : entries) each.direct = false;
                for (Entry each : entries) if (each.isBusy()) end(each);
                giveTime(nowNs);
                changed = true;
            }
            case Input.At a -> changed = at(nowNs, a);
            case Input.Down d -> {
                near.remove(d.peer());
                for (Entry each : entries) {
                    if (d.peer().equals(each.relay())) each.direct = false;
                    if (d.peer().equals(each.peer) && each.state == CarrierReport.State.LINKED)
                        changed |= failed(nowNs, each, "the relay is gone");
                }
            }
            case Input.Heard h -> heard(nowNs, h.atNs());
            case Input.Renumbered _ -> {
                if (begun) giveTime(nowNs);
                for (Entry each : entries) if (each.state == CarrierReport.State.RESTING) each.dueNs = nowNs;
            }
            case Input.Alone _ -> {
                if (begun && use == Use.AUTO && !needed) changed = need(nowNs);
            }
            case Input.Opened o -> changed = opened(nowNs, o);
            case Input.Failed f -> {
                Entry entry = entry(f.gate());
                if (entry != null && entry.isBusy()) changed = failed(nowNs, entry, f.why());
            }
            case Input.Tick _ -> {}
        }
        changed |= turn(nowNs);
        if (changed) outputs.add(new Output.Changed(report()));
    }

    /** UDP gets its time. */
    private void giveTime(long nowNs) {
        if (!needed) sinceNs = nowNs;
    }

    private boolean need(long nowNs) {
        needed = true;
        sinceNs = NEVER;
        backNs = NEVER;
        tryNs = nowNs + TRY_NS;
        counters.add("carrier.needed");
        return true;
    }

    private void heard(long nowNs, long atNs) {
        if (atNs <= heardNs) return;
        heardNs = atNs;
        if (!needed || backNs != NEVER || nowNs - atNs >= TRY_NS) return;
        backNs = nowNs;
        tryNs = nowNs + GRACE_NS / 2; // heard once more, it works
    }

    private boolean at(long nowNs, Input.At a) {
        int port = Capabilities.carrierPort(a.capabilities());
        if (port > 0 && a.at().isUnicast()) learn(Gate.of(a.peer(), a.at(), port));
        if (!a.at().isUnicast()) near.remove(a.peer());
        else if (near.size() < NEAR_MAX) near.add(a.peer());
        boolean changed = false;
        for (Entry each : entries) {
            if (each.isOf(a)) {
                each.direct = a.at().isUnicast();
                if (each.direct) heard(nowNs, nowNs);
            }
            boolean here = a.at().equals(each.carrier) && each.isBusy();
            if (here && each.state != CarrierReport.State.LINKED) {
                each.state = CarrierReport.State.LINKED;
                each.peer = a.peer();
                if (each.gate.key() == null) each.gate = each.gate.withKey(a.peer());
                each.dueNs = NEVER;
                each.failures = 0;
                each.trouble = "";
                counters.add("carrier.linked");
                tryNs = Math.min(tryNs, nowNs);
                changed = true;
            }
        }
        return changed;
    }

    private void learn(Gate gate) {
        if (use == Use.OFF) return;
        for (Entry each : entries) {
            boolean same = each.gate.isSamePlace(gate)
                    && (each.gate.key() == null || each.gate.key().equals(gate.key()));
            if (same) return;
        }
        if (count(true) >= LEARNT_MAX) {
            Entry oldest = null;
            for (Entry each : entries) if (oldest == null && each.learnt && !each.isBusy()) oldest = each;
            if (oldest == null) return;
            entries.remove(oldest);
            counters.add("carrier.gates.evicted");
        }
        entries.add(new Entry(made++, gate, true));
        List<Gate> all = new ArrayList<>();
        for (Entry each : entries) if (each.learnt) all.add(each.gate);
        outputs.add(new Output.Learnt(all));
    }

    private int count(boolean learnt) {
        int n = 0;
        for (Entry each : entries) if (each.learnt == learnt) n++;
        return n;
    }

    private @Nullable Entry entry(int number) {
        for (Entry each : entries) if (each.number == number) return each;
        return null;
    }

    private boolean opened(long nowNs, Input.Opened o) {
        Entry entry = entry(o.gate());
        if (entry == null || entry.state != CarrierReport.State.OPENING) return false;
        entry.state = CarrierReport.State.OPEN;
        entry.carrier = o.carrier();
        entry.dueNs = nowNs + HANDSHAKE_NS;
        Id key = entry.gate.key();
        outputs.add(key == null ? new Output.Dial(o.carrier()) : new Output.Call(key, o.carrier()));
        return true;
    }

    private boolean failed(long nowNs, Entry entry, String why) {
        counters.add("carrier.failed");
        entry.trouble = why;
        end(entry);
        long restNs = Math.min(REST_NS << Math.min(entry.failures++, 10), REST_MAX_NS);
        entry.state = CarrierReport.State.RESTING;
        entry.dueNs = nowNs + restNs * 3 / 4 + rng.below(restNs / 2);
        return true;
    }

    /** Closes a connection; what stands for it goes on standing for it where it is opened again. */
    private void end(Entry entry) {
        outputs.add(new Output.Close(entry.number));
        entry.state = CarrierReport.State.IDLE;
        entry.dueNs = NEVER;
    }

    private boolean turn(long nowNs) {
        boolean changed = false;
        if (begun && use == Use.ONLY && !needed) changed = need(nowNs);
        if (sinceNs != NEVER && heardNs >= sinceNs) sinceNs = NEVER;
        if (use == Use.AUTO && sinceNs != NEVER && nowNs >= sinceNs + PATIENCE_NS && !entries.isEmpty())
            changed |= need(nowNs);
        if (use == Use.AUTO && needed && backNs != NEVER) changed |= isBack(nowNs);
        for (Entry each : entries) {
            if (each.dueNs > nowNs) continue;
            changed = true;
            if (each.state == CarrierReport.State.RESTING) {
                each.state = CarrierReport.State.IDLE;
                each.dueNs = NEVER;
            } else {
                String hint = each.gate.key() == null ? "" : ", or its key is another one";
                failed(nowNs, each, "no node of this network answers there" + hint);
            }
        }
        if (!needed) return changed;
        if (use == Use.AUTO && tryNs <= nowNs) {
            tryNs = nowNs + TRY_NS;
            for (Entry each : entries) {
                if (each.state == CarrierReport.State.LINKED && each.peer != null)
                    outputs.add(new Output.TryUdp(each.peer));
            }
        }
        int open = 0;
        for (Entry each : entries) if (each.isBusy()) open++;
        for (Entry each : entries) {
            if (open >= OPEN_MAX) break;
            if (each.state != CarrierReport.State.IDLE) continue;
            each.state = CarrierReport.State.OPENING;
            outputs.add(new Output.Open(each.number, each.gate));
            counters.add("carrier.opened");
            open++;
            changed = true;
        }
        return changed;
    }

    /** Whether peers are heard by UDP for long enough: then no connection is needed. */
    private boolean isBack(long nowNs) {
        if (nowNs - backNs < GRACE_NS) return false;
        boolean direct = false;
        for (Entry each : entries) direct |= each.direct;
        if (heardNs <= backNs && !direct) {
            backNs = NEVER; // it was heard for a moment
            return false;
        }
        counters.add("carrier.closed");
        needed = false;
        backNs = NEVER;
        tryNs = NEVER;
        for (Entry each : entries) {
            if (each.isBusy()) end(each);
            if (each.carrier != null) outputs.add(new Output.Ended(each.carrier));
            each.state = CarrierReport.State.IDLE;
            each.dueNs = NEVER;
            each.failures = 0;
        }
        return true;
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        long next = sinceNs == NEVER || use != Use.AUTO || entries.isEmpty() ? NEVER : sinceNs + PATIENCE_NS;
        for (Entry each : entries) next = Math.min(next, each.dueNs);
        if (!needed || use != Use.AUTO) return next;
        if (backNs != NEVER) next = Math.min(next, backNs + GRACE_NS);
        return Math.min(next, tryNs);
    }

    /** What is known now. */
    public CarrierReport report() {
        List<CarrierReport.View> views = new ArrayList<>();
        for (Entry each : entries) views.add(each.view());
        return new CarrierReport(needed, near.isEmpty(), views);
    }
}
