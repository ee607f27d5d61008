package mcc.portmap;

import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.portmap.PortMapReport.Protocol;
import org.jspecify.annotations.Nullable;

/** The attempt to get a mapping, or to renew one, by one protocol. It ends with an outcome. */
abstract sealed class Talk permits PcpTalk, NatPmpTalk, UpnpTalk {
    /** How long a mapping is asked for. */
    static final long LIFETIME_S = 7_200;

    private static final long MS = 1_000_000;
    /** From one copy of a datagram to the next, and from the last one to giving up. */
    private static final long[] WAITS_NS = {250 * MS, 500 * MS, 1_000 * MS, 2_000 * MS};

    /** How an attempt ended. */
    sealed interface Outcome {
        /** There is a mapping. */
        record Granted(Grant grant) implements Outcome {}

        /** There is none. */
        record Failed(Failure why) implements Outcome {}
    }

    /** Why there is no mapping; the later ones say more. */
    enum Failure {
        /** Nothing answered, or it knows another protocol. */
        SILENT,
        REFUSED,
        SECOND_NAT
    }

    /**
     * A mapping.
     *
     * @param lifetimeS as granted
     * @param service where it is by UPnP; null elsewhere
     */
    record Grant(Protocol protocol, Address external, long lifetimeS, Upnp.@Nullable Service service) {}

    /**
     * What is wanted.
     *
     * @param external whose port is wished for; the IP address is unspecified at first
     */
    record Wish(Gateway gateway, Bytes nonce, Address external) {}

    final Wish wish;
    final Counters counters;
    final Consumer<PortMap.Output> out;
    private int sent;
    private long dueNs = Core.NEVER;
    private @Nullable Outcome outcome;

    Talk(Wish wish, Counters counters, Consumer<PortMap.Output> out) {
        this.wish = wish;
        this.counters = counters;
        this.out = out;
    }

    /** Sends the datagram that is due, or once more. */
    abstract void send();

    /** Takes a datagram from an address of the router. */
    abstract void datagram(long nowNs, Address from, byte[] bytes);

    /** Takes the answer to {@link PortMap.Output.Fetch}. */
    abstract void fetched(long nowNs, long ticket, int status, String body);

    abstract Protocol protocol();

    /** Begins to send what {@link #send} sends now. */
    final void ask(long nowNs) {
        sent = 0;
        again(nowNs);
    }

    private void again(long nowNs) {
        dueNs = nowNs + WAITS_NS[sent++];
        send();
    }

    /** Waits for something that is sent once. */
    final void await(long nowNs, long patienceNs) {
        sent = WAITS_NS.length;
        dueNs = nowNs + patienceNs;
    }

    final void tick(long nowNs) {
        if (nowNs < dueNs || outcome != null) return;
        if (sent < WAITS_NS.length) again(nowNs);
        else fail(Failure.SILENT);
    }

    final long deadlineNs() {
        return dueNs;
    }

    final void fail(Failure why) {
        dueNs = Core.NEVER;
        outcome = new Outcome.Failed(why);
    }

    /** Ends with a mapping, unless it is of no use. */
    final void grant(Address external, long lifetimeS, Upnp.@Nullable Service service) {
        dueNs = Core.NEVER;
        if (lifetimeS < PortMap.LIFETIME_MIN_S || !external.isUnicast() || !external.isV4()) {
            fail(Failure.REFUSED);
            return;
        }
        outcome = new Outcome.Granted(new Grant(protocol(), external, Math.min(lifetimeS, LIFETIME_S), service));
    }

    /** Null while it is under way. */
    final @Nullable Outcome outcome() {
        return outcome;
    }
}
