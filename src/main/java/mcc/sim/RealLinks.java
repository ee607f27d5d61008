package mcc.sim;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.consortium.PolicyEpoch;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.link.LinkConfig;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.link.Links;
import mcc.link.PacketSink;
import mcc.link.Packets;
import mcc.link.Peer;
import mcc.stream.Stream;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Handshakes;
import mcc.wire.Message;
import mcc.wire.Relayed;
import mcc.wire.Transport;

/**
 * The links of one node at packet fidelity: the shipped classes with real keys over simulated datagrams, driven as the packet
 * loop drives them. Also stands in for the links' users: streams that are written as far as flow control allows and read at
 * once, and packets of a virtual interface. What is read is compared with what was written, byte by byte.
 */
final class RealLinks implements LinkLayer, Packets.Handler, PacketSink {
    static final String FINDS = "sim.finds";
    static final String BLIND = "sim.finds.blind";
    private static final int LINKS_MAX = 1_024;
    private static final int ROUNDS_MAX = 10_000;

    /** What a scenario lets the links of a node do beside what other cores ask. */
    sealed interface Use {
        /** Open a stream, write the content, end the stream. */
        record Send(Traffic.Transfer transfer) implements Use {}

        /** Send a packet of the virtual interface if there is a session, else start one. */
        record Packet(Contact to, Bytes packet) implements Use {}
    }

    private final World world;
    private final SimNode node;
    private final Links links;
    /** Counts links that gave a peer up because their deadline stayed due. */
    private final Counters.Counter stuck;

    private final Map<Stream, Traffic.Transfer> writing = new HashMap<>(); // Looked up, never iterated.
    /** The streams of transfers whose users begin anew. */
    private final Map<Stream, Traffic.Transfer> watched = new LinkedHashMap<>();

    private final Set<Long> sealed = new HashSet<>(); // Asked, never iterated.
    private final Set<Bytes> packets = new HashSet<>(); // Asked, never iterated.
    private final byte[] buffer = new byte[65_536];
    private final byte[] opened = new byte[65_536];

    RealLinks(World world, SimNode node, Identity identity) {
        this.world = world;
        this.node = node;
        var config = new LinkConfig(
                "sim",
                List.of(Aead.Suite.AES_256_GCM, Aead.Suite.CHACHA20_POLY1305),
                LINKS_MAX,
                StreamConfig.defaults());
        links = new Links(config, identity, node.rng.split(), world.counters);
        links.handle(world.nowNs(), new LinkInput.NewPolicy(PolicyEpoch.open()));
        links.packets().handler(this);
        links.relayBy(this);
        stuck = world.counters.of("link.deadline.stuck");
    }

    @Override
    public long deadlineNs() {
        return links.deadlineNs();
    }

    @Override
    public void take(Object content) {
        long nowNs = world.nowNs();
        switch (content) {
            // turn() does what a tick does.
            case LinkInput.Tick _ -> {}
            case LinkInput input -> {
                if (input instanceof LinkInput.Ask ask) count(ask);
                links.handle(nowNs, input);
            }
            case Network.Datagram d -> {
                byte[] bytes = d.bytes().toArray();
                int socket = node.arrives(nowNs, d.from(), d.to());
                if (socket >= 0) links.receive(nowNs, bytes, 0, bytes.length, d.from(), socket, 0);
            }
            case Use.Send send -> open(nowNs, send.transfer());
            case Use.Packet p -> packet(nowNs, p);
            default -> throw new IllegalStateException("no links take " + content);
        }
        turn(nowNs);
    }

    /** Counts the steps of lookups, and those among them that first call a node behind a NAT. */
    private void count(LinkInput.Ask ask) {
        boolean find = ask.request() instanceof Message.FindNode || ask.request() instanceof Message.FindValue;
        if (!find) return;
        world.counters.add(FINDS);
        Peer known = links.peer(ask.to().node());
        if (known != null && known.established()) return;
        for (Address address : ask.to().addresses()) {
            SimNode to = world.network.behind(address);
            if (to == null || to.nat == null) continue;
            world.counters.add(BLIND);
            return;
        }
    }

    /**
     * Like {@code node/SessionVerticle.java#onTurn}: does what is due, delivers outputs and transmits until there is no more.
     */
    private void turn(long nowNs) {
        boolean due = links.deadlineNs() <= nowNs;
        if (due) links.handle(nowNs, new LinkInput.Tick());
        int rounds = 0;
        do {
            Invariant.check(rounds++ < ROUNDS_MAX, "the links come to rest");
            deliver(nowNs);
            links.transmit(nowNs, this);
        } while (links.wantsToTransmit());
        deliver(nowNs);
        if (due) world.mailboxes.ticked(links.deadlineNs(), "links");
        Invariant.check(stuck.value() == 0, "no link's deadline stays due");
    }

    private void deliver(long nowNs) {
        for (LinkOutput o; (o = links.poll()) != null; ) {
            switch (o) {
                case LinkOutput.StreamReadable r -> read(nowNs, r);
                case LinkOutput.StreamWritable w -> {
                    Traffic.Transfer transfer = writing.get(w.stream());
                    if (transfer != null) write(transfer, w.stream());
                }
                case LinkOutput.StreamsLost _ -> beginAnew(nowNs);
                default -> {}
            }
            world.said(node, o);
        }
    }

    /** How a peer is reached: {@code direct}, {@code relay} and so on; "" without a link. */
    String way(Id peer) {
        mcc.link.Peer known = links.peer(peer);
        return known == null ? "" : known.kind();
    }

    // ---- streams ----------------------------------------------------------------------------------------------------

    private void open(long nowNs, Traffic.Transfer transfer) {
        Stream stream = links.open(nowNs, transfer.contact);
        if (stream == null) return;
        world.traffic.begins(transfer, stream.id());
        writing.put(stream, transfer);
        if (transfer.triesMore > 0) watched.put(stream, transfer);
        write(transfer, stream);
    }

    /** A peer that lost its state lost its streams: their users begin them anew. */
    private void beginAnew(long nowNs) {
        for (var each : List.copyOf(watched.entrySet())) {
            if (!each.getKey().isLost()) continue;
            watched.remove(each.getKey());
            writing.remove(each.getKey());
            if (each.getValue().isWhole()) continue;
            each.getValue().beginAnew();
            open(nowNs, each.getValue());
        }
    }

    private void write(Traffic.Transfer transfer, Stream stream) {
        int left = transfer.content.length - transfer.written;
        int n = stream.write(transfer.content, transfer.written, left);
        transfer.written += Math.max(0, n);
        if (transfer.written < transfer.content.length) return;
        stream.finish();
        writing.remove(stream);
    }

    private void read(long nowNs, LinkOutput.StreamReadable r) {
        Traffic.Transfer transfer =
                world.traffic.find(r.peer(), node.id, r.stream().id());
        int n;
        while ((n = r.stream().read(nowNs, buffer, 0, buffer.length)) > 0) {
            Invariant.check(transfer != null, "a stream has a writer");
            if (transfer != null) transfer.read(buffer, n);
        }
        if (n == -1 && transfer != null) {
            Invariant.check(transfer.isWhole(), "a stream ends where its writer ended it");
            r.stream().finish();
        }
    }

    // ---- packets of the virtual interface
    // -----------------------------------------------------------------------------

    private void packet(long nowNs, Use.Packet p) {
        byte[] bytes = p.packet().toArray();
        boolean sent = links.packets().send(nowNs, p.to().node(), Transport.PACKET, bytes, 0, bytes.length, this);
        if (sent) world.traffic.sent();
        else links.packets().connect(nowNs, p.to());
    }

    @Override
    public byte[] buffer() {
        return opened;
    }

    @Override
    public int place(Id peer, int max) {
        return max <= opened.length ? 0 : -1;
    }

    @Override
    public void opened(long nowNs, Id peer, byte kind, int length, int ecn) {
        if (length < 0) return;
        Bytes packet = Bytes.copyOf(opened, 0, length);
        world.traffic.arrived(peer, packet);
        Invariant.check(packets.add(packet), "a packet arrives once");
    }

    // ---- the socket -------------------------------------------------------------------------------------------------

    @Override
    public void send(Address to, byte[] buf, int offset, int length) {
        send(ANY, to, buf, offset, length, 0);
    }

    @Override
    public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        carry(local, to, buf, offset, length, false);
    }

    @Override
    public void sendShort(int local, Address to, byte[] buf, int offset, int length) {
        carry(local, to, buf, offset, length, true);
    }

    private void carry(int local, Address to, byte[] buf, int offset, int length, boolean isShort) {
        if (Relayed.looksLike(buf, offset, length)) {
            if (node.liar) return; // else it was checked where it was sealed
        } else if (Transport.looksLike(buf, offset, length)) {
            // Index and address name the key: of a thousand peers two may draw one index.
            long nonce = (long) Transport.receiver(buf, offset) << 32 | Transport.counter(buf, offset) & 0xffffffffL;
            nonce = Hash.mix(Hash.mix(Hash.mix(nonce, to.high()), to.low()), to.port());
            Invariant.check(sealed.add(nonce), "a nonce seals once");
        } else {
            Invariant.check(length <= Handshakes.DATAGRAM_BYTES, "no handshake datagram is over 1,200 bytes");
        }
        byte[] datagram = Arrays.copyOfRange(buf, offset, offset + length);
        world.network.carry(node, SimNode.port(local), to, datagram, isShort);
    }
}
