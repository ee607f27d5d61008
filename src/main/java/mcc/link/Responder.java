package mcc.link;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.RateLimit;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.session.Cookies;
import mcc.session.Handshake;
import mcc.session.Session;
import mcc.wire.Handshakes;
import mcc.wire.Rpc;
import mcc.wire.pb.Cookie;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;
import mcc.wire.pb.Response;
import mcc.wire.pb.XxFinal;
import org.jspecify.annotations.Nullable;

/**
 * Handshakes that others begin, Noise IK and XX, and the limits on what they may cost.
 *
 * <p>An initiation passes in order: mac1 → its ephemeral key was not answered before → share of its source, if it has a
 * cookie; under load without one it only gets a cookie → queue → Noise → identity and policy → suite → no crossing initiation
 * of this node → response. Its early data count only if it is timely and its ephemeral key can be remembered. Its session is
 * {@link Pending} until the initiator's first transport packet proves that it was no replay; only then does it become the
 * session of a link.
 */
final class Responder {
    /** Handshakes per second above which a cookie is required; a burst of as many is taken without one. */
    static final int CALM_PER_SECOND = 100;
    /** Handshakes per second of one source that has shown a cookie: an IPv4 address, or a /64 of IPv6. */
    static final int SOURCE_PER_SECOND = 50;
    /** A burst of one source: behind one address there may be many nodes whose power has just come back. */
    static final int SOURCE_BURST = 100;
    /** Sources remembered; an attacker with more addresses than these is not slowed down by them. */
    private static final int SOURCES_MAX = 4096;
    /** Handshakes per turn of the event loop: an IK response costs about 0.35 ms. */
    static final int PER_TURN = 4;
    /** Initiations that may wait for their turn. */
    static final int QUEUE_MAX = 256;
    /** Responses whose initiators have not proved themselves yet. */
    static final int PENDING_MAX = 1024;
    /** How long such a response is kept. */
    static final long PENDING_NS = 10_000_000_000L;
    /**
     * Ephemeral keys remembered, so that an IK initiation is answered once; when there are more, early data is refused. Keys of
     * XX are not remembered: it has no early data, and a new initiation costs a stranger no more than repeating an old one.
     */
    static final int EPHEMERALS_MAX = 8192;
    /** Early data older or newer than this is ignored. */
    static final long EARLY_SKEW_MS = 600_000;

    /** A response whose initiator has not proved itself yet. */
    static final class Pending {
        final int index;
        final @Nullable Handshake xx;

        @Nullable
        Subject peer;

        byte @Nullable [] peerStatic;

        @Nullable
        Session session;
        /** What the peer said about its end, and the instance that this end told the peer. */
        @Nullable
        Hello hello;

        long localInstance;
        final Address from;
        /** The local end that the initiation came to. */
        final int local;
        /** Whether no main end had sent to that IP address before. */
        final boolean unsolicited;

        int remoteIndex;
        /** The one call that may be answered before the initiator proved itself, and how many bytes the answer may have. */
        long earlyCall = -1;

        int budgetBytes;
        final long diesNs;

        Pending(int index, @Nullable Handshake xx, Queued q, long diesNs) {
            this.index = index;
            this.xx = xx;
            from = q.from();
            local = q.local();
            unsolicited = q.unsolicited();
            this.diesNs = diesNs;
        }
    }

    record Queued(Initiation initiation, boolean xx, Address from, int local, int bytes, boolean unsolicited) {}

    private final Links links;
    private final Rng rng;
    private final Counters counters;
    private final Cookies cookies;
    private final byte[] mac1Key;
    private final byte[] mac1KeyXx;
    private final ArrayDeque<Queued> queue = new ArrayDeque<>();
    private long turnNs;
    private final Map<Integer, Pending> pending = new LinkedHashMap<>();
    private final Map<Id, Long> ephemerals = new LinkedHashMap<>();
    private final RateLimit<Integer> calm = new RateLimit<>(CALM_PER_SECOND, CALM_PER_SECOND, 1);
    private final RateLimit<Long> sources = new RateLimit<>(SOURCE_PER_SECOND, SOURCE_BURST, SOURCES_MAX);

    Responder(Links links, Rng rng, Counters counters) {
        this.links = links;
        this.rng = rng;
        this.counters = counters;
        cookies = new Cookies(rng.split(), 0);
        mac1Key = Cookies.mac1Key(links.config.network(), links.identity.agreementPublic());
        mac1KeyXx = Cookies.mac1KeyUnknown(links.config.network());
    }

    /** Queues an initiation, answers it with a cookie, or drops it. */
    void onInitiation(long nowNs, Initiation initiation, boolean xx, Address from, int bytes) {
        byte[] noise = initiation.getNoise().toByteArray();
        byte[] mac1 = initiation.getMac1().toByteArray();
        byte[] key = xx ? mac1KeyXx : mac1Key;
        if (!Cookies.same(Cookies.mac(key, initiation.getSender(), noise), mac1)) {
            counters.add("link.initiation.mac1");
            return;
        }
        if (noise.length < Id.BYTES || ephemerals.containsKey(Id.of(noise, 0))) {
            counters.add("link.initiation.repeated"); // a duplicate or a replay of one that was answered
            return;
        }
        boolean proven = cookies.isProven(
                nowNs, from, initiation.getSender(), noise, initiation.getMac2().toByteArray());
        if (proven && !sources.take(nowNs, from.source())) {
            counters.add("link.initiation.source");
            return;
        }
        if (!proven && !calm.take(nowNs, 0)) {
            counters.add("link.cookie.sent");
            byte[] salt = cookies.salt();
            links.post(
                    links.arrivedLocal,
                    from,
                    Datagram.newBuilder()
                            .setCookie(Cookie.newBuilder()
                                    .setReceiver(initiation.getSender())
                                    .setSalt(ByteString.copyFrom(salt))
                                    .setBox(ByteString.copyFrom(cookies.reply(nowNs, from, key, mac1, salt))))
                            .build()
                            .toByteArray());
            return;
        }
        if (queue.size() >= QUEUE_MAX) {
            counters.add("link.initiation.queue-full");
            return;
        }
        boolean unsolicited = !PacketSink.isEphemeral(links.arrivedLocal) && links.contacted.isStranger(nowNs, from);
        queue.add(new Queued(initiation, xx, from, links.arrivedLocal, bytes, unsolicited));
    }

    /** Answers at most {@link #PER_TURN} initiations, and forgets responses whose initiator did not prove itself in time. */
    void turn(long nowNs) {
        turnNs = nowNs + 1; // the rest waits for the next turn of the event loop
        for (int i = 0; i < PER_TURN && !queue.isEmpty(); i++) {
            Queued q = queue.removeFirst();
            if (q.xx()) respondXx(nowNs, q);
            else respond(nowNs, q);
        }
        for (Iterator<Pending> it = pending.values().iterator(); it.hasNext(); ) {
            Pending p = it.next();
            if (p.diesNs > nowNs) break;
            it.remove();
            links.slots.release(p.index);
        }
    }

    /** When {@link #turn} is due. */
    long deadlineNs() {
        if (!queue.isEmpty()) return turnNs;
        for (Pending p : pending.values()) return p.diesNs;
        return Core.NEVER;
    }

    private void respond(long nowNs, Queued q) {
        byte[] noise = q.initiation().getNoise().toByteArray();
        Handshake handshake = new Handshake(
                Handshake.Pattern.IK,
                false,
                links.config.prologue(),
                links.identity.agreementPrivate(),
                null,
                rng.bytes(32));
        byte[] clear = handshake.read(noise);
        InitiatorPayload payload = clear == null ? null : Handshakes.initiator(clear);
        Subject peer = payload == null ? null : admitted(nowNs, payload, handshake);
        if (payload == null || peer == null) return;
        Aead.Suite suite = choose(payload.getSuitesList());
        if (suite == null) return;
        if (crosses(nowNs, peer.node())) {
            counters.add("link.initiation.crossed");
            return;
        }
        Pending p = add(nowNs, null, q);
        p.peer = peer;
        Link known = links.find(peer.node());
        if (known != null) p.localInstance = known.instance;
        p.peerStatic = handshake.remoteStatic();
        p.hello = Hello.of(payload);
        Rpc early = early(nowNs, noise, payload);
        boolean refused = early == null && !payload.getEarly().isEmpty();
        byte[] out = handshake.write(payload(p, q.from(), List.of(suite))
                .setEarlyRefused(refused)
                .build()
                .toByteArray());
        if (out == null) return;
        p.session = new Session(
                nowNs, handshake.split(), suite, false, p.index, q.initiation().getSender());
        byte[] response = response(p.index, q.initiation().getSender(), out, false);
        links.post(q.local(), q.from(), response);
        counters.add("link.handshake.responded");
        p.budgetBytes = 3 * q.bytes() - response.length;
        if (early == null) return;
        p.earlyCall = early.call();
        links.asked(peer, q.from(), early);
    }

    private void respondXx(long nowNs, Queued q) {
        Handshake handshake = new Handshake(
                Handshake.Pattern.XX,
                false,
                links.config.prologue(),
                links.identity.agreementPrivate(),
                null,
                rng.bytes(32));
        if (handshake.read(q.initiation().getNoise().toByteArray()) == null) {
            counters.add("link.initiation.forged");
            return;
        }
        Pending p = add(nowNs, handshake, q);
        byte[] out = handshake.write(
                payload(p, q.from(), links.config.suites()).build().toByteArray());
        if (out == null) return;
        byte[] response = response(p.index, q.initiation().getSender(), out, true);
        if (response.length > 3 * q.bytes()) {
            counters.add("link.initiation.too-short");
            return;
        }
        p.remoteIndex = q.initiation().getSender();
        links.post(q.local(), q.from(), response);
    }

    /** The third message of XX: the initiator's key, which tells who the peer is and completes the session. */
    void onFinal(long nowNs, Pending p, XxFinal last, Address from) {
        if (p.xx == null || p.session != null) return;
        byte[] clear = p.xx.read(last.getNoise().toByteArray());
        InitiatorPayload payload = clear == null ? null : Handshakes.initiator(clear);
        Subject peer = payload == null ? null : admitted(nowNs, payload, p.xx);
        byte[] peerStatic = p.xx.remoteStatic();
        if (payload == null || peer == null || peerStatic == null) {
            drop(p);
            return;
        }
        Aead.Suite suite = payload.getSuitesCount() == 1 ? links.config.suite(payload.getSuites(0)) : null;
        if (suite == null) {
            counters.add("link.initiation.suite");
            drop(p);
            return;
        }
        p.peer = peer;
        p.peerStatic = peerStatic;
        p.hello = Hello.of(payload);
        p.session = new Session(nowNs, p.xx.split(), suite, false, p.index, p.remoteIndex);
        // This node drew a fresh ephemeral key for this handshake, so the third message cannot be a replay.
        promote(nowNs, p, from);
    }

    /** The initiator of a pending response proved itself: its session becomes the link's. */
    @Nullable
    Link promote(long nowNs, Responder.Pending p, Address from) {
        pending.remove(p.index);
        if (p.peer == null || p.peerStatic == null || p.session == null || p.hello == null) return null;
        Id peer = p.peer.node();
        Link link = links.find(peer);
        if (link == null) link = links.make(nowNs, peer, p.peerStatic);
        boolean other = link != null && link.remoteKnown && link.instance != p.localInstance;
        // A response to XX does not tell the instance of an existing link. So the link keeps its state, unless the
        // peer's instance is another one.
        boolean anew = p.xx != null && link != null && link.remoteInstance != p.hello.instance();
        if (link == null || other && !anew) {
            counters.add("link.pending.dropped");
            links.slots.release(p.index);
            if (link != null && p.xx != null && !link.canSend(nowNs)) links.initiator.begin(nowNs, link, from);
            return null;
        }
        link.instance = p.localInstance; // what the response told the peer
        links.established(nowNs, link, p.peer, p.session, p.hello, from);
        if (p.unsolicited && from.sameIp(p.from)) links.output(new LinkOutput.Unsolicited(peer, from));
        links.control(link, Paths.observed(from));
        return link;
    }

    /** Whether two initiations crossed and this node's wins: the lower node ID's does, as long as it is recent. */
    private boolean crosses(long nowNs, Id peer) {
        Link link = links.find(peer);
        if (link == null || link.attempts.isEmpty() || link.path != null && link.current != null) return false;
        boolean fresh = link.attemptCount == 1 && nowNs < link.roundNs + Initiator.RETRY_NS[0];
        return fresh && links.identity.id().compareTo(peer) < 0;
    }

    /** Finds the pending response that may answer this call early. */
    @Nullable
    Pending early(Id peer, long call) {
        for (Pending p : pending.values()) {
            if (p.earlyCall == call && p.peer != null && p.peer.node().equals(peer)) return p;
        }
        return null;
    }

    /** The request in the early data, if it may be answered before the initiator proved itself. */
    private @Nullable Rpc early(long nowNs, byte[] noise, InitiatorPayload payload) {
        boolean once = remember(nowNs, noise);
        if (payload.getEarly().isEmpty()) return null;
        boolean timely = Math.abs(links.epochMs(nowNs) - payload.getSentAtMs()) <= EARLY_SKEW_MS;
        byte[] early = payload.getEarly().toByteArray();
        Rpc rpc = once && timely ? Rpc.decode(early, 0, early.length, counters) : null;
        if (rpc == null || !Initiator.mayBeEarly(rpc.body())) {
            counters.add("link.early.refused");
            return null;
        }
        counters.add("link.early.accepted");
        return rpc;
    }

    /** Remembers the ephemeral key of an IK initiation, so that it is answered once; false when there are too many. */
    private boolean remember(long nowNs, byte[] noise) {
        for (Iterator<Long> it = ephemerals.values().iterator(); it.hasNext(); ) {
            if (nowNs - it.next() < 2 * EARLY_SKEW_MS * 1_000_000L) break;
            it.remove();
        }
        if (ephemerals.size() >= EPHEMERALS_MAX) return false;
        ephemerals.put(Id.of(noise, 0), nowNs);
        return true;
    }

    /** The peer, if it proved its identity and the policy admits it; one that is not admitted gets no answer. */
    private @Nullable Subject admitted(long nowNs, InitiatorPayload payload, Handshake handshake) {
        Subject peer = links.access.proven(payload.getIdentity().toByteArray(), handshake);
        if (peer == null) counters.add("link.initiation.identity");
        return peer != null && links.access.admits(nowNs, peer) ? peer : null;
    }

    /** There is a new policy: drops responses to initiators that it does not admit. */
    void judgeAgain(long nowNs) {
        for (Pending p : List.copyOf(pending.values()))
            if (p.peer != null && !links.access.admits(nowNs, p.peer)) drop(p);
    }

    private Aead.@Nullable Suite choose(List<Integer> offered) {
        for (int code : offered) {
            Aead.Suite suite = links.config.suite(code);
            if (suite != null) return suite;
        }
        counters.add("link.initiation.suite");
        return null;
    }

    private ResponderPayload.Builder payload(Pending p, Address from, List<Aead.Suite> suites) {
        ResponderPayload.Builder payload = ResponderPayload.newBuilder()
                .setIdentity(ByteString.copyFrom(links.identity.id().toBytes()))
                .setInstance(p.localInstance)
                .setVersion(Hello.VERSION)
                .setCapabilities(links.capabilities)
                .setLimits(links.config.connection().limits().payload());
        if (!from.isStandIn()) payload.setObserved(Handshakes.endpoint(from));
        for (Aead.Suite suite : suites) payload.addSuites(suite.code());
        return payload;
    }

    private static byte[] response(int index, int to, byte[] noise, boolean xx) {
        Response response = Response.newBuilder()
                .setSender(index)
                .setReceiver(to)
                .setNoise(ByteString.copyFrom(noise))
                .build();
        Datagram.Builder datagram = Datagram.newBuilder();
        return (xx ? datagram.setXxResponse(response) : datagram.setResponse(response))
                .build()
                .toByteArray();
    }

    private Pending add(long nowNs, @Nullable Handshake xx, Queued q) {
        if (pending.size() >= PENDING_MAX) {
            counters.add("link.pending.evicted");
            drop(pending.values().iterator().next());
        }
        int index = links.slots.free();
        Pending p = new Pending(index, xx, q, nowNs + PENDING_NS);
        p.localInstance = rng.nextLong();
        links.slots.occupy(index, new Slot.Responding(p));
        pending.put(index, p);
        return p;
    }

    private void drop(Pending p) {
        counters.add("link.pending.dropped");
        pending.remove(p.index);
        links.slots.release(p.index);
    }
}
