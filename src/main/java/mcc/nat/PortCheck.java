package mcc.nat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether a port that the router mapped leads here. Peers are asked to send a datagram to it, from a port from which
 * they never sent: such a one comes through the mapping or not at all, unless the NAT lets in every port of an IP address that
 * was sent to, and shows peers the very address of the mapping; then nothing is proved.
 *
 * <p>None → wanted → asking → proved, and asked for again by one peer after {@link #AGAIN_NS} → dead, once peers sent in
 * {@link #SILENT_MAX} runs and nothing came. What is proved counts for {@link #PROOF_NS}.
 */
final class PortCheck {
    private static final long MS = 1_000_000L;
    static final long AGAIN_NS = 1_200_000 * MS;
    static final long PROOF_NS = 3_600_000 * MS;
    static final int SILENT_MAX = 3;
    /** Peers send to one address once in ten seconds. */
    private static final long RETRY_NS = Dialler.AGAIN_NS + 1_000 * MS;

    private static final long RETRY_MAX_NS = 600_000 * MS;
    /** How long answers and datagrams are awaited. */
    private static final long ANSWER_NS = 1_500 * MS;

    private static final int PEERS = 3;

    private static final class Asked {
        final Filter.Peer peer;
        final long call;
        boolean sent;

        Asked(Filter.Peer peer, long call) {
            this.peer = peer;
            this.call = call;
        }
    }

    private final Rng rng;
    private final Counters counters;
    private final Consumer<Nat.Output> out;
    private List<Filter.Peer> peers = List.of();
    private @Nullable Address external;
    private boolean elsewhere;
    private long provedNs = Long.MIN_VALUE;
    private boolean wanted;
    private long nextNs = Core.NEVER;
    private long pauseNs = RETRY_NS;
    private int silent;
    private boolean running;
    /** Who was asked in the last run, by nonce. */
    private final Map<Long, Asked> asked = new LinkedHashMap<>();

    PortCheck(Rng rng, Counters counters, Consumer<Nat.Output> out) {
        this.rng = rng;
        this.counters = counters;
        this.out = out;
    }

    /** The address to announce; null where none is proved. */
    @Nullable
    Address proved() {
        return provedNs == Long.MIN_VALUE ? null : external;
    }

    /** The address under trial, or that is proved; null for none. */
    @Nullable
    Address mapped() {
        return external;
    }

    /** There is a mapping, or none any longer. */
    void mapped(long nowNs, @Nullable Address now) {
        if (external != null && external.equals(now)) return;
        external = now;
        elsewhere = false;
        provedNs = Long.MIN_VALUE;
        silent = 0;
        pauseNs = RETRY_NS;
        running = false;
        asked.clear();
        wanted = now != null;
        nextNs = wanted && !peers.isEmpty() ? nowNs + 1 : Core.NEVER;
    }

    /** The peers that may help now, and at which IP addresses peers see this node. */
    void peers(long nowNs, List<Filter.Peer> now, List<Address> pool) {
        peers = now;
        Address external = this.external;
        if (external == null || elsewhere) return;
        if (!pool.isEmpty() && pool.stream().noneMatch(external::sameIp)) {
            elsewhere = true;
            provedNs = Long.MIN_VALUE;
            running = false;
            wanted = false;
            nextNs = Core.NEVER;
            out.accept(new Nat.Output.PortFound(external, Nat.Port.ELSEWHERE));
        } else if (wanted && nextNs == Core.NEVER && !peers.isEmpty()) {
            nextNs = nowNs + 1;
        }
    }

    /** The links were started again, and with them went the requests. */
    void reset(long nowNs) {
        asked.clear();
        if (running) nextNs = nowNs + RETRY_NS;
        running = false;
    }

    void answered(Id from, long call, Message.Dialed result) {
        for (Asked each : asked.values()) {
            if (each.call == call && each.peer.id().equals(from)) each.sent = result == Message.Dialed.SENT;
        }
    }

    /**
     * A dial-back arrived.
     *
     * @param tells whether what comes from a new port of a known IP address proves the mapping
     * @return whether it was asked for here
     */
    boolean dialledBack(long nowNs, Id by, Address from, long nonce, boolean tells) {
        Asked one = asked.get(nonce);
        Address external = this.external;
        if (one == null || external == null || !one.peer.id().equals(by)) return false;
        if (!from.sameIp(one.peer.at()) || from.port() == one.peer.at().port() || !tells) {
            counters.add("nat.port.nothing-proved");
            return true;
        }
        counters.add("nat.port.arrived");
        boolean news = provedNs == Long.MIN_VALUE;
        provedNs = nowNs;
        silent = 0;
        pauseNs = RETRY_NS;
        running = false;
        nextNs = nowNs + AGAIN_NS;
        if (news) out.accept(new Nat.Output.PortFound(external, Nat.Port.WORKS));
        return true;
    }

    void tick(long nowNs) {
        Address external = this.external;
        if (external == null) return;
        if (provedNs != Long.MIN_VALUE && nowNs - provedNs >= PROOF_NS) {
            provedNs = Long.MIN_VALUE;
            out.accept(new Nat.Output.PortFound(external, Nat.Port.UNPROVED));
        }
        if (nowNs < nextNs) return;
        nextNs = Core.NEVER;
        if (running) end(nowNs, external);
        else begin(nowNs, external);
    }

    private void begin(long nowNs, Address external) {
        List<Filter.Peer> able = new ArrayList<>();
        for (Filter.Peer each : peers) if (!each.at().isLocal() && !each.at().sameIp(external)) able.add(each);
        if (able.isEmpty()) return; // until there are others
        counters.add("nat.port.checks");
        running = true;
        asked.clear();
        // One is enough to prove again what was proved; silence is to be seen by several.
        int count = provedNs != Long.MIN_VALUE && silent == 0 ? 1 : PEERS;
        for (int i = 0; i < count && !able.isEmpty(); i++) {
            Filter.Peer peer = able.remove(rng.below(able.size()));
            long call = rng.nextLong();
            long nonce = rng.nextLong();
            asked.put(nonce, new Asked(peer, call));
            Contact to = new Contact(peer.id(), List.of(peer.at()));
            out.accept(new Nat.Output.Ask(to, call, new Message.DialBack(external, nonce, true)));
        }
        nextNs = nowNs + ANSWER_NS;
    }

    private void end(long nowNs, Address external) {
        boolean sent = false;
        for (Asked each : asked.values()) sent |= each.sent;
        running = false;
        if (!sent) {
            nextNs = nowNs + pauseNs; // nobody could help
            pauseNs = Math.min(2 * pauseNs, RETRY_MAX_NS);
        } else if (++silent < SILENT_MAX) {
            nextNs = nowNs + RETRY_NS;
        } else {
            wanted = false;
            provedNs = Long.MIN_VALUE;
            out.accept(new Nat.Output.PortFound(external, Nat.Port.DEAD));
        }
    }

    long deadlineNs() {
        long ends = provedNs == Long.MIN_VALUE ? Core.NEVER : provedNs + PROOF_NS;
        return Math.min(nextNs, ends);
    }
}
