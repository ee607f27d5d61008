package mcc.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.TimeUnit;
import mcc.core.Address;
import mcc.core.Rng;
import mcc.sim.NatBehavior;
import mcc.sim.NatBox;
import mcc.udp.Detour;
import org.jspecify.annotations.Nullable;

/**
 * An Internet on loopback: each node sends its datagrams to a socket of this class ({@code --udp-via}), which carries them
 * through the NATs of the simulator. So NATs can be shown without root and without a second machine.
 *
 * <p>A host has a public address, or a NAT with one before it. What goes to any other address is lost, also what goes to
 * loopback and to private addresses. Limit: {@link #UNDER_WAY_MAX} datagrams under way; more are lost, as where a queue is full.
 */
final class DemoNetwork implements AutoCloseable {
    private static final int UNDER_WAY_MAX = 8_192;
    /** 192.168.1.2: each host behind a NAT has it. */
    private static final int INSIDE = 0xc0a80102;

    private static final int SOCKET_BYTES = 4 << 20;

    /** One host, and the socket that its node takes for the network. */
    final class Host {
        private final Address ip;
        private final DatagramChannel channel;
        private volatile @Nullable NatBox nat;

        private Host(Address ip, DatagramChannel channel) {
            this.ip = ip;
            this.channel = channel;
        }

        /** What the node is told with {@code --udp-via}. */
        String via() throws IOException {
            return "127.0.0.1:" + ((InetSocketAddress) channel.getLocalAddress()).getPort();
        }

        /** The public address of a node that listens on this port of loopback. */
        String address(String udp) {
            return ip.host() + udp.substring(udp.lastIndexOf(':'));
        }

        /** Puts another NAT before it; what the last one knew is forgotten. */
        void behind(NatBehavior behavior) {
            synchronized (hosts) {
                nat = new NatBox(behavior, ip, rng.split());
            }
        }
    }

    /** A datagram under way: due at a moment, for a host's node at a port of loopback. */
    private record Flight(long atNs, Host to, int port, ByteBuffer datagram) implements Delayed {
        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(atNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(atNs, ((Flight) other).atNs);
        }
    }

    private final List<Host> hosts = new ArrayList<>();
    private final DelayQueue<Flight> underWay = new DelayQueue<>();
    private final long oneWayNs;
    private final Rng rng = Rng.seeded(1);
    private volatile boolean closed;

    /** @param oneWayMs how long a datagram takes */
    DemoNetwork(int oneWayMs) {
        oneWayNs = oneWayMs * 1_000_000L;
        Thread.ofPlatform().daemon().name("demo-network").start(this::deliver);
    }

    /** Adds a host with this public IPv4 address, or with a NAT that has it. */
    Host host(String ip) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        channel.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BYTES);
        channel.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BYTES);
        channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Address address = Address.parse(ip + ":0");
        if (address == null) throw new IllegalArgumentException(ip);
        Host host = new Host(address, channel);
        synchronized (hosts) {
            hosts.add(host);
        }
        Thread.ofPlatform().daemon().name("demo-host-" + ip).start(() -> read(host));
        return host;
    }

    private void read(Host host) {
        ByteBuffer buffer = ByteBuffer.allocate(65_536);
        while (!closed) {
            try {
                buffer.clear();
                InetSocketAddress from = (InetSocketAddress) host.channel.receive(buffer);
                byte[] datagram = Arrays.copyOf(buffer.array(), buffer.position());
                Address to = Detour.read(datagram, 0, datagram.length);
                if (to != null && underWay.size() < UNDER_WAY_MAX) carry(host, from.getPort(), to, datagram);
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    /** Carries a datagram out of one NAT and into another, as far as they let it. */
    private void carry(Host host, int port, Address to, byte[] datagram) {
        long nowNs = System.nanoTime();
        synchronized (hosts) {
            NatBox own = host.nat;
            Address from = own == null
                    ? new Address(host.ip.high(), host.ip.low(), port)
                    : own.out(nowNs, Address.v4(INSIDE, port), to);
            if (from == null) return;
            for (Host other : hosts) {
                if (!other.ip.sameIp(to)) continue;
                NatBox nat = other.nat;
                Address arrives = nat == null ? to : nat.in(nowNs, from, to);
                if (arrives == null) return;
                Detour.write(from, datagram, 0);
                underWay.add(new Flight(nowNs + oneWayNs, other, arrives.port(), ByteBuffer.wrap(datagram)));
                return;
            }
        }
    }

    private void deliver() {
        while (!closed) {
            try {
                Flight flight = underWay.take();
                flight.to.channel.send(
                        flight.datagram, new InetSocketAddress(InetAddress.getLoopbackAddress(), flight.port));
            } catch (InterruptedException | IOException _) {
                // lost, as when its node is gone
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        synchronized (hosts) {
            for (Host host : hosts) {
                try {
                    host.channel.close();
                } catch (IOException _) {
                    // it is of no use any longer
                }
            }
        }
    }
}
