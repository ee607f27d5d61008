package mcc.link;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.link.LinkOutput.Reason;
import mcc.session.Cookies;
import mcc.session.Handshake;
import mcc.session.Session;
import mcc.wire.Handshakes;
import mcc.wire.pb.Cookie;
import mcc.wire.pb.Datagram;
import mcc.wire.pb.Initiation;
import mcc.wire.pb.InitiatorPayload;
import mcc.wire.pb.ResponderPayload;
import mcc.wire.pb.Response;
import mcc.wire.pb.XxFinal;
import org.jspecify.annotations.Nullable;

/** First contacts that this node makes by address alone: Noise XX, the initiator's side. */
final class Dialer {
    private static final long MS = 1_000_000L;
    private static final long[] RETRY_NS = {300 * MS, 600 * MS, 1200 * MS};
    private static final int ATTEMPTS = 4;
    /** An initiation is padded to this length, so that its answer is at most three times as long. */
    private static final int DATAGRAM_BYTES = 200;

    private final Links links;
    private final Rng rng;
    private final Counters counters;
    private final List<Dial> dials = new ArrayList<>();

    Dialer(Links links, Rng rng, Counters counters) {
        this.links = links;
        this.rng = rng;
        this.counters = counters;
    }

    void begin(long nowNs, long ticket, Address to) {
        if (dials.size() >= Links.DIALS_MAX) {
            counters.add("link.dial.refused");
            links.output(new LinkOutput.NotDialled(ticket, to, Reason.OVERLOADED));
            return;
        }
        Dial dial = new Dial(ticket, to);
        dials.add(dial);
        attempt(nowNs, dial);
    }

    /** Whether a first contact is under way that will give this link its keys. */
    boolean isFinishing(Link link) {
        for (Dial dial : dials) if (dial.link == link) return true;
        return false;
    }

    void tick(long nowNs) {
        for (Dial dial : List.copyOf(dials)) {
            if (dial.nextNs > nowNs) continue;
            if (dial.link != null && dial.link.path != null && dial.link.canSend(nowNs))
                done(dial, dial.link.path.remote);
            else if (dial.isCalling()) awaitKeys(nowNs, dial);
            else if (dial.attempts >= ATTEMPTS) fail(dial, Reason.UNREACHABLE);
            else if (dial.last != null) finishAgain(nowNs, dial);
            else attempt(nowNs, dial);
        }
    }

    long deadlineNs() {
        long next = Core.NEVER;
        for (Dial dial : dials) next = Math.min(next, dial.nextNs);
        return next;
    }

    private void attempt(long nowNs, Dial dial) {
        if (dial.index != 0) links.slots.release(dial.index);
        dial.index = links.slots.free();
        links.slots.occupy(dial.index, new Slot.Dialing(dial));
        Handshake handshake = new Handshake(
                Handshake.Pattern.XX,
                true,
                links.config.prologue(),
                links.identity.agreementPrivate(),
                null,
                rng.bytes(32));
        byte[] noise = handshake.write(new byte[0]);
        if (noise == null) return;
        dial.handshake = handshake;
        dial.mac1 = Cookies.mac(Cookies.mac1KeyUnknown(links.config.network()), dial.index, noise);
        Initiation.Builder initiation = Initiation.newBuilder()
                .setSender(dial.index)
                .setNoise(ByteString.copyFrom(noise))
                .setMac1(ByteString.copyFrom(dial.mac1))
                .setPadding(ByteString.copyFrom(new byte[DATAGRAM_BYTES - noise.length]));
        if (dial.cookie != null) {
            initiation.setMac2(ByteString.copyFrom(Cookies.mac(dial.cookie, dial.index, noise)));
        }
        links.post(
                dial.local,
                dial.to,
                Datagram.newBuilder().setXxInitiation(initiation).build().toByteArray());
        dial.nextNs = nowNs + RETRY_NS[Math.min(dial.attempts++, RETRY_NS.length - 1)];
        counters.add("link.dial.initiated");
    }

    void onCookie(long nowNs, Dial dial, Cookie cookie) {
        byte[] key = Cookies.mac1KeyUnknown(links.config.network());
        byte[] mac1 = dial.mac1;
        byte[] opened = mac1 == null
                ? null
                : Cookies.open(
                        key,
                        mac1,
                        cookie.getSalt().toByteArray(),
                        cookie.getBox().toByteArray());
        if (opened == null) {
            counters.add("link.cookie.forged");
            return;
        }
        boolean first = dial.cookie == null;
        dial.local = links.arrivedLocal;
        dial.cookie = opened;
        if (first) attempt(nowNs, dial);
    }

    void onResponse(long nowNs, Dial dial, Response response, Address from) {
        Handshake handshake = dial.handshake;
        if (handshake == null || dial.last != null) return;
        byte[] clear = handshake.read(response.getNoise().toByteArray());
        ResponderPayload payload = clear == null ? null : Handshakes.responder(clear);
        Subject who = payload == null
                ? null
                : links.access.proven(payload.getIdentity().toByteArray(), handshake);
        Aead.Suite suite = payload == null ? null : choose(payload.getSuitesList());
        byte[] peerStatic = handshake.remoteStatic();
        if (payload == null || who == null || suite == null || peerStatic == null) {
            counters.add("link.response.forged");
            fail(dial, Reason.REFUSED);
            return;
        }
        if (!links.access.admits(nowNs, who)) {
            fail(dial, Reason.DENIED); // the peer does not learn who dialled: only the third message says so
            return;
        }
        Id peer = who.node();
        Link link = links.find(peer);
        if (link != null && link.canSend(nowNs)) {
            dial.link = link;
            if (from.isCarrier()) links.initiator.begin(nowNs, link, from); // the link is to have this path as well
            done(dial, from);
            return;
        }
        if (link != null && link.remoteKnown) {
            // A response to XX does not tell the instance of an existing link. Called by its key, the peer tells it.
            dial.link = link;
            dial.handshake = null;
            links.initiator.begin(nowNs, link, from);
            awaitKeys(nowNs, dial);
            return;
        }
        if (link == null) link = links.make(nowNs, peer, peerStatic);
        if (link == null) {
            fail(dial, Reason.OVERLOADED);
            return;
        }
        byte[] last = handshake.write(InitiatorPayload.newBuilder()
                .setIdentity(ByteString.copyFrom(links.identity.id().toBytes()))
                .setSentAtMs(links.epochMs(nowNs))
                .setInstance(link.instance)
                .setVersion(Hello.VERSION)
                .setCapabilities(links.capabilities)
                .setLimits(links.config.connection().limits().payload())
                .addSuites(suite.code())
                .build()
                .toByteArray());
        if (last == null) {
            fail(dial, Reason.REFUSED);
            return;
        }
        dial.link = link;
        dial.peer = who;
        dial.hello = Hello.of(payload);
        dial.session = new Session(nowNs, handshake.split(), suite, true, dial.index, response.getSender());
        dial.last = Datagram.newBuilder()
                .setXxFinal(
                        XxFinal.newBuilder().setReceiver(response.getSender()).setNoise(ByteString.copyFrom(last)))
                .build()
                .toByteArray();
        dial.attempts = 0;
        dial.local = links.arrivedLocal;
        Address observed = Handshakes.address(payload.getObserved());
        if (observed != null) links.observed(peer, from, observed);
        finishAgain(nowNs, dial);
    }

    private void awaitKeys(long nowNs, Dial dial) {
        Link link = dial.link;
        if (link == null || link.gone || link.nextAttemptNs == Core.NEVER) fail(dial, Reason.UNREACHABLE);
        else dial.nextNs = nowNs + RETRY_NS[0];
    }

    /** A link has keys now: every first contact that waited for them is done. */
    void reached(Link link, Address at) {
        for (Dial dial : List.copyOf(dials)) if (dial.link == link && dial.isCalling()) done(dial, at);
    }

    private void finishAgain(long nowNs, Dial dial) {
        if (dial.last == null) return;
        links.post(dial.local, dial.to, dial.last);
        dial.nextNs = nowNs + RETRY_NS[Math.min(dial.attempts++, RETRY_NS.length - 1)];
    }

    /** The responder has sent a packet with the new keys, which confirms the handshake. */
    void confirmed(long nowNs, Dial dial, Address from) {
        Link link = dial.link;
        Session session = dial.session;
        Subject peer = dial.peer;
        Hello hello = dial.hello;
        if (link == null || peer == null || session == null || hello == null) return;
        dials.remove(dial);
        links.established(nowNs, link, peer, session, hello, from);
        links.control(link, Paths.observed(from));
        links.output(new LinkOutput.Dialled(dial.ticket, link.peer, from));
    }

    /** The peer was reached in another way meanwhile, so a second session is not needed. */
    private void done(Dial dial, Address at) {
        if (dial.link == null) return;
        dials.remove(dial);
        links.slots.release(dial.index);
        links.output(new LinkOutput.Dialled(dial.ticket, dial.link.peer, at));
    }

    private void fail(Dial dial, Reason reason) {
        dials.remove(dial);
        links.slots.release(dial.index);
        links.output(new LinkOutput.NotDialled(dial.ticket, dial.to, reason));
    }

    /** There is a new policy: peers that answered under the old one are judged by it before they get keys. */
    void judgeAgain(long nowNs) {
        for (Dial dial : List.copyOf(dials)) {
            if (dial.link == null || dial.peer == null || links.access.admits(nowNs, dial.peer)) continue;
            fail(dial, Reason.DENIED);
            links.end(nowNs, dial.link, Reason.DENIED);
        }
    }

    private Aead.@Nullable Suite choose(List<Integer> offered) {
        for (int code : offered) {
            Aead.Suite suite = links.config.suite(code);
            if (suite != null) return suite;
        }
        return null;
    }
}
