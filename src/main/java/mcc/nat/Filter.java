package mcc.nat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/**
 * Finds out for one family of addresses what the NAT or the firewall lets in.
 *
 * <p>A check is made of runs. A run opens a fresh end, which sends to one peer only, the mirror, who tells at which address it
 * sees that end. Then others, to whose IP addresses that end never sent, are asked to send one datagram there, and the mirror to
 * send one from another port. What arrives is proof, whoever lies; silence is none before several peers were silent twice, with
 * different mirrors: a mirror may lie about the address.
 *
 * <p>Idle → opening → echo (mirror asked) → dialling (others asked) → the next run, or idle with a result.
 */
final class Filter {
    /** How long an open filter counts without a new proof. */
    static final long PROOF_NS = 100_000_000_000L;
    /** An open filter is proved again after this, unless a stranger's first contact proves it. */
    static final long LIGHT_NS = 45_000_000_000L;
    /** Any other result is checked again after this. */
    static final long AGAIN_NS = 600_000_000_000L;

    static final int RUNS_MAX = 7;
    /** The number of IP addresses with which a check begins at once. */
    private static final int MANY = 5;

    private static final long MS = 1_000_000L;
    /** Peers are met one after the other: a check waits a little for more. */
    private static final long GATHER_NS = 500 * MS;

    private static final long OPEN_NS = 1_000 * MS;
    private static final long ECHO_NS = 400 * MS;
    private static final int ECHOES = 2;
    /** How long answers are awaited; then, how long the datagrams themselves are. */
    private static final long ANSWER_NS = 1_000 * MS;

    private static final long LINGER_NS = 250 * MS;
    private static final int DIALLERS = 3;
    private static final long BACKOFF_MIN_NS = 10_000 * MS;
    /** From the end of a check without a result to the next one with more peers. */
    private static final long PAUSE_NS = 2_000 * MS;

    private static final int TRIES = 2;
    private static final int MIRRORS_MAX = 64;

    /** A peer that may help. */
    record Peer(Id id, Address at) {}

    /** A peer that was asked to dial back, and what for. */
    private static final class Asked {
        final Peer peer;
        final boolean otherPort;
        boolean answered;
        boolean sent;

        Asked(Peer peer, boolean otherPort) {
            this.peer = peer;
            this.otherPort = otherPort;
        }
    }

    private final boolean v4;
    private final Rng rng;
    private final Counters counters;
    private final Consumer<Nat.Output> out;
    private final LongSupplier numbers;

    private List<Peer> peers = List.of();
    private int ipsBefore;
    private long nextNs = Core.NEVER;
    private long finishedNs = Long.MIN_VALUE;
    private long backoffNs = BACKOFF_MIN_NS;

    private NatReport.Filtering filtering = NatReport.Filtering.UNKNOWN;
    private long checkedNs = Long.MIN_VALUE;

    // ---- the check under way
    private boolean running;
    private int runs;
    private boolean otherPortSeen;
    private final Set<Address> mirrors = new LinkedHashSet<>();
    private final Map<Address, Integer> silent = new LinkedHashMap<>();
    private final Set<Address> silentMirrors = new LinkedHashSet<>();

    // ---- the run under way
    private long ticket;
    private int end;
    private int boundPort;
    private @Nullable Peer mirror;
    private long echo;
    private int echoes;
    private @Nullable Address mapped;
    private final Map<Long, Asked> byNonce = new HashMap<>(); // looked up
    private final Map<Long, Asked> byCall = new LinkedHashMap<>();
    private long stepNs = Core.NEVER;

    /** IP addresses of mirrors that saw a fresh end at the very port that it is bound to. */
    private final Set<Address> preserved = new LinkedHashSet<>();

    private final Set<Address> changed = new LinkedHashSet<>();

    /** @param numbers draws tickets, which belong to no other */
    Filter(boolean v4, Rng rng, Counters counters, LongSupplier numbers, Consumer<Nat.Output> out) {
        this.v4 = v4;
        this.rng = rng;
        this.counters = counters;
        this.numbers = numbers;
        this.out = out;
    }

    NatReport.Filtering filtering() {
        return filtering;
    }

    /** When the filtering was measured last; {@link Long#MIN_VALUE} for never. */
    long checkedNs() {
        return checkedNs;
    }

    /** How many mirrors say that a fresh end kept its port. */
    int kept() {
        return preserved.size();
    }

    /** How many say that it did not. */
    int changed() {
        return changed.size();
    }

    // ---- what happens -----------------------------------------------------------------------------------------------

    /** The peers that may help now, one of each IP address. */
    void peers(long nowNs, List<Peer> now) {
        peers = now;
        int ips = now.size();
        if (ips < 2) {
            if (!running && filtering == NatReport.Filtering.UNKNOWN) nextNs = Core.NEVER;
        } else if (!running && filtering == NatReport.Filtering.UNKNOWN && (ips > ipsBefore || nextNs == Core.NEVER)) {
            long soonNs = ips >= MANY ? nowNs + 20 * MS : nowNs + GATHER_NS;
            long pauseNs = ips > ipsBefore ? PAUSE_NS : backoffNs;
            long paceNs = finishedNs == Long.MIN_VALUE ? soonNs : finishedNs + pauseNs;
            nextNs = Math.min(nextNs, Math.max(soonNs, paceNs)); // not put off by what comes meanwhile
        }
    }

    boolean isRunning() {
        return running;
    }

    /** How many peers may help. */
    int helpers() {
        return peers.size();
    }

    /** Somebody wants to know what it is now. */
    void check(long nowNs) {
        if (!running && peers.size() >= 2) nextNs = nowNs;
    }

    /** The network changed: what was measured is void, or at least doubtful. */
    void renew(long nowNs, boolean isVoid) {
        if (isVoid) {
            abandon();
            filtering = NatReport.Filtering.UNKNOWN;
            preserved.clear();
            changed.clear();
            ipsBefore = 0;
        }
        if (running || peers.size() < 2) return;
        long paceNs = finishedNs == Long.MIN_VALUE ? nowNs : finishedNs + BACKOFF_MIN_NS / 2;
        nextNs = Math.min(nextNs, Math.max(nowNs + GATHER_NS, paceNs));
    }

    /** The sockets are new. */
    void reset(long nowNs) {
        if (running) nextNs = nowNs + GATHER_NS;
        stepNs = Core.NEVER;
        running = false;
        byCall.clear();
        byNonce.clear();
        end = Nat.MAIN;
        mirror = null;
    }

    /** A stranger's first contact arrived: an open filter needs no other proof for now. */
    void provedByStranger(long nowNs) {
        if (filtering != NatReport.Filtering.ENDPOINT_INDEPENDENT || running) return;
        checkedNs = nowNs;
        nextNs = nowNs + LIGHT_NS;
    }

    boolean opened(long nowNs, long ticket, int end, Address local) {
        Peer mirror = this.mirror;
        if (!running || ticket != this.ticket || mirror == null) return false;
        this.end = end;
        boundPort = local.port();
        echo = rng.nextLong();
        echoes = 1;
        stepNs = nowNs + ECHO_NS;
        out.accept(new Nat.Output.Echo(mirror.id, end, mirror.at, echo));
        return true;
    }

    void notOpened(long nowNs, long ticket) {
        if (running && ticket == this.ticket) finish(nowNs, NatReport.Filtering.UNKNOWN);
    }

    void echoed(long nowNs, Id by, int end, long nonce, Address self) {
        Peer mirror = this.mirror;
        if (!running || mirror == null || mapped != null || end != this.end || nonce != echo) return;
        if (!by.equals(mirror.id) || self.isV4() != v4) return;
        (self.port() == boundPort ? preserved : changed).add(Mappings.ip(mirror.at));
        if (preserved.size() + changed.size() > MIRRORS_MAX) {
            preserved.clear();
            changed.clear();
        }
        mapped = self;
        List<Peer> diallers = diallers(mirror, self);
        if (diallers.isEmpty()) {
            nextRun(nowNs);
            return;
        }
        stepNs = nowNs + ANSWER_NS;
        for (Peer each : diallers) ask(each, self, false);
        if (!isLight()) ask(mirror, self, true);
    }

    private boolean isLight() {
        return filtering == NatReport.Filtering.ENDPOINT_INDEPENDENT && runs == 0;
    }

    /** Those to whom the fresh end did not send, and who are on the same side of the NAT as the mirror. */
    private List<Peer> diallers(Peer mirror, Address self) {
        List<Peer> able = new ArrayList<>();
        for (Peer each : peers) {
            boolean same = each.at.sameIp(mirror.at) || each.at.sameIp(self);
            if (!same && each.at.isLocal() == self.isLocal()) able.add(each);
        }
        shuffle(able);
        able.sort(Comparator.comparingInt(p -> switch (silent.getOrDefault(Mappings.ip(p.at), 0)) {
            case 0 -> 1;
            case 1 -> 0; // once more, and it says something
            default -> 2;
        }));
        return able.subList(0, Math.min(isLight() ? 1 : DIALLERS, able.size()));
    }

    private void ask(Peer peer, Address target, boolean otherPort) {
        long call = rng.nextLong();
        long nonce = rng.nextLong();
        Asked asked = new Asked(peer, otherPort);
        byNonce.put(nonce, asked);
        byCall.put(call, asked);
        counters.add("nat.dialback.asks");
        Contact to = new Contact(peer.id, List.of(peer.at));
        out.accept(new Nat.Output.Ask(to, call, new Message.DialBack(target, nonce, otherPort)));
    }

    void answered(long nowNs, Id from, long call, Message.Dialed result) {
        Asked asked = byCall.get(call);
        if (asked == null || asked.answered || !asked.peer.id.equals(from)) return;
        asked.answered = true;
        asked.sent = result == Message.Dialed.SENT;
        for (Asked each : byCall.values()) if (!each.answered) return;
        stepNs = Math.min(stepNs, nowNs + LINGER_NS);
    }

    void dialledBack(long nowNs, Id by, Address from, int end, long nonce) {
        Asked asked = byNonce.get(nonce);
        Peer mirror = this.mirror;
        if (!running || mirror == null || end != this.end || asked == null || !asked.peer.id.equals(by)) {
            counters.add("nat.dialback.forged");
            return;
        }
        if (from.sameIp(mirror.at)) {
            otherPortSeen |= from.port() != mirror.at.port();
            return;
        }
        Address self = mapped;
        if (self == null || from.isLocal() != self.isLocal() || from.sameIp(self)) return;
        counters.add("nat.dialback.arrived");
        finish(nowNs, NatReport.Filtering.ENDPOINT_INDEPENDENT);
    }

    void tick(long nowNs) {
        if (running) step(nowNs);
        if (running) return;
        boolean stale = filtering == NatReport.Filtering.ENDPOINT_INDEPENDENT && nowNs - checkedNs >= PROOF_NS;
        if (stale) {
            filtering = NatReport.Filtering.UNKNOWN;
            nextNs = Math.min(nextNs, nowNs + GATHER_NS);
        }
        if (nowNs < nextNs) return;
        nextNs = Core.NEVER;
        if (peers.size() < 2) {
            if (filtering != NatReport.Filtering.UNKNOWN) nextNs = nowNs + BACKOFF_MIN_NS;
            return;
        }
        counters.add("nat.checks");
        running = true;
        runs = -1;
        otherPortSeen = false;
        mirrors.clear();
        silent.clear();
        silentMirrors.clear();
        ipsBefore = Math.max(ipsBefore, peers.size());
        nextRun(nowNs);
    }

    private void step(long nowNs) {
        if (nowNs < stepNs) return;
        Peer mirror = this.mirror;
        if (mirror != null && end != Nat.MAIN && mapped == null && echoes < ECHOES) {
            echoes++;
            stepNs = nowNs + ECHO_NS;
            out.accept(new Nat.Output.Echo(mirror.id, end, mirror.at, echo));
        } else {
            nextRun(nowNs);
        }
    }

    long deadlineNs() {
        if (running) return stepNs;
        boolean open = filtering == NatReport.Filtering.ENDPOINT_INDEPENDENT;
        return open ? Math.min(nextNs, checkedNs + PROOF_NS) : nextNs;
    }

    // ---- runs -------------------------------------------------------------------------------------------------------

    private void nextRun(long nowNs) {
        settle();
        NatReport.Filtering result = verdict();
        if (result != null || ++runs >= RUNS_MAX || peers.size() < 2) {
            finish(nowNs, result == null ? NatReport.Filtering.UNKNOWN : result);
            return;
        }
        List<Peer> able = new ArrayList<>(peers);
        shuffle(able);
        able.sort(Comparator.comparingInt(p -> {
            Address ip = Mappings.ip(p.at);
            return mirrors.contains(ip) ? 3 : Math.min(2, silent.getOrDefault(ip, 0));
        }));
        mirror = able.getFirst();
        if (!mirrors.add(Mappings.ip(mirror.at))) {
            mirrors.clear(); // everybody had a turn
            mirrors.add(Mappings.ip(mirror.at));
        }
        ticket = numbers.getAsLong();
        mapped = null;
        end = Nat.MAIN;
        stepNs = nowNs + OPEN_NS;
        out.accept(new Nat.Output.OpenEnd(ticket, v4));
    }

    /** Ends a run: who sent and was not heard was silent. */
    private void settle() {
        for (Asked each : byCall.values()) {
            Address ip = Mappings.ip(each.peer.at);
            if (!each.sent) continue;
            if (each.otherPort) silentMirrors.add(ip);
            else silent.merge(ip, 1, Integer::sum);
        }
        closeEnd();
    }

    private void closeEnd() {
        byCall.clear();
        byNonce.clear();
        if (end != Nat.MAIN) out.accept(new Nat.Output.CloseEnd(end));
        end = Nat.MAIN;
        mirror = null;
    }

    /** What the silence so far proves; null for nothing. */
    private NatReport.@Nullable Filtering verdict() {
        int ips = peers.size();
        int quiet = 0;
        for (int tries : silent.values()) if (tries >= TRIES) quiet++;
        // With many peers there may be many liars, and only a run whose mirror told the truth says anything.
        int mirrorsWanted = Math.clamp(ips - DIALLERS, 2, 5);
        if (quiet < Math.clamp(ips, 2, DIALLERS) || runs + 1 < mirrorsWanted) return null;
        if (otherPortSeen) return NatReport.Filtering.ADDRESS_DEPENDENT;
        return silentMirrors.size() >= 2 ? NatReport.Filtering.ADDRESS_AND_PORT_DEPENDENT : null;
    }

    private void finish(long nowNs, NatReport.Filtering result) {
        closeEnd();
        running = false;
        stepNs = Core.NEVER;
        finishedNs = nowNs;
        boolean open = result == NatReport.Filtering.ENDPOINT_INDEPENDENT;
        if (result == NatReport.Filtering.UNKNOWN) {
            counters.add("nat.checks.undecided");
            if (filtering == NatReport.Filtering.ENDPOINT_INDEPENDENT) {
                nextNs = nowNs + BACKOFF_MIN_NS; // until the last proof is too old
                return;
            }
            nextNs = nowNs + backoffNs;
            backoffNs = Math.min(2 * backoffNs, AGAIN_NS);
        } else {
            nextNs = nowNs + (open ? LIGHT_NS : AGAIN_NS);
            backoffNs = BACKOFF_MIN_NS;
            checkedNs = nowNs;
        }
        filtering = result;
    }

    private void abandon() {
        closeEnd();
        running = false;
        stepNs = Core.NEVER;
        nextNs = Core.NEVER;
    }

    private void shuffle(List<Peer> list) {
        for (int i = list.size() - 1; i > 0; i--) {
            int j = rng.below(i + 1);
            Peer other = list.get(i);
            list.set(i, list.get(j));
            list.set(j, other);
        }
    }
}
