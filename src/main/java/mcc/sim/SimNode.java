package mcc.sim;

import java.util.List;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.registry.Registry;
import mcc.wire.Contact;

/** One simulated machine: real cores, and what a link would remember of requests under way. */
final class SimNode {
    private static final int CALLS = 1_024;

    final int index;
    final Id id;
    final Contact contact;
    final Rng rng;
    final Counters counters = new Counters();
    private final long[] calls = new long[CALLS];
    private final long[] sentNs = new long[CALLS];
    Dht dht;
    Registry registry;
    boolean up;
    /** Counts its lives: what was sent to an earlier one is lost. */
    int life;

    long joinedNs = Core.NEVER;
    long diedNs = Core.NEVER;
    /** For which deadline a tick is in the queue. */
    long armedNs = Core.NEVER;

    SimNode(int index, Id id, Rng rng, Dht dht, Registry registry) {
        this.index = index;
        this.id = id;
        this.rng = rng;
        this.dht = dht;
        this.registry = registry;
        contact = new Contact(id, List.of(address(index)));
    }

    /** Each node has a /24 of its own, so that the table's diversity rule sees a wide network. */
    private static Address address(int index) {
        return Address.v4(0x20000001 + (index << 8), 9376);
    }

    Address address() {
        return contact.addresses().getFirst();
    }

    void sent(long call, long nowNs) {
        calls[(int) (call & (CALLS - 1))] = call;
        sentNs[(int) (call & (CALLS - 1))] = nowNs;
    }

    /** Returns when a request was sent; −1 when that is forgotten, as a link would forget it. */
    long sentNs(long call) {
        int at = (int) (call & (CALLS - 1));
        return calls[at] == call ? sentNs[at] : -1;
    }

    boolean isSettled(long sinceNs) {
        return up && joinedNs <= sinceNs;
    }
}
