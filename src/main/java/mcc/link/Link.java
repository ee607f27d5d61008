package mcc.link;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Id;
import mcc.session.Session;
import mcc.stream.Connection;
import mcc.wire.TransportParameters;
import org.jspecify.annotations.Nullable;

/**
 * One peer's state: plain fields that {@link Links}, {@link Initiator} and {@link Responder} work on.
 *
 * <p>Unconnected → shaking hands → established → (rekeying) → gone. Sessions come and go; {@link #connection} lives as
 * long as the peer keeps its own end of it, which {@link #remoteInstance} tells.
 */
final class Link {
    /** Requests that wait for a session; the oldest gives way. */
    static final int WAITING_MAX = 64;
    /** Calls whose round trip is being measured. */
    static final int CALLS_MAX = 128;
    /** Addresses tried for one peer. */
    static final int ADDRESSES_MAX = 8;
    /** What a first request to a host whose code is cold may take longer than the path. */
    private static final long DOUBT_NS = 20_000_000;

    /** A message that waits for a session. */
    record Waiting(long call, Bytes message) {}

    final Id peer;
    final byte[] peerStatic;
    /** Who the peer proved to be in the newest handshake; null before the first. */
    @Nullable
    Subject subject;

    /** Names this end's state; told in every handshake. */
    long instance;

    Connection connection;
    /** Whether the connection knows what the peer told of its limits. */
    boolean agreed;

    long remoteInstance;
    boolean remoteKnown;
    /** Whether that end was heard from, beyond the handshake and what rode in it: before, the peer may not have kept it. */
    boolean remoteHeard;

    @Nullable
    Session current;

    @Nullable
    Session previous;

    /** By which packets go; null until one is proved. */
    @Nullable
    Path path;

    /** The one in use, those that stand by, and candidates. Limit: {@link Paths#MAX}. */
    final List<Path> paths = new ArrayList<>();

    /** From which address the peer heard this node last. */
    @Nullable
    Address observed;

    /** Where the peer may be, best first: what handshakes try. */
    final List<Address> addresses = new ArrayList<>();

    final Parts parts = new Parts();

    /** Handshakes under way, oldest first; answers to any of them count. */
    final List<Initiator.Attempt> attempts = new ArrayList<>();

    int attemptCount;
    /** When the newest attempt began, and which of the addresses is its next. */
    long roundNs;

    int nextAddress;
    long firstAttemptNs;
    long nextAttemptNs = Core.NEVER;
    byte @Nullable [] cookie;

    final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    final Map<Long, Long> calls = new LinkedHashMap<>();
    final ArrayDeque<byte[]> controls = new ArrayDeque<>();
    long rpcRttNs;
    /** Falls at once and rises slowly. */
    private long leastRpcRttNs;
    /** How many requests that rests on. */
    private int rpcSamples;
    /** When the newest keys were agreed on. */
    long upNs;

    final long sinceNs;
    long heardNs;
    long sentNs;
    /** Since when something that wants an answer is out and nothing was heard; NEVER when all is quiet. */
    long expectingNs = Core.NEVER;

    long txBytes;
    long rxBytes;
    boolean dirty;
    boolean gone;
    /** Whether the virtual interface asked for the keys that are being agreed on. */
    boolean packetsWanted;

    long dueNs = Core.NEVER;
    long dueNumber;

    Link(Id peer, byte[] peerStatic, long instance, Connection connection, long nowNs) {
        this.peer = peer;
        this.peerStatic = peerStatic;
        this.instance = instance;
        this.connection = connection;
        sinceNs = nowNs;
        heardNs = nowNs;
    }

    /** Who the peer proved to be; for what comes under keys, which stand on that proof. */
    Subject subject() {
        return Objects.requireNonNull(subject);
    }

    /** The peer told of its end: what holds between the two from the first packet on. */
    void agree(Hello hello, mcc.stream.Config own) {
        if (agreed) return;
        agreed = true;
        connection.agreed(hello.speaksTwo() ? own.limits() : TransportParameters.V1, hello.limits());
    }

    boolean canSend(long nowNs) {
        return current != null && current.isAlive(nowNs) && path != null;
    }

    int streams() {
        return connection.openStreams();
    }

    /** Streams that somebody at this end still uses. */
    int wantedStreams() {
        return connection.wantedStreams();
    }

    /** Whether something waits that only new keys can carry. */
    boolean wantsKeys() {
        return connection.wantedStreams() > 0 || connection.unackedSinceNs() != Core.NEVER || !waiting.isEmpty();
    }

    /** Whether nobody waits any longer for a peer that was not reached yet. */
    boolean isUnwanted() {
        return current == null && !packetsWanted && connection.wantedStreams() == 0 && waiting.isEmpty();
    }

    /** An authentic datagram came. */
    void heard(long nowNs, int bytes) {
        heardNs = nowNs;
        expectingNs = Core.NEVER;
        rxBytes += bytes;
    }

    /** Since when an answer is out that should have come; {@link Core#NEVER} when none is. */
    long expectingSinceNs() {
        long since = Math.min(expectingNs, connection.unackedSinceNs());
        return since == Core.NEVER ? Core.NEVER : Math.max(since, heardNs);
    }

    /** Adds an address to try, newest knowledge first. */
    void learn(Address address) {
        addresses.remove(address);
        addresses.addFirst(address);
        if (addresses.size() > ADDRESSES_MAX) addresses.removeLast();
    }

    /** Takes the round trip of a request. One that waited for the keys says little of the path: it counts until another does. */
    void answered(long askedNs, long nowNs) {
        long rttNs = nowNs - askedNs;
        if (askedNs < upNs) {
            if (rpcRttNs == 0) rpcRttNs = rttNs;
            return;
        }
        rpcRttNs = rpcSamples == 0 ? rttNs : (7 * rpcRttNs + rttNs) / 8;
        if (rpcSamples < DOUBT_NS) rpcSamples++;
        leastRpcRttNs = leastRpcRttNs == 0 || rttNs < leastRpcRttNs ? rttNs : (15 * leastRpcRttNs + rttNs) / 16;
    }

    /** How far the peer is, as told by streams, else by requests: the fewer there were, the kinder the guess. */
    private long leastRttNs() {
        long byRequests = rpcSamples == 0 ? 0 : Math.max(1, leastRpcRttNs - DOUBT_NS / rpcSamples);
        long byStreams = connection.minRttNs();
        return byStreams == 0 || byRequests > 0 && byRequests < byStreams ? byRequests : byStreams;
    }

    Peer view() {
        long rtt = connection.minRttNs() == 0 ? 0 : connection.smoothedRttNs();
        return new Peer(
                peer,
                path == null ? null : path.remote,
                current != null,
                current == null ? "" : current.suite().name(),
                rtt > 0 ? rtt : rpcRttNs,
                leastRttNs(),
                connection.lossPpm(),
                txBytes,
                rxBytes,
                streams(),
                sinceNs,
                heardNs);
    }

    /** Says that it stands, where it does. */
    void tell(Consumer<LinkOutput> out) {
        if (current != null && path != null) out.accept(new LinkOutput.Stands(subject(), path.remote, observed));
    }
}
