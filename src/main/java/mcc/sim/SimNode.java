package mcc.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.dht.Signing;
import mcc.link.PacketSink;
import mcc.registry.Registration;
import mcc.registry.ServiceName;
import mcc.wire.Contact;
import mcc.wire.Provider;
import org.jspecify.annotations.Nullable;

/** One simulated machine: its cores, and its faults. */
final class SimNode {
    /** How long a node that was cut off has to be found again. */
    static final long RETURN_NS = 90 * World.SECOND;

    /** A message that waits for a stalled core. */
    record Held(int from, int to, Object content) {}

    final int index;
    final Id id;
    final Subject subject;
    final Contact contact;
    final Rng rng;
    final Signing signing;
    /** The keys, at packet fidelity only. */
    final @Nullable Identity identity;
    /** Gives false answers, all its life. */
    boolean liar;
    /** Receives only from peers that it sent to lately, all its life. */
    boolean oneWay;
    /** Announces an old address before its real one, all its life. */
    boolean stale;
    /** The NAT in front of it, all its life; null for none. */
    @Nullable
    NatBox nat;

    /** The numbers of its open sockets by port, in each life; it has no others than that of the links before one opens. */
    private final Map<Integer, Integer> sockets = new LinkedHashMap<>(4);

    private int lastSocket = PacketSink.EPHEMERAL;

    /** Its cores; new ones in each life. */
    Cores cores;

    boolean up;
    /** Nothing reaches it or leaves it. */
    boolean cut;
    /** The same, while the scenario believes that it is healed: for the canary. */
    boolean deaf;
    /** Counts its lives: what was sent to an earlier one is lost. */
    int life;

    long joinedNs = Core.NEVER;
    /** When it was last connected again after being cut off. */
    long backNs = Long.MIN_VALUE;
    /** The deadline for which a tick is planned. */
    long armedNs = Core.NEVER;
    /** When each core's next tick is due; a core's deadline changes only when it reads something. */
    private final long[] dueNs = new long[Mail.MAILBOXES];
    /** When it last sent to which node, if it has a firewall. */
    @Nullable
    Map<Integer, Long> spokeTo;

    /** The registrations on its disk. */
    List<Registration> saved = new ArrayList<>(0);

    /** Datagrams to the address that liars name, in all its lives. */
    int toVictim;

    /** One bit for each core that is stalled. */
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

    /** Forgets everything but its identity and faults. */
    void forget(World world) {
        cores = new Cores(world, this);
        joinedNs = Core.NEVER;
        armedNs = Core.NEVER;
        Arrays.fill(dueNs, Core.NEVER);
        spokeTo = null;
        sockets.clear();
        saved.clear();
        busy = 0;
        held = null;
    }

    Address address() {
        return contact.addresses().getFirst();
    }

    // ---- its sockets ------------------------------------------------------------------------------------------------

    /** Opens one more socket; returns its number. */
    int open() {
        lastSocket++;
        sockets.put(port(lastSocket), lastSocket);
        return lastSocket;
    }

    void close(int socket) {
        sockets.remove(port(socket));
    }

    /** The port of a socket, by its number. */
    static int port(int socket) {
        return PacketSink.isEphemeral(socket) ? 20_000 + socket % 40_000 : Network.PORT;
    }

    /** An address of its own. */
    Address own(int port) {
        Address outside = address();
        return nat == null ? new Address(outside.high(), outside.low(), port) : Network.inside(index, port);
    }

    /** The address that a datagram has outside; null where the NAT has no room. */
    @Nullable
    Address leaves(long nowNs, int port, Address to) {
        return nat == null ? own(port) : nat.out(nowNs, own(port), to);
    }

    /** The number of the socket that a datagram comes to; -1 for none. */
    int arrives(long nowNs, Address from, Address to) {
        Address at = nat == null ? to : nat.in(nowNs, from, to);
        if (at == null) return -1;
        return at.port() == Network.PORT ? PacketSink.ANY : sockets.getOrDefault(at.port(), -1);
    }

    /** The addresses that it announces. */
    List<Address> told() {
        if (nat != null) return List.of(own(Network.PORT));
        return stale ? List.of(Network.silent(index), address()) : contact.addresses();
    }

    /**
     * When the first tick of a core that is not stalled is due; {@code read} has a bit for each core that has just read
     * something.
     */
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

    /** Whether others must be able to find it: it joined before {@code sinceNs} and has no fault. */
    boolean isSettled(long sinceNs) {
        return isHonest() && joinedNs <= sinceNs && backNs <= sinceNs - RETURN_NS;
    }

    /** Whether it is up and behaves as it should. */
    boolean isHonest() {
        return up && !cut && !liar && !oneWay && nat == null;
    }

    /** A registration of an app whose health is not checked. */
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
