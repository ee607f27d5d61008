package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Identity;
import mcc.stream.StreamConfig;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Relayed;
import mcc.wire.Transport;

/** Whole links over a simulated network, in virtual time. */
abstract class VirtualNet {
    static final long MS = 1_000_000L;
    static final long SECOND = 1_000 * MS;

    record Flight(long atNs, long seq, Address from, Address to, byte[] bytes) {}

    /** One node with a socket at one address; answers every request with a Pong or with Nodes. */
    final class Host {
        final Identity identity;
        final Counters counters = new Counters();
        final List<LinkOutput> seen = new ArrayList<>();
        final Map<Long, byte[]> received = new LinkedHashMap<>();
        Address at;
        /** Other addresses at which it is reached. */
        final List<Address> also = new ArrayList<>();

        Links links;
        boolean silent;

        private final LinkConfig config;

        Host(Identity identity, String at, Aead.Suite... suites) {
            this.identity = identity;
            this.at = Address.parse(at);
            config = new LinkConfig("test", List.of(suites), 100, StreamConfig.defaults());
            restart();
            hosts.add(this);
        }

        /** Begins anew with its identity, and nothing else. */
        void restart() {
            links = new Links(config, identity, rng.split(), counters);
            govern(policy, 1);
            links.handle(now, new LinkInput.WallClock(1_800_000_000_000L));
        }

        /** Sets the policy of a new epoch. */
        void govern(Policy policy, long epoch) {
            input(new LinkInput.NewPolicy(new PolicyEpoch(policy, epoch)));
        }

        Contact contact() {
            return new Contact(identity.id(), List.of(at));
        }

        void input(LinkInput input) {
            links.handle(now, input);
            turn();
        }

        void turn() {
            for (int i = 0; i < 8; i++) {
                for (LinkOutput o; (o = links.poll()) != null; ) on(o);
                links.transmit(now, sink);
                if (!links.wantsToTransmit()) break;
            }
            for (LinkOutput o; (o = links.poll()) != null; ) on(o);
        }

        /** Its ephemeral ends. */
        final Map<Integer, Address> ends = new LinkedHashMap<>();

        final PacketSink sink = new PacketSink() {
            @Override
            public void send(Address to, byte[] buf, int offset, int length) {
                fly(at, to, buf, offset, length);
            }

            @Override
            public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
                fly(ends.getOrDefault(local, at), to, buf, offset, length);
            }
        };

        /** Carriers: what stands for each here, and at its other end; no number occurs twice. */
        final Map<Address, Address> carriers = new LinkedHashMap<>();

        private void fly(Address from, Address to, byte[] buf, int offset, int length) {
            if (to.isCarrier()) {
                Address there = carriers.get(to);
                if (there == null || silent || length > carries) return;
                byte[] bytes = Arrays.copyOfRange(buf, offset, offset + length);
                flights.add(new Flight(now + latencyNs, seq++, there, there, bytes));
                return;
            }
            if (silent || rng.chance(lossPpm)) return;
            boolean relayed = Relayed.looksLike(buf, offset, length);
            boolean handshake = !relayed && !Transport.looksLike(buf, offset, length);
            if (handshake && noHandshakes) return;
            byte[] bytes = Arrays.copyOfRange(buf, offset, offset + length);
            if (handshake) assertThat(length).isLessThanOrEqualTo(1_200);
            if (length > carries) return;
            datagrams++;
            Flight flight = new Flight(now + latencyNs, seq++, from, to, bytes);
            if (!carried.test(flight)) return;
            tap.accept(flight);
            flights.add(flight);
        }

        private void arrived(Flight f) {
            if (silent) return;
            if (at.equals(f.to()) || also.contains(f.to()) || carriers.containsKey(f.to()))
                links.receive(now, f.bytes(), 0, f.bytes().length, f.from());
            ends.forEach((local, end) -> {
                if (end.equals(f.to())) links.receive(now, f.bytes(), 0, f.bytes().length, f.from(), local, 0);
            });
        }

        private void on(LinkOutput output) {
            seen.add(output);
            switch (output) {
                case LinkOutput.Asked a ->
                    links.handle(
                            now,
                            new LinkInput.Reply(
                                    a.from().node(),
                                    a.call(),
                                    a.request() instanceof Message.Ping
                                            ? new Message.Pong()
                                            : new Message.Nodes(List.of())));
                case LinkOutput.StreamReadable r -> {
                    byte[] buf = new byte[65536];
                    for (int n; (n = r.stream().read(now, buf, 0, buf.length)) > 0; ) {
                        byte[] old = received.getOrDefault(r.stream().id(), new byte[0]);
                        byte[] all = Arrays.copyOf(old, old.length + n);
                        System.arraycopy(buf, 0, all, old.length, n);
                        received.put(r.stream().id(), all);
                    }
                }
                default -> {}
            }
        }

        <T extends LinkOutput> List<T> all(Class<T> type) {
            return seen.stream().filter(type::isInstance).map(type::cast).toList();
        }
    }

    final Rng rng = Rng.seeded(42);
    final List<Host> hosts = new ArrayList<>();
    final PriorityQueue<Flight> flights =
            new PriorityQueue<>(java.util.Comparator.comparingLong(Flight::atNs).thenComparingLong(Flight::seq));
    long now = 1;
    long seq;
    long latencyNs = 10 * MS;
    Policy policy = Policy.open();
    int lossPpm;
    int carries = 1200;
    /** After so many bytes of {@link #bulk} the path carries less. */
    int changes = Integer.MAX_VALUE;

    /** Whether handshakes are lost. */
    boolean noHandshakes;

    int datagrams;
    /** Whether the network lets a datagram pass. */
    java.util.function.Predicate<Flight> carried = _ -> true;
    /** Where each datagram went, if a test wants to know. */
    java.util.function.Consumer<Flight> tap = _ -> {};

    Host host(String at) {
        return new Host(Identity.fromSeed(rng.bytes(32)), at, Aead.Suite.AES_256_GCM, Aead.Suite.CHACHA20_POLY1305);
    }

    /** Runs the network until the condition holds, or for at most that long. */
    void run(long forNs, BooleanSupplier until) {
        long end = now + forNs;
        while (!until.getAsBoolean()) {
            long next = flights.isEmpty() ? Core.NEVER : flights.peek().atNs();
            for (Host h : hosts) next = Math.min(next, h.links.deadlineNs());
            if (next > end) {
                now = end;
                return;
            }
            now = Math.max(now, next);
            while (!flights.isEmpty() && flights.peek().atNs() <= now) {
                Flight f = flights.poll();
                for (Host h : hosts) h.arrived(f);
            }
            for (Host h : hosts) {
                if (h.links.deadlineNs() <= now) h.links.handle(now, new LinkInput.Tick());
                h.turn();
                assertThat(h.links.deadlineNs()).as("what is due is done").isGreaterThan(now);
                assertThat(h.counters.value("link.deadline.stuck")).isZero();
            }
        }
    }

    void run(long forNs) {
        run(forNs, () -> false);
    }
}
