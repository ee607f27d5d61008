package mcc.link;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * Remembers which addresses of each peer were tried and what came of it, and which path was used from when on, and why. It is
 * for people; nothing is decided by it.
 *
 * <p>Limits: {@link #PEERS_MAX} peers, also such whose link is gone, of which the one to which nothing happened for longest
 * gives way; of each the newest {@link #CHANGES_MAX} changes and the {@link #TRIES_MAX} addresses tried last.
 */
final class PathLog {
    static final int PEERS_MAX = 256;
    static final int CHANGES_MAX = 32;
    static final int TRIES_MAX = 16;
    /** After so long without an answer an address is told to be silent. */
    static final long PATIENCE_NS = 2_000_000_000L;

    /** An address that was tried; the relay is kept because a circuit does not outlive it. */
    private static final class Tried {
        final @Nullable Id relay;
        final long firstNs;
        int times;
        long lastNs;
        long answeredNs = Core.NEVER;
        long rttNs;

        Tried(@Nullable Id relay, long nowNs) {
            this.relay = relay;
            firstNs = nowNs;
            lastNs = nowNs;
        }
    }

    private static final class Of {
        final ArrayDeque<PathReport.Change> changes = new ArrayDeque<>();
        final LinkedHashMap<Address, Tried> tries = new LinkedHashMap<>();
        long dropped;
    }

    private final Counters counters;
    private final LinkedHashMap<Id, Of> peers = new LinkedHashMap<>(16, 0.75f, true);

    private long nowNs;

    PathLog(Counters counters) {
        this.counters = counters;
    }

    /** What happens from here on, happens now. */
    void at(long nowNs) {
        this.nowNs = nowNs;
    }

    /** A handshake or a challenge was sent to an address. */
    void tried(Id peer, Address at, @Nullable Id relay) {
        Tried tried = of(peer, at, relay);
        tried.times++;
        tried.lastNs = nowNs;
    }

    /** An address answered, or a handshake came from it. */
    void answered(Id peer, Path path, @Nullable Id relay) {
        Tried tried = of(peer, path.remote, relay);
        tried.answeredNs = nowNs;
        tried.rttNs = path.rttNs();
    }

    /** Packets go by another path from now on. */
    void moved(Id peer, Path to, @Nullable Id relay, PathCause cause) {
        Address at = to.remote.isCircuit() ? null : to.remote;
        add(of(peer), new PathReport.Change(nowNs, to.kind(), at, relay, cause, to.rttNs()));
    }

    /** There is no path any longer. */
    void lost(Id peer, PathCause cause) {
        Of of = peers.get(peer);
        if (of == null || of.changes.isEmpty() || of.changes.getLast().kind().equals("none")) return;
        add(of, new PathReport.Change(nowNs, "none", null, null, cause, 0));
    }

    private void add(Of of, PathReport.Change change) {
        if (of.changes.size() == CHANGES_MAX) {
            of.changes.removeFirst();
            dropped(of);
        }
        of.changes.addLast(change);
    }

    private void dropped(Of of) {
        of.dropped++;
        counters.add("link.path-log.dropped");
    }

    private Of of(Id peer) {
        Of of = peers.get(peer);
        if (of != null) return of;
        if (peers.size() == PEERS_MAX) {
            peers.remove(peers.keySet().iterator().next());
            counters.add("link.path-log.evicted");
        }
        of = new Of();
        peers.put(peer, of);
        return of;
    }

    /** Finds or makes the entry of an address, and moves it to the end. */
    private Tried of(Id peer, Address at, @Nullable Id relay) {
        Of of = of(peer);
        Tried tried = of.tries.remove(at);
        if (tried == null) tried = new Tried(relay, nowNs);
        if (of.tries.size() == TRIES_MAX) {
            of.tries.remove(of.tries.keySet().iterator().next());
            dropped(of);
        }
        of.tries.put(at, tried);
        return tried;
    }

    /** @param link the link to the peer; null without one */
    PathReport report(long nowNs, Id peer, @Nullable Link link) {
        Of of = peers.containsKey(peer) ? peers.get(peer) : null;
        List<PathReport.Try> tries = new ArrayList<>();
        if (of != null) {
            for (Map.Entry<Address, Tried> each : of.tries.entrySet()) {
                Tried t = each.getValue();
                Address at = each.getKey().isCircuit() ? null : each.getKey();
                PathReport.State state = state(nowNs, t, link, each.getKey());
                tries.add(new PathReport.Try(state, at, t.relay, t.times, t.firstNs, t.lastNs, t.answeredNs, t.rttNs));
            }
        }
        return new PathReport(
                link != null,
                link == null ? null : link.observed,
                link == null ? 0 : link.capabilities,
                of == null ? List.of() : List.copyOf(of.changes),
                tries,
                of == null ? 0 : of.dropped);
    }

    private static PathReport.State state(long nowNs, Tried t, @Nullable Link link, Address at) {
        if (link != null) {
            if (link.path != null && link.path.remote.equals(at)) return PathReport.State.IN_USE;
            boolean kept = link.paths.stream().anyMatch(path -> path.remote.equals(at) && path.isProven());
            if (kept) return PathReport.State.STANDBY;
        }
        if (t.answeredNs != Core.NEVER && t.answeredNs >= t.lastNs) return PathReport.State.ANSWERED;
        return nowNs - t.lastNs < PATIENCE_NS ? PathReport.State.WAITING : PathReport.State.SILENT;
    }
}
