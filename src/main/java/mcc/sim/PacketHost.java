package mcc.sim;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.consortium.Policy;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.dht.Dht;
import mcc.dht.Signing;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.nat.Nat;
import mcc.overlay.Letter;
import mcc.overlay.Wiring;
import mcc.wire.Contact;
import mcc.wire.Handshakes;
import mcc.wire.Transport;
import org.jspecify.annotations.Nullable;

/** One node of {@link PacketWorld}: links with real keys, DHT and NAT detection, wired as in production. */
final class PacketHost {
    final int index;
    final Address at;
    final Id id;
    final Links links;
    final Dht dht;
    final Counters counters = new Counters();
    /** Found by ticket, until somebody takes it. */
    final Map<Long, Dht.Output.Found> found = new LinkedHashMap<>();
    /** What arrived on each stream of each peer. */
    final Map<String, byte[]> received = new LinkedHashMap<>();

    boolean joined;
    private final Nat nat;
    private final PacketWorld world;
    private final ArrayDeque<Letter> letters = new ArrayDeque<>();
    private final Set<Long> sealed = new HashSet<>(); // Asked, never iterated.
    private final byte[] buffer = new byte[65_536];

    PacketHost(PacketWorld world, int index, Rng rng) {
        this.world = world;
        this.index = index;
        Identity identity = Identity.fromSeed(rng.bytes(Identity.SEED_BYTES));
        id = identity.id();
        at = Address.v4(198 << 24 | 18 << 16 | index, 9376);
        mcc.link.Config config = new mcc.link.Config(
                "sim",
                List.of(Aead.Suite.AES_256_GCM, Aead.Suite.CHACHA20_POLY1305),
                1_024,
                mcc.stream.Config.defaults());
        links = new Links(config, identity, Policy.open(), rng.split(), counters);
        dht = new Dht(mcc.dht.Config.of(World.NETWORK), id, Signing.of(identity), Policy.open(), rng.split(), counters);
        nat = new Nat(counters);
    }

    Contact contact() {
        return new Contact(id, List.of(at));
    }

    /** Begins; the first of a network has nobody to greet. */
    void start(long nowNs, long epochMs, @Nullable Address first) {
        links.handle(nowNs, new LinkInput.WallClock(epochMs));
        nat.handle(nowNs, new Nat.Input.Local(List.of(at)));
        dht.handle(nowNs, new Dht.Input.Start(contact(), List.of(), List.of(), first != null, epochMs));
        if (first != null) links.handle(nowNs, new LinkInput.Dial(0, first));
        turn(nowNs);
    }

    void receive(long nowNs, byte[] datagram, Address from) {
        links.receive(nowNs, datagram, 0, datagram.length, from);
        turn(nowNs);
    }

    void find(long nowNs, long ticket, Id target) {
        dht.handle(nowNs, new Dht.Input.FindNode(ticket, target));
        turn(nowNs);
    }

    /** Opens a stream, writes all of {@code content}, which must fit its first window, and ends it. */
    long send(long nowNs, Contact to, byte[] content) {
        long stream = links.open(nowNs, to);
        Invariant.check(stream >= 0, "a stream opens");
        int n = links.write(nowNs, to.node(), stream, content, 0, content.length);
        Invariant.check(n == content.length, "the content fits the first window");
        links.finish(nowNs, to.node(), stream);
        turn(nowNs);
        return stream;
    }

    long deadlineNs() {
        return Math.min(links.deadlineNs(), Math.min(dht.deadlineNs(), nat.deadlineNs()));
    }

    void tick(long nowNs) {
        if (links.deadlineNs() <= nowNs) links.handle(nowNs, new LinkInput.Tick());
        if (dht.deadlineNs() <= nowNs) dht.handle(nowNs, new Dht.Input.Tick());
        if (nat.deadlineNs() <= nowNs) nat.handle(nowNs, new Nat.Input.Tick());
        turn(nowNs);
    }

    /** Letters and datagrams, until there is no more of either. */
    private void turn(long nowNs) {
        do {
            collect(nowNs);
            for (Letter letter; (letter = letters.poll()) != null; ) {
                deliver(nowNs, letter);
                collect(nowNs);
            }
            links.transmit(nowNs, sink);
            collect(nowNs);
        } while (!letters.isEmpty() || links.wantsToTransmit());
    }

    private void collect(long nowNs) {
        for (LinkOutput o; (o = links.poll()) != null; ) {
            if (o instanceof LinkOutput.StreamReadable readable) read(nowNs, readable);
            letters.addAll(Wiring.route(o));
        }
        for (Dht.Output o; (o = dht.poll()) != null; ) letters.addAll(Wiring.route(o));
        for (Nat.Output o; (o = nat.poll()) != null; ) letters.addAll(Wiring.route(o));
    }

    private void deliver(long nowNs, Letter letter) {
        switch (letter.to()) {
            case LINKS -> links.handle(nowNs, (LinkInput) letter.content());
            case DHT -> dht.handle(nowNs, (Dht.Input) letter.content());
            case NAT -> nat.handle(nowNs, (Nat.Input) letter.content());
            case DHT_HOST -> onDialled(nowNs, letter.content());
            case ALL -> {}
            case HOST -> onHost(letter.content());
            case REGISTRY -> {} // this world has none
        }
    }

    private void onDialled(long nowNs, Object content) {
        if (content instanceof LinkOutput.Dialled d) {
            dht.handle(nowNs, new Dht.Input.Meet(List.of(new Contact(d.node(), List.of(d.at())))));
        } else if (content instanceof LinkOutput.NotDialled d) {
            links.handle(nowNs, new LinkInput.Dial(0, d.to()));
        }
    }

    private void onHost(Object content) {
        if (content instanceof Dht.Output.Found f) found.put(f.ticket(), f);
        else if (content instanceof Dht.Output.Joined) joined = true;
    }

    private void read(long nowNs, LinkOutput.StreamReadable r) {
        String key = r.peer() + "/" + r.stream();
        for (int n; (n = links.read(nowNs, r.peer(), r.stream(), buffer, 0, buffer.length)) > 0; ) {
            byte[] old = received.getOrDefault(key, new byte[0]);
            byte[] all = Arrays.copyOf(old, old.length + n);
            System.arraycopy(buffer, 0, all, old.length, n);
            received.put(key, all);
        }
    }

    private final PacketSink sink = this::send;

    private void send(Address to, byte[] buf, int offset, int length) {
        if (Transport.looksLike(buf, offset, length)) {
            // The receiver index names the key, so index and counter together are the nonce.
            long nonce = (long) Transport.receiver(buf, offset) << 32 | Transport.counter(buf, offset) & 0xffffffffL;
            Invariant.check(sealed.add(nonce), "a nonce seals once");
        } else {
            Invariant.check(length <= Handshakes.DATAGRAM_BYTES, "no handshake datagram is over 1,200 bytes");
        }
        world.carry(this, to, Arrays.copyOfRange(buf, offset, offset + length));
    }
}
