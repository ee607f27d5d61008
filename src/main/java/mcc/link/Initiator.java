package mcc.link;

import com.google.protobuf.ByteString;
import java.util.List;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.session.Cookies;
import mcc.session.Handshake;
import mcc.session.Session;
import mcc.wire.Contact;
import mcc.wire.Handshakes;
import mcc.wire.Message;
import mcc.wire.Rpc;
import mcc.wire.pb.Cookie;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;
import mcc.wire.pb.Response;
import org.jspecify.annotations.Nullable;

/**
 * Handshakes that this node begins with a peer whose key it knows: Noise IK.
 *
 * <p>Each attempt is a fresh handshake, and a late answer to an earlier one still counts. The next attempt follows after 300,
 * 600, 1,200 and then every 2,500 ms. An attempt goes out by the path in use at once, and to the addresses that others named
 * one after another, as in connection racing (RFC 8305 section 5), as far as {@link AddressBudget} allows.
 */
final class Initiator {
    /** One initiation that was sent. */
    static final class Attempt {
        final int index;
        final Handshake handshake;
        final byte[] mac1;
        /** The early data in it; null for none. */
        final @Nullable Bytes early;

        final byte[] datagram;

        Attempt(int index, Handshake handshake, byte[] mac1, @Nullable Bytes early, byte[] datagram) {
            this.index = index;
            this.handshake = handshake;
            this.mac1 = mac1;
            this.early = early;
            this.datagram = datagram;
        }
    }

    private static final long MS = 1_000_000L;
    /**
     * Attempts that go to relays alone where a peer has some: it is not reached otherwise, and what comes before it sent
     * something itself may spoil its NAT for hole punching, which follows. After them it may be that the relays are gone.
     */
    private static final int BY_RELAY = 3;

    static final long[] RETRY_NS = {300 * MS, 600 * MS, 1200 * MS, 2500 * MS};
    /** How long until the next address is tried: after a local one, and after any other. */
    private static final long NEAR_NS = 30 * MS;

    private static final long FAR_NS = 100 * MS;
    /** A peer without open streams is given up after this long. */
    static final long PATIENCE_NS = 7_100 * MS;
    /** With streams open, an outage of this length is survived. */
    static final long PATIENCE_STREAMS_NS = 30_000 * MS;
    /** Attempts whose answers are still accepted. */
    private static final int ATTEMPTS_MAX = 4;
    /** An initiation with early data is padded to this length, so that its answer is at most three times as long. */
    private static final int EARLY_DATAGRAM_BYTES = 420;

    private final Links links;
    private final Rng rng;
    private final Counters counters;
    private final AddressBudget budget;

    Initiator(Links links, Rng rng, Counters counters) {
        this.links = links;
        this.rng = rng;
        this.counters = counters;
        budget = new AddressBudget(counters);
    }

    /** Begins a handshake, unless one is under way; the link is gone afterwards if the policy does not allow one. */
    void begin(long nowNs, Link link) {
        if (link.nextAttemptNs != Core.NEVER) return;
        link.attemptCount = 0;
        link.firstAttemptNs = nowNs;
        attempt(nowNs, link);
    }

    /** A peer without a session was seen at this address: tries it there at once. */
    void begin(long nowNs, Link link, Address at) {
        budget.answered(nowNs, at);
        link.learn(at);
        if (link.nextAttemptNs == Core.NEVER) begin(nowNs, link);
        else attempt(nowNs, link);
    }

    /** There is a carrier to a relay: begins a handshake by it. */
    void carried(long nowNs, LinkInput.Carried c) {
        Link link = links.link(nowNs, new Contact(c.peer(), List.of()));
        if (link != null) begin(nowNs, link, c.carrier());
    }

    /** The retry timer of a link fired. */
    void tick(long nowNs, Link link) {
        if (nowNs < link.nextAttemptNs) return;
        long patience = link.wantedStreams() > 0 ? PATIENCE_STREAMS_NS : PATIENCE_NS;
        if (nowNs - link.firstAttemptNs < patience) {
            if (link.nextAddress < link.addresses.size() && !link.attempts.isEmpty()) {
                knock(nowNs, link, link.attempts.getLast());
            } else attempt(nowNs, link);
            return;
        }
        counters.add("link.handshake.timeout");
        boolean lives = link.canSend(nowNs) && link.heardNs >= link.firstAttemptNs;
        end(link); // a peer still heard under its old keys is not lost: the next packet to it begins a handshake again
        if (!lives) links.forget(link, LinkOutput.Reason.UNREACHABLE);
    }

    /** Nobody waits for a request's answer any longer; a handshake that only this request needed is given up too. */
    void cancel(Id peer, long call) {
        Link link = links.find(peer);
        if (link == null) return;
        link.calls.remove(call);
        boolean waited = link.waiting.removeIf(w -> w.call() == call);
        if (waited && link.isUnwanted() && !links.dialer.isFinishing(link)) {
            links.forget(link, LinkOutput.Reason.UNREACHABLE);
        }
    }

    /** Forgets all attempts of a link. */
    void end(Link link) {
        for (Attempt a : link.attempts) links.slots.release(a.index);
        link.attempts.clear();
        link.nextAttemptNs = Core.NEVER;
        link.cookie = null;
    }

    private void attempt(long nowNs, Link link) {
        if (!link.canSend(nowNs) && !links.access.admits(nowNs, link)) {
            links.end(nowNs, link, LinkOutput.Reason.DENIED);
            return;
        }
        int index = links.slots.free();
        links.slots.occupy(index, new Slot.Initiating(link));
        Handshake handshake = new Handshake(
                Handshake.Pattern.IK,
                true,
                links.config.prologue(),
                links.identity.agreementPrivate(),
                link.peerStatic,
                rng.bytes(32));
        Bytes early = link.current == null ? earlyOf(link) : null;
        byte[] noise = handshake.write(payload(nowNs, link.instance, early).toByteArray());
        if (noise == null) {
            counters.add("link.handshake.unsound-key");
            links.slots.release(index);
            end(link);
            links.forget(link, LinkOutput.Reason.UNREACHABLE);
            return;
        }
        byte[] mac1 = Cookies.mac(Cookies.mac1Key(links.config.network(), link.peerStatic), index, noise);
        Initiation.Builder initiation = Initiation.newBuilder()
                .setSender(index)
                .setNoise(ByteString.copyFrom(noise))
                .setMac1(ByteString.copyFrom(mac1));
        if (link.cookie != null) {
            initiation.setMac2(ByteString.copyFrom(Cookies.mac(link.cookie, index, noise)));
        }
        Datagram.Builder datagram = Datagram.newBuilder();
        int pad = early == null ? 0 : EARLY_DATAGRAM_BYTES - noise.length;
        if (pad > 0) initiation.setPadding(ByteString.copyFrom(new byte[pad]));
        byte[] bytes = datagram.setInitiation(initiation).build().toByteArray();
        Attempt attempt = new Attempt(index, handshake, mac1, early, bytes);
        link.attempts.add(attempt);
        if (link.attempts.size() > ATTEMPTS_MAX) links.slots.release(link.attempts.removeFirst().index);
        counters.add("link.handshake.initiated");
        link.attemptCount++;
        link.roundNs = nowNs;
        link.nextAddress = 0;
        if (link.path != null) links.post(link.path.local, link.path.remote, bytes);
        for (Address circuit : link.circuits) {
            if (link.path == null || !circuit.equals(link.path.remote)) links.post(PacketSink.ANY, circuit, bytes);
        }
        links.wantWay(link);
        knock(nowNs, link, attempt);
    }

    /** Whether a small datagram may go to an address that nobody proved. */
    boolean mayKnock(long nowNs, LinkInput.Knock knock) {
        return knock.manner().isOfMany() ? budget.guess(nowNs, knock.at()) : budget.knock(nowNs, knock.at());
    }

    /** There is a circuit to a peer: the newest attempt goes there too. */
    void way(long nowNs, Link link, Address circuit) {
        if (link.attempts.isEmpty()) return;
        links.post(PacketSink.ANY, circuit, link.attempts.getLast().datagram);
        links.log.tried(link.peer, circuit, links.circuits.relay(circuit));
    }

    /** Sends the attempt to the next address that is not the path in use, and plans the address after it or another attempt. */
    private void knock(long nowNs, Link link, Attempt attempt) {
        long againNs = link.roundNs + RETRY_NS[Math.min(link.attemptCount, RETRY_NS.length) - 1];
        long waitNs = 0;
        while (link.nextAddress < link.addresses.size() && waitNs == 0) {
            Address to = link.addresses.get(link.nextAddress++);
            boolean early = !link.relays.isEmpty() && !to.isLocal() && !to.isCarrier() && link.attemptCount <= BY_RELAY;
            if (early || link.path != null && to.equals(link.path.remote) || !budget.take(nowNs, to)) continue;
            links.post(PacketSink.ANY, to, attempt.datagram);
            links.log.tried(link.peer, to, null);
            waitNs = to.isLocal() ? NEAR_NS : FAR_NS;
        }
        boolean more = link.nextAddress < link.addresses.size();
        // An address that was learnt when the others were through may be one that is passed over: then the next attempt
        // is due.
        link.nextAttemptNs = more ? nowNs + waitNs : Math.max(againNs, nowNs + Math.max(waitNs, MS));
        links.schedule(link);
    }

    private static @Nullable Bytes earlyOf(Link link) {
        Link.Waiting first = link.waiting.peekFirst();
        return first != null && mayBeEarly(first.message()) ? first.message() : null;
    }

    private InitiatorPayload payload(long nowNs, long instance, @Nullable Bytes early) {
        InitiatorPayload.Builder payload = InitiatorPayload.newBuilder()
                .setIdentity(ByteString.copyFrom(links.identity.id().toBytes()))
                .setSentAtMs(links.epochMs(nowNs))
                .setInstance(instance)
                .setVersion(Hello.VERSION)
                .setCapabilities(links.capabilities)
                .setLimits(links.config.connection().limits().payload());
        for (Aead.Suite suite : links.config.suites()) payload.addSuites(suite.code());
        if (early != null) payload.setEarly(ByteString.copyFrom(early.toArray()));
        return payload.build();
    }

    /** An answer to one of the attempts. */
    void onResponse(long nowNs, Link link, Response response, Address from, int bytes) {
        Attempt attempt = find(link, response.getReceiver());
        if (attempt == null) return;
        byte[] clear = attempt.handshake.read(response.getNoise().toByteArray());
        ResponderPayload payload = clear == null ? null : Handshakes.responder(clear);
        Subject peer = payload == null
                ? null
                : links.access.proven(payload.getIdentity().toByteArray(), attempt.handshake);
        if (payload == null || peer == null || !peer.node().equals(link.peer)) {
            counters.add("link.response.forged");
            discard(link, attempt);
            return;
        }
        Aead.Suite suite = payload.getSuitesCount() == 1 ? links.config.suite(payload.getSuites(0)) : null;
        if (suite == null) {
            counters.add("link.response.suite");
            discard(link, attempt);
            return;
        }
        if (!links.access.admits(nowNs, peer)) {
            links.end(nowNs, link, LinkOutput.Reason.DENIED);
            return;
        }
        Session session =
                new Session(nowNs, attempt.handshake.split(), suite, true, attempt.index, response.getSender());
        budget.answered(nowNs, from);
        link.attempts.remove(attempt);
        link.rxBytes += bytes;
        // Early data is answered right behind this response; if it was refused, the request is sent again, sealed.
        Bytes early = payload.getEarlyRefused() ? null : attempt.early;
        if (early != null) link.waiting.removeIf(w -> w.message().equals(early));
        links.established(nowNs, link, peer, session, Hello.of(payload), from);
        Address observed = Handshakes.address(payload.getObserved());
        if (observed != null) links.observed(link.peer, from, observed);
        links.control(link, Paths.observed(from));
    }

    /** The peer is under load and wants the address validated first. */
    void onCookie(long nowNs, Link link, Cookie cookie, Address from) {
        Attempt attempt = find(link, cookie.getReceiver());
        if (attempt == null) return;
        byte[] opened = Cookies.open(
                Cookies.mac1Key(links.config.network(), link.peerStatic),
                attempt.mac1,
                cookie.getSalt().toByteArray(),
                cookie.getBox().toByteArray());
        if (opened == null) {
            counters.add("link.cookie.forged");
            return;
        }
        boolean first = link.cookie == null;
        link.cookie = opened;
        counters.add("link.cookie.received");
        budget.answered(nowNs, from);
        if (link.addresses.contains(from)) link.learn(from); // somebody answers there
        if (first) attempt(nowNs, link);
    }

    private static @Nullable Attempt find(Link link, int index) {
        for (Attempt a : link.attempts) if (a.index == index) return a;
        return null;
    }

    private void discard(Link link, Attempt attempt) {
        link.attempts.remove(attempt);
        links.slots.release(attempt.index);
    }

    /** Whether a message may be early data: it can be replayed, so only what changes nothing may. */
    static boolean mayBeEarly(Message m) {
        return m instanceof Message.Ping || m instanceof Message.FindNode || m instanceof Message.FindValue;
    }

    static boolean mayBeEarly(Bytes encoded) {
        if (encoded.size() > Handshakes.EARLY_BYTES) return false;
        Rpc rpc = Rpc.decode(encoded.toArray(), 0, encoded.size(), new Counters());
        return rpc != null && mayBeEarly(rpc.body());
    }
}
