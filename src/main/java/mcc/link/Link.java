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
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.TransportParameters;
import org.jspecify.annotations.Nullable;

/**
 * One peer's state: plain fields that {@link Links}, {@link Initiator} and {@link Responder} work on.
 *
 * <p>Unconnected → shaking hands → established → (rekeying) → gone. Sessions come and go; {@link #connection} lives as
 * long as the peer keeps its own end of it, which {@link #remoteInstance} tells.
 */
final class Link {
    /** Requests that may wait for a session; the oldest gives way. */
    static final int WAITING_MAX = 64;
    /** Calls whose answer is awaited; the oldest gives way. */
    static final int CALLS_MAX = 128;
    /** Addresses remembered of one peer. */
    static final int ADDRESSES_MAX = 8;
    /** Circuits remembered of one peer. */
    static final int CIRCUITS_MAX = 4;
    /** How much a host whose code is not compiled yet may add to the round trip of a first request. */
    private static final long DOUBT_NS = 20_000_000;
    /** Requests counted for the least round trip: after so many, what is taken off it is 20 ns. */
    private static final int SAMPLES_MAX = 1_000_000;

    /** A message that waits for a session. */
    record Waiting(long call, Bytes message) {}

    final Id peer;
    final byte[] peerStatic;
    /** Who the peer proved to be in the newest handshake; null before the first. */
    @Nullable
    Subject subject;

    /** Names this end's state of the link; told in every handshake. */
    long instance;

    Connection connection;
    /** Whether the connection knows the limits that the peer told. */
    boolean agreed;

    long remoteInstance;
    boolean remoteKnown;
    /** Whether that instance sent anything after the handshake and its early data: until then the peer may have dropped it. */
    boolean remoteHeard;

    @Nullable
    Session current;

    @Nullable
    Session previous;

    /** The path in use; null until one is validated. */
    @Nullable
    Path path;

    /** The path in use, standby paths, and candidates. Limit: {@link Paths#MAX}. */
    final List<Path> paths = new ArrayList<>();

    /** The address at which the peer last saw this node. */
    @Nullable
    Address observed;

    /** Addresses that handshakes try, best first. */
    final List<Address> addresses = new ArrayList<>();

    /** Circuits to it, newest first; handshakes try them beside its addresses. Limit: {@link #CIRCUITS_MAX}. */
    final List<Address> circuits = new ArrayList<>();

    /** Relays that keep a place for it, as somebody told. */
    List<Contact> relays = List.of();

    /** What it does ({@link mcc.wire.Capabilities}). */
    long capabilities;

    final Parts parts = new Parts();

    /** Handshakes under way, oldest first; answers to any of them count. */
    final List<Initiator.Attempt> attempts = new ArrayList<>();

    int attemptCount;
    /** When the newest attempt began, and which address it tries next. */
    long roundNs;

    int nextAddress;
    long firstAttemptNs;
    long nextAttemptNs = Core.NEVER;
    byte @Nullable [] cookie;

    final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    final Map<Long, Long> calls = new LinkedHashMap<>();
    final ArrayDeque<byte[]> controls = new ArrayDeque<>();
    long rpcRttNs;
    /** The least round trip of requests: a shorter one counts at once, a longer one moves it slowly. */
    private long leastRpcRttNs;
    /** How many requests were measured for it. */
    private int rpcSamples;
    /** Since when the link has had keys. */
    long upNs;

    final long sinceNs;
    long heardNs;
    long sentNs;
    /** Since when an answer is awaited and nothing was heard; NEVER when none is. */
    long expectingNs = Core.NEVER;

    long txBytes;
    long rxBytes;
    /** What came over the path in use since it was last asked about because of silence ({@link Liveness}). */
    long loadBytes;

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

    /** Who the peer proved to be; to be asked only once there are keys, because before that nobody has proved anything. */
    Subject subject() {
        return Objects.requireNonNull(subject);
    }

    /** Takes over the limits that the peer told in its handshake, before the first packet. */
    void agree(Hello hello, StreamConfig own) {
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

    /** The number of streams that somebody at this end still uses. */
    int wantedStreams() {
        return connection.wantedStreams();
    }

    /** Whether something waits that needs new keys. */
    boolean wantsKeys() {
        return connection.wantedStreams() > 0 || connection.unackedSinceNs() != Core.NEVER || !waiting.isEmpty();
    }

    /** Whether the peer was not reached yet and nobody waits for it any longer. */
    boolean isUnwanted() {
        return current == null && !packetsWanted && connection.wantedStreams() == 0 && waiting.isEmpty();
    }

    /** An authentic datagram came. */
    void heard(long nowNs, int bytes) {
        heardNs = nowNs;
        expectingNs = Core.NEVER;
        rxBytes += bytes;
    }

    /** Since when an answer is awaited; {@link Core#NEVER} when none is. */
    long expectingSinceNs() {
        long since = Math.min(expectingNs, connection.unackedSinceNs());
        return since == Core.NEVER ? Core.NEVER : Math.max(since, heardNs);
    }

    /** Where a relay may reach it: a few of its addresses, those that lead far first. */
    List<Address> reachable() {
        List<Address> out = new ArrayList<>();
        for (boolean local : new boolean[] {false, true}) {
            for (Address at : addresses) {
                if (at.isUnicast() && at.isLocal() == local && out.size() < Limits.RELAY_ADDRESSES) out.add(at);
            }
        }
        return out;
    }

    /** Adds an address to try, or moves it to the front: the newest comes first. */
    void learn(Address address) {
        List<Address> of = address.isCircuit() ? circuits : addresses;
        of.remove(address);
        of.addFirst(address);
        if (of.size() > (address.isCircuit() ? CIRCUITS_MAX : ADDRESSES_MAX)) of.removeLast();
    }

    /** Takes a request's round trip. One that waited for keys says little about the path: it counts only until the next one. */
    void answered(long askedNs, long nowNs) {
        long rttNs = nowNs - askedNs;
        if (askedNs < upNs) {
            if (rpcRttNs == 0) rpcRttNs = rttNs;
            return;
        }
        rpcRttNs = rpcSamples == 0 ? rttNs : (7 * rpcRttNs + rttNs) / 8;
        if (rpcSamples < SAMPLES_MAX) rpcSamples++;
        leastRpcRttNs = leastRpcRttNs == 0 || rttNs < leastRpcRttNs ? rttNs : (15 * leastRpcRttNs + rttNs) / 16;
    }

    /** The least round trip, by streams or by requests; the fewer requests were measured, the more is taken off theirs. */
    private long leastRttNs() {
        long byRequests = rpcSamples == 0 ? 0 : Math.max(1, leastRpcRttNs - DOUBT_NS / rpcSamples);
        long byStreams = connection.minRttNs();
        return byStreams == 0 || byRequests > 0 && byRequests < byStreams ? byRequests : byStreams;
    }

    /** @param relay which relay carries its packets; null for none */
    Peer view(@Nullable Id relay) {
        Path use = path;
        boolean relayed = use != null && use.remote.isCircuit();
        long rtt = connection.minRttNs() == 0 ? 0 : connection.smoothedRttNs();
        return new Peer(
                peer,
                use == null || relayed ? null : use.remote,
                relay,
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

    /** Reports this link if it has a session. */
    void tell(Contacted contacted, Consumer<LinkOutput> out) {
        if (current == null || path == null) return;
        long sinceNs = contacted.sinceNs(path.remote);
        out.accept(new LinkOutput.Stands(subject(), path.remote, observed, path.local, sinceNs, capabilities));
    }
}
