package mcc.udp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import mcc.core.Address;
import mcc.link.PacketSink;
import org.junit.jupiter.api.Test;

/** Datagrams that go by a program which plays the network. */
class DetourTest {
    private static final Address VIA = Address.parse("127.0.0.1:7000");

    private record Sent(int local, Address to, byte[] bytes, int ecn) {}

    private final List<Sent> sent = new ArrayList<>();
    private final Detour detour = new Detour(VIA);
    private final PacketSink sockets = new PacketSink() {
        @Override
        public void send(Address to, byte[] buf, int offset, int length) {
            throw new AssertionError("the local end is told");
        }

        @Override
        public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
            sent.add(new Sent(local, to, Arrays.copyOfRange(buf, offset, offset + length), ecn));
        }
    };

    @Test
    void aDatagramGoesByTheProgramAndComesBackAsFromItsPeer() {
        for (String text : List.of("203.0.113.7:41641", "[2001:db8::7]:65535")) {
            Address peer = Address.parse(text);
            detour.send(sockets, 9, peer, new byte[] {0, 1, 2, 3}, 1, 3, 2);
            Sent last = sent.getLast();
            assertThat(last.to()).isEqualTo(VIA);
            assertThat(last.local()).isEqualTo(9);
            assertThat(last.ecn()).isEqualTo(2);
            assertThat(last.bytes()).hasSize(Detour.HEADER_BYTES + 3).endsWith(1, 2, 3);
            assertThat(detour.origin(last.bytes(), 0, last.bytes().length, VIA)).isEqualTo(peer);
        }
    }

    @Test
    void whatDoesNotComeThisWayIsNothing() {
        byte[] datagram = new byte[40];
        assertThat(detour.origin(datagram, 0, 40, Address.parse("127.0.0.1:7001")))
                .isNull();
        assertThat(detour.origin(datagram, 0, Detour.HEADER_BYTES - 1, VIA)).isNull();
        detour.send(sockets, 0, VIA, new byte[65_507], 0, 65_507, 0);
        assertThat(sent).as("too long for any network").isEmpty();
    }
}
