package mcc.sim;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.dht.Signing;
import mcc.registry.Registration;
import mcc.registry.ServiceName;
import mcc.wire.Contact;
import mcc.wire.Provider;
import org.jspecify.annotations.Nullable;

/** One simulated machine: its cores, each at a mailbox of its own, and what is wrong with it. */
final class SimNode {
    /** Who was cut off has this long to be found again. */
    static final long RETURN_NS = 90 * World.SECOND;

    /** A message that waits for a mailbox that does not read. */
    record Held(int from, int to, Object content) {}

    final int index;
    final Id id;
    final Subject subject;
    final Contact contact;
    final Rng rng;
    final Signing signing;
    /** The keys, at packet fidelity. */
    final @Nullable Identity identity;
    /** Answers with what is not so; for all its life. */
    boolean liar;
    /** Hears only whom it spoke to lately; for all its life. */
    boolean oneWay;
    /** Tells an old address of its before the one it has; for all its life. */
    boolean stale;

    /** Its cores; others in each life. */
    Cores cores;

    boolean up;
    /** Nothing gets to it or away from it. */
    boolean cut;
    /** The same, though the scenario believes that it healed: for the canary. */
    boolean deaf;
    /** Counts its lives: what was sent to an earlier one is lost. */
    int life;

    long joinedNs = Core.NEVER;
    long diedNs = Core.NEVER;
    /** When it was last cut off no more. */
    long backNs = Long.MIN_VALUE;
    /** For which deadline a tick is in the queue. */
    long armedNs = Core.NEVER;
    /** When a tick of each mailbox is due; a core's deadline moves only when it is handed something. */
    private final long[] dueNs = new long[Mail.MAILBOXES];
    /** When it last spoke to whom, where a firewall wants to know. */
    @Nullable
    Map<Integer, Long> spokeTo;

    /** One bit for each mailbox that does not read just now. */
    int busy;

    @Nullable
    ArrayDeque<Held> held;

    SimNode(World world, int index, Id id, Rng rng, Signing signing, @Nullable Identity identity) {
        this.index = index;
        this.id = id;
        subject = Subject.of(id);
        this.rng = rng;
        this.signing = signing;
        this.identity = identity;
        contact = new Contact(id, List.of(Network.address(index)));
        Arrays.fill(dueNs, Core.NEVER);
        cores = new Cores(world, this);
    }

    /** Forgets everything but who it is. */
    void forget(World world) {
        cores = new Cores(world, this);
        joinedNs = Core.NEVER;
        armedNs = Core.NEVER;
        Arrays.fill(dueNs, Core.NEVER);
        spokeTo = null;
        busy = 0;
        held = null;
    }

    Address address() {
        return contact.addresses().getFirst();
    }

    /** What it tells of where it is. */
    List<Address> told() {
        return stale ? List.of(Network.silent(index), address()) : contact.addresses();
    }

    /** When the first tick is due of the mailboxes that read, where {@code read} has a bit for each that has just read something. */
    long dueNs(int read) {
        long due = Core.NEVER;
        for (int mailbox = 0; mailbox < Mail.MAILBOXES; mailbox++) {
            if ((read & 1 << mailbox) != 0) dueNs[mailbox] = cores.deadlineNs(mailbox);
            if (!isBusy(mailbox)) due = Math.min(due, dueNs[mailbox]);
        }
        return due;
    }

    long tickDueNs(int mailbox) {
        return dueNs[mailbox];
    }

    boolean isBusy(int mailbox) {
        return (busy & 1 << mailbox) != 0;
    }

    /** Whether others must be able to find it: it has been there since then, and nothing is wrong with it. */
    boolean isSettled(long sinceNs) {
        return isHonest() && joinedNs <= sinceNs && backNs <= sinceNs - RETURN_NS;
    }

    /** Whether it is there and does what it should. */
    boolean isHonest() {
        return up && !cut && !liar && !oneWay;
    }

    /** An app beside a node, whose health nobody looks at. */
    static Registration app(String id, ServiceName service, List<String> tags, long leaseMs) {
        return new Registration(
                id,
                service,
                "127.0.0.1",
                80,
                Provider.Protocol.TCP,
                100,
                tags,
                Map.of(),
                leaseMs,
                Registration.Check.NONE);
    }
}
