package mcc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import mcc.core.Address;
import mcc.sim.NatBehavior;
import mcc.sim.NatBehavior.Ports;
import mcc.sim.NatBehavior.Scope;
import mcc.udp.Detour;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Datagrams between real sockets, through the demo's NATs. */
class DemoNetworkTest {
    private final DemoNetwork network = new DemoNetwork(1);

    private static final class Node implements AutoCloseable {
        final DemoNetwork.Host host;
        final DatagramSocket socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));

        Node(DemoNetwork.Host host) throws IOException {
            this.host = host;
            socket.setSoTimeout(30_000);
        }

        Address address() {
            return Address.parse(host.address("127.0.0.1:" + socket.getLocalPort()));
        }

        void send(Address to, int what) throws IOException {
            byte[] datagram = new byte[Detour.HEADER_BYTES + 1];
            Detour.write(to, datagram, 0);
            datagram[Detour.HEADER_BYTES] = (byte) what;
            String via = host.via();
            int port = Integer.parseInt(via.substring(via.indexOf(':') + 1));
            socket.send(new DatagramPacket(datagram, datagram.length, InetAddress.getLoopbackAddress(), port));
        }

        /** Takes the next datagram, which must hold this; returns where it came from. */
        Address take(int what) throws IOException {
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            socket.receive(packet);
            byte[] datagram = Arrays.copyOf(packet.getData(), packet.getLength());
            assertThat(datagram).hasSize(Detour.HEADER_BYTES + 1);
            assertThat(datagram[Detour.HEADER_BYTES]).isEqualTo((byte) what);
            return Detour.read(datagram, 0, datagram.length);
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    @AfterEach
    void close() {
        network.close();
    }

    @Test
    void aNatLetsInWhomItsHostCalledAndNobodyElse() throws IOException {
        try (Node open = new Node(network.host("192.0.2.1"));
                Node stranger = new Node(network.host("192.0.2.2"));
                Node home = new Node(network.host("198.18.0.1"))) {
            home.host.behind(
                    NatBehavior.of(Scope.ENDPOINT_INDEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED));
            home.send(Address.parse("192.168.1.9:1"), 1); // lost: nobody carries it
            home.send(open.address(), 2);
            Address seen = open.take(2);
            assertThat(seen.host()).isEqualTo("198.18.0.1");
            stranger.send(seen, 3);
            stranger.send(open.address(), 4);
            assertThat(open.take(4)).isEqualTo(stranger.address());
            open.send(seen, 5);
            assertThat(home.take(5))
                    .as("what the stranger sent before did not pass")
                    .isEqualTo(open.address());
        }
    }

    @Test
    void aRouterThatIsReplacedForgetsAndGivesEveryDestinationAnotherPort() throws IOException {
        try (Node one = new Node(network.host("192.0.2.1"));
                Node two = new Node(network.host("192.0.2.2"));
                Node home = new Node(network.host("198.18.0.1"))) {
            home.host.behind(
                    NatBehavior.of(Scope.ADDRESS_AND_PORT_DEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.RANDOM));
            home.send(one.address(), 1);
            home.send(two.address(), 2);
            Address atOne = one.take(1);
            assertThat(two.take(2)).isNotEqualTo(atOne);
            home.host.behind(
                    NatBehavior.of(Scope.ADDRESS_AND_PORT_DEPENDENT, Scope.ADDRESS_AND_PORT_DEPENDENT, Ports.RANDOM));
            one.send(atOne, 3);
            one.send(two.address(), 4);
            two.take(4);
            home.send(one.address(), 5);
            Address now = one.take(5);
            one.send(now, 6);
            assertThat(home.take(6)).as("not what went to the old mapping").isEqualTo(one.address());
        }
    }
}
