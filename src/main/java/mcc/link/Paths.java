package mcc.link;

import com.google.protobuf.ByteString;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.wire.Frames;
import mcc.wire.Handshakes;
import mcc.wire.Transport;
import mcc.wire.pb.Control;

/**
 * Which address reaches a peer, proved: a peer heard from elsewhere is asked there for eight random bytes back before anything
 * else goes there (RFC 9000 section 8.2 and 9.3); and how long a datagram it carries, where that matters ({@link PathMtu}).
 */
final class Paths {
    private static final long MS = 1_000_000L;
    /** An address has this long, three times, to prove itself. */
    static final long CHALLENGE_NS = 300 * MS;

    static final int CHALLENGE_TRIES = 3;

    /** A probe without padding: header and tag, the control frame's head, the token, the padding's head. */
    private static final int PROBE_BYTES = Transport.OVERHEAD_BYTES + 3 + 9 + 3;

    private final Links links;
    private final Rng rng;
    private final Counters counters;

    Paths(Links links, Rng rng, Counters counters) {
        this.links = links;
        this.rng = rng;
        this.counters = counters;
    }

    /** The newest packet of a peer came from another address than those before. */
    void heardElsewhere(long nowNs, Link link, Address from, int local) {
        if (link.challenge != null && link.challenge.at.equals(from)) return;
        counters.add("link.path.candidate");
        link.challenge = new Link.Challenge(from, local, rng.nextLong());
        challenge(nowNs, link, link.challenge);
    }

    /** Asks for a sign of life on the path in use; false when a challenge is out already. */
    boolean probe(long nowNs, Link link) {
        if (link.challenge != null || link.path == null) return false;
        link.challenge = new Link.Challenge(link.path, link.local, rng.nextLong());
        challenge(nowNs, link, link.challenge);
        return true;
    }

    void answered(long nowNs, Link link, long value) {
        Link.Challenge challenge = link.challenge;
        if (challenge == null || challenge.value != value) return;
        link.challenge = null;
        moveTo(nowNs, link, challenge.at, challenge.local);
    }

    void tick(long nowNs, Link link) {
        Link.Challenge challenge = link.challenge;
        if (challenge != null && challenge.againNs <= nowNs) challenge(nowNs, link, challenge);
        if (link.mtu.deadlineNs() > nowNs) return;
        if (link.mtu.tick(nowNs, link.heardNs, rng.nextLong())) counters.add("link.mtu.black-hole");
        probeMtu(nowNs, link);
    }

    /**
     * How long a datagram with frames may be. When nothing is acknowledged any more, its length may be why: what is sent to
     * find out is short, and the path is asked for its length again.
     */
    int datagramBytes(long nowNs, Link link) {
        if (!link.connection.isProbing()) return link.mtu.proven();
        if (link.mtu.suspect(nowNs, rng.nextLong())) sendMtu(nowNs, link);
        return PathMtu.BASE;
    }

    /** Begins to ask how long a datagram the path in use carries. */
    void beginMtu(long nowNs, Link link) {
        link.mtu.begin(nowNs, rng.nextLong());
        sendMtu(nowNs, link);
    }

    private void sendMtu(long nowNs, Link link) {
        probeMtu(nowNs, link);
        probe(nowNs, link); // tells a path that carries less from one that carries nothing
        links.schedule(link);
    }

    private void probeMtu(long nowNs, Link link) {
        for (int size; link.path != null && (size = link.mtu.next()) > 0; ) {
            ByteString padding = ByteString.copyFrom(new byte[size - PROBE_BYTES]);
            Control.Builder probe =
                    Control.newBuilder().setMtuProbe(link.mtu.token()).setPadding(padding);
            counters.add("link.mtu.probes");
            links.sendControl(nowNs, link, link.local, link.path, probe);
        }
    }

    private static String kind(Address at) {
        return at.isLocal() ? "lan" : "direct";
    }

    /** What a challenge or a probe of length wants to hear. */
    static Control.Builder answer(Control asked) {
        Control.Builder answer = Control.newBuilder();
        return asked.hasPathChallenge()
                ? answer.setPathResponse(asked.getPathChallenge())
                : answer.setMtuResponse(asked.getMtuProbe());
    }

    /** Tells a peer under which address it is seen. */
    static byte[] observed(Address from) {
        return Frames.control(Control.newBuilder()
                .setObserved(Handshakes.endpoint(from))
                .build()
                .toByteArray());
    }

    /** This address is proved: packets go there from now on. */
    void moveTo(long nowNs, Link link, Address to, int local) {
        Address old = link.path;
        link.local = local;
        if (to.equals(old)) return;
        link.path = to;
        link.mtu = new PathMtu();
        link.learn(to);
        if (old == null) return;
        counters.add("link.path.changed." + kind(old) + "." + kind(to));
        link.connection.pathChanged(nowNs, old.sameIp(to));
        links.control(link, observed(to));
    }

    private void challenge(long nowNs, Link link, Link.Challenge challenge) {
        if (challenge.tries++ >= CHALLENGE_TRIES) {
            link.challenge = null;
            counters.add("link.path.unproven");
            return;
        }
        challenge.againNs = nowNs + CHALLENGE_NS;
        links.sendControl(
                nowNs, link, challenge.local, challenge.at, Control.newBuilder().setPathChallenge(challenge.value));
    }
}
