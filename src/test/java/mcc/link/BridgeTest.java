package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Transport;
import org.junit.jupiter.api.Test;

/**
 * A bridge with a port whose MTU is 1,330 bytes. It silently drops a longer datagram, but lets a super-packet pass however
 * long its segments are. So bulk data passes, and a single packet of the same length, such as a retransmission, does not.
 */
class BridgeTest {
    private static final int CARRIES = 1_330 - 28;
    private static final int PER_TURN = 3;

    private record Sent(Address to, byte[] bytes) {}

    private final Rng rng = Rng.seeded(5);
    private long now = 1;

    private final class End implements PacketSink, Packets.Handler {
        final Identity identity = Identity.fromSeed(rng.bytes(32));
        final Address at;
        final Links links;
        final byte[] buffer = new byte[20_000];
        final List<List<Sent>> superPackets = new ArrayList<>();
        boolean closed = true;
        int packets;

        End(String at) {
            this.at = Address.parse(at);
            LinkConfig config =
                    new LinkConfig("test", List.of(Aead.Suite.CHACHA20_POLY1305), 10, StreamConfig.defaults());
            links = OpenLinks.of(config, identity, rng.split(), new Counters());
            links.handle(now, new LinkInput.WallClock(1_800_000_000_000L));
            links.packets().handler(this);
        }

        @Override
        public void cut() {
            closed = true;
        }

        /**
         * Joins datagrams into super-packets as a node's socket does: of equal length, except for the last, which may be
         * shorter.
         */
        @Override
        public void send(Address to, byte[] buf, int offset, int length) {
            Sent sent = new Sent(to, Arrays.copyOfRange(buf, offset, offset + length));
            List<Sent> last = superPackets.isEmpty() ? null : superPackets.getLast();
            int size = last == null ? 0 : last.getFirst().bytes().length;
            if (closed || last == null || length > size) superPackets.add(new ArrayList<>(List.of(sent)));
            else last.add(sent);
            closed = superPackets.getLast().getFirst().bytes().length > length;
        }

        @Override
        public byte[] buffer() {
            return buffer;
        }

        @Override
        public int place(Id peer, int max) {
            return 0;
        }

        @Override
        public void opened(long nowNs, Id peer, byte kind, int length, int ecn) {
            packets++;
        }

        void turn(End other) {
            if (links.deadlineNs() <= now) links.handle(now, new LinkInput.Tick());
            for (LinkOutput o; (o = links.poll()) != null; ) {
                if (o instanceof LinkOutput.Asked a) {
                    links.handle(now, new LinkInput.Reply(a.from().node(), a.call(), new Message.Pong()));
                }
            }
            links.transmit(now, this);
            for (List<Sent> each : superPackets) {
                if (each.size() == 1 && each.getFirst().bytes().length > CARRIES) continue;
                for (Sent sent : each) other.links.receive(now, sent.bytes(), 0, sent.bytes().length, at);
            }
            superPackets.clear();
            closed = true;
        }
    }

    @Test
    void whatASingleDatagramMayHaveIsFoundThoughSuperPacketsPass() {
        End left = new End("192.0.2.1:1");
        End right = new End("192.0.2.2:2");
        Id peer = right.identity.id();
        Contact contact = new Contact(peer, List.of(right.at));
        left.links.handle(now, new LinkInput.Ask(contact, 1, new Message.Ping()));
        for (int i = 0; i < 500; i++) {
            now += 10_000_000;
            byte[] packet = new byte[left.links.packets().max(peer)];
            packet[0] = 0x45;
            for (int k = 0; k < PER_TURN; k++) {
                left.links.packets().send(now, peer, Transport.PACKET, packet, 0, packet.length, left);
            }
            left.turn(right);
            right.turn(left);
        }
        assertThat(right.packets).as("bulk flowed meanwhile").isGreaterThan(1_000);
        assertThat(left.links.packets().max(peer) + Transport.OVERHEAD_BYTES).isLessThanOrEqualTo(CARRIES);
    }
}
