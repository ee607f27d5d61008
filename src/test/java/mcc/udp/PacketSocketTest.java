package mcc.udp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.sys.Kernel;
import mcc.sys.SysError;
import mcc.sys.UdpDescriptor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sockets of every rung of the ladder, on kernels that refuse something. */
class PacketSocketTest {
    private static final Address LOOPBACK = Address.v4(0x7f000001, 0);
    private static final Address LOOPBACK6 = new Address(0, 1, 0);

    private final Counters counters = new Counters();
    private final LocalEnds ends = new LocalEnds(counters);
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
    private final List<PacketSocket> sockets = new ArrayList<>();
    private Vertx vertx;
    private PacketThread thread;
    private PacketLoop loop;

    /** What a socket tells its owner. */
    private static final class Inbox implements DatagramHandler {
        final BlockingQueue<byte[]> datagrams = new LinkedBlockingQueue<>();
        final BlockingQueue<Address> senders = new LinkedBlockingQueue<>();
        final BlockingQueue<Integer> locals = new LinkedBlockingQueue<>();
        final BlockingQueue<Address> refused = new LinkedBlockingQueue<>();
        final AtomicInteger turns = new AtomicInteger();

        @Override
        public void onDatagram(byte[] buf, int offset, int length, Address from, int local, int ecn) {
            senders.add(from);
            locals.add(local);
            datagrams.add(Arrays.copyOfRange(buf, offset, offset + length));
        }

        @Override
        public void onRefused(Address at) {
            refused.add(at);
        }

        @Override
        public void onTurn() {
            turns.incrementAndGet();
        }

        @Override
        public void onFailure(Throwable cause) {
            throw new AssertionError(cause);
        }

        void gets(List<byte[]> expected) throws InterruptedException {
            for (byte[] each : expected) {
                assertThat(datagrams.poll(60, TimeUnit.SECONDS)).isEqualTo(each);
            }
            assertThat(datagrams).isEmpty();
        }
    }

    @BeforeEach
    void start() {
        assumeTrue(Epoll.isAvailable(), "Linux's sockets need Linux");
        vertx = Vertx.vertx();
        thread = new PacketThread();
        Context context = thread.context(vertx.getOrCreateContext());
        context.exceptionHandler(failure::complete);
        loop = new PacketLoop(context);
    }

    @AfterEach
    void stop() {
        if (vertx == null) return;
        for (PacketSocket socket : sockets) socket.close();
        thread.close();
        vertx.close().await();
        assertThat(failure).isNotDone();
    }

    private PacketSocket linux(Kernel kernel, Address at, boolean offload, Inbox inbox) throws Exception {
        UdpDescriptor made = kernel.bind(at.ip(), offload);
        PacketSocket socket = LinuxSocket.of(loop, made, at, ends, counters, inbox);
        sockets.add(socket);
        return socket;
    }

    private PacketSocket linux(Kernel kernel, Inbox inbox) throws Exception {
        return linux(kernel, LOOPBACK, true, inbox);
    }

    private void onLoop(Runnable task) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                task.run();
                done.complete(null);
            } catch (RuntimeException | Error e) {
                done.completeExceptionally(e);
            }
        });
        done.get(60, TimeUnit.SECONDS);
    }

    private static List<byte[]> batch(long seed, int count) {
        Rng rng = Rng.seeded(seed);
        List<byte[]> out = new ArrayList<>();
        for (int i = 0; i < count; i++) out.add(rng.bytes(i % 10 == 9 ? 700 : 1_200));
        return out;
    }

    private void send(PacketSocket from, Address to, List<byte[]> datagrams) throws Exception {
        onLoop(() -> {
            for (byte[] each : datagrams) from.send(LocalEnds.ANY, to, each, 0, each.length, 0);
            from.flush();
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"LINUX", "LINUX_WITHOUT_BATCHES"})
    void whereNobodyListensIsToldAndCostsNobodyElseADatagram(Kind kind) throws Exception {
        for (Address at : List.of(LOOPBACK, LOOPBACK6)) {
            Inbox mine = new Inbox();
            Inbox theirs = new Inbox();
            Kernel kernel = kind == Kind.LINUX ? new Kernel() : new Kernel().refusing("recvmmsg");
            PacketSocket from = linux(kernel, at, true, mine);
            PacketSocket to = linux(new Kernel(), at, true, theirs);
            PacketSocket gone = linux(new Kernel(), at, true, new Inbox());
            Address nobody = gone.local();
            gone.close();
            onLoop(() -> {}); // it is closed
            List<byte[]> sent = batch(7, 30);
            for (byte[] each : sent) {
                send(from, nobody, List.of(each));
                send(from, to.local(), List.of(each));
            }
            theirs.gets(sent);
            assertThat(mine.refused.poll(60, TimeUnit.SECONDS)).isEqualTo(nobody);
            send(to, from.local(), sent);
            mine.gets(sent);
        }
        assertThat(counters.value("udp.errors")).isZero();
        assertThat(counters.value("udp.receive.errors")).isZero();
    }

    private enum Kind {
        LINUX,
        LINUX_OFF,
        LINUX_WITHOUT_GRO,
        LINUX_WITHOUT_GSO,
        LINUX_WITHOUT_BATCHES,
        NETTY
    }

    private PacketSocket socket(Kind kind, Address at, Inbox inbox) throws Exception {
        if (kind != Kind.NETTY) {
            Kernel kernel = new Kernel();
            if (kind == Kind.LINUX_WITHOUT_GRO) kernel.without(Kernel.UDP_GRO);
            if (kind == Kind.LINUX_WITHOUT_BATCHES) kernel.refusing("recvmmsg");
            if (kind == Kind.LINUX_WITHOUT_GSO) kernel.without(Kernel.UDP_SEGMENT);
            return linux(kernel, at, kind != Kind.LINUX_OFF, inbox);
        }
        PacketSocket socket = NettySocket.bind(loop, at, ends, counters, inbox);
        sockets.add(socket);
        return socket;
    }

    @ParameterizedTest
    @EnumSource
    void everyKindOfSocketCarriesDatagramsWholeToEveryOther(Kind kind) throws Exception {
        for (Address at : List.of(LOOPBACK, LOOPBACK6)) {
            for (Kind other : Kind.values()) {
                Inbox inbox = new Inbox();
                Inbox back = new Inbox();
                PacketSocket one = socket(kind, at, inbox);
                PacketSocket two = socket(other, at, back);
                List<byte[]> datagrams = batch(5, 60);
                send(one, two.local(), datagrams);
                back.gets(datagrams);
                assertThat(back.senders).hasSize(60).allMatch(one.local()::equals);
                send(two, one.local(), datagrams);
                inbox.gets(datagrams);
            }
        }
        assertThat(counters.value("udp.errors")).isZero();
    }

    /** At a socket of all addresses, what comes to the second one is answered from there, super-packets too. */
    @ParameterizedTest
    @EnumSource(names = {"LINUX", "LINUX_OFF", "LINUX_WITHOUT_GRO", "LINUX_WITHOUT_GSO", "LINUX_WITHOUT_BATCHES"})
    void aDatagramIsAnsweredFromTheAddressThatItCameTo(Kind kind) throws Exception {
        for (Address at : List.of(Address.v4(0, 0), new Address(0, 0, 0))) {
            Inbox inbox = new Inbox();
            PacketSocket wildcard = socket(kind, at, inbox);
            List<Integer> locals = new ArrayList<>();
            List<Address> dialled = at.isV4()
                    ? List.of(Address.v4(0x7f000001, 0), Address.v4(0x7f000002, 0), Address.v4(0x7f000003, 0))
                    : List.of(new Address(0, 1, 0));
            List<Inbox> backs = new ArrayList<>();
            List<PacketSocket> clients = new ArrayList<>();
            for (Address each : dialled) {
                backs.add(new Inbox());
                clients.add(socket(Kind.LINUX, at.isV4() ? LOOPBACK : LOOPBACK6, backs.getLast()));
                Address to =
                        new Address(each.high(), each.low(), wildcard.local().port());
                send(clients.getLast(), to, batch(3, 20));
                inbox.gets(batch(3, 20));
                List<Integer> came = new ArrayList<>();
                inbox.locals.drainTo(came);
                assertThat(came.stream().distinct()).hasSize(1);
                locals.add(came.getFirst());
            }
            assertThat(locals).doesNotContain(LocalEnds.ANY).doesNotHaveDuplicates();
            // One turn's datagrams to one peer from several addresses, mixed: each keeps its own.
            onLoop(() -> {
                for (int i = 0; i < 30; i++) {
                    for (int k = 0; k < dialled.size(); k++) {
                        wildcard.send(locals.get(k), clients.get(k).local(), new byte[1_200], 0, 1_200, 0);
                        wildcard.send(locals.get(k), clients.getFirst().local(), new byte[1_200], 0, 1_200, 0);
                    }
                }
                wildcard.flush();
            });
            int port = wildcard.local().port();
            for (int k = 0; k < dialled.size(); k++) {
                int expected = k == 0 ? 30 * (1 + dialled.size()) : 30;
                List<byte[]> same = new ArrayList<>();
                for (int i = 0; i < expected; i++) same.add(new byte[1_200]);
                backs.get(k).gets(same);
                Address from = new Address(dialled.get(k).high(), dialled.get(k).low(), port);
                if (k > 0) assertThat(backs.get(k).senders).allMatch(from::equals);
                assertThat(backs.getFirst().senders.stream().filter(from::equals))
                        .hasSize(k == 0 ? 60 : 30);
            }
        }
        assertThat(counters.value("udp.errors")).isZero();
        assertThat(counters.value("udp.local.gone")).isZero();
    }

    @Test
    void whatAnAddressSentThatTheHostHasNoLongerLeavesFromAnother() throws Exception {
        Inbox inbox = new Inbox();
        PacketSocket to = linux(new Kernel(), inbox);
        PacketSocket from = linux(new Kernel(), Address.v4(0, 0), true, new Inbox());
        onLoop(() -> {
            int gone = ends.number(from, 0, 0xffffL << 32 | 0xc6336401L, 0); // 198.51.100.1
            for (byte[] each : batch(4, 20)) from.send(gone, to.local(), each, 0, each.length, 0);
            from.flush();
        });
        inbox.gets(batch(4, 20));
        assertThat(counters.value("udp.local.gone")).isEqualTo(2);
        assertThat(counters.value("udp.gso.refused"))
                .as("not the segments' fault")
                .isZero();
        assertThat(counters.value("udp.errors")).isZero();
    }

    @Test
    void aHostWithMoreAddressesThanThereIsRoomForAnswersFromAnyOfThem() throws Exception {
        PacketSocket socket = NettySocket.bind(loop, LOOPBACK, ends, counters, new Inbox());
        sockets.add(socket);
        for (int i = 1; i <= LocalEnds.MAX; i++)
            assertThat(ends.number(socket, 1, i, 0)).isEqualTo(i);
        for (int i = 1; i <= LocalEnds.MAX; i++)
            assertThat(ends.number(socket, 1, i, 0)).isEqualTo(i);
        assertThat(ends.number(socket, 2, 1, 0)).isEqualTo(LocalEnds.ANY);
        assertThat(counters.value("udp.local.refused")).isEqualTo(1);
        assertThat(ends.get(LocalEnds.ANY)).isNull();
    }

    /** Two sockets of one family: a first word leaves by the one that the kernel's routes name, an answer by the one asked. */
    @Test
    void ofTwoAddressesOfAFamilyEachAnswersForItself() throws Exception {
        UdpSockets both = new UdpSockets(counters);
        Inbox inbox = new Inbox();
        both.bind(loop, Address.v4(0x7f000002, 0), true, inbox);
        both.bind(loop, LOOPBACK, true, inbox);
        Inbox back = new Inbox();
        PacketSocket client = linux(new Kernel(), back);
        List<Address> at = both.addresses();
        for (Address each : at) {
            send(client, each, batch(3, 2));
            inbox.gets(batch(3, 2));
            int local = inbox.locals.take();
            inbox.locals.clear();
            onLoop(() -> {
                both.send(local, client.local(), new byte[9], 0, 9, 0);
                both.flush();
            });
            back.gets(List.of(new byte[9]));
            assertThat(back.senders.poll()).isEqualTo(each);
        }
        onLoop(() -> {
            both.send(LocalEnds.ANY, client.local(), new byte[9], 0, 9, 0);
            both.flush();
        });
        back.gets(List.of(new byte[9]));
        assertThat(back.senders.poll())
                .as("loopback speaks to loopback from 127.0.0.1")
                .isEqualTo(at.get(1));
        both.close();
    }

    @Test
    void withoutCuttingByTheKernelItIsNotAskedToCut() throws Exception {
        Inbox inbox = new Inbox();
        PacketSocket to = linux(new Kernel(), inbox);
        for (boolean off : new boolean[] {true, false}) {
            Kernel kernel = off ? new Kernel() : new Kernel().without(Kernel.UDP_SEGMENT);
            PacketSocket from = linux(kernel, LOOPBACK, !off, new Inbox());
            send(from, to.local(), batch(6, 20));
            inbox.gets(batch(6, 20));
            assertThat(kernel.sent()).isEqualTo(20);
            assertThat(kernel.superPackets()).isZero();
        }
        Kernel kernel = new Kernel();
        send(linux(kernel, new Inbox()), to.local(), batch(6, 20));
        assertThat(kernel.sent()).as("else it is, to a short one each").isEqualTo(2);
    }

    @Test
    void aPathThatRefusesSuperPacketsGetsDatagramsOneByOneAndOtherPathsDoNot() throws Exception {
        for (int error : new int[] {UdpDescriptor.EIO, UdpDescriptor.EINVAL}) {
            int[] refusals = {1};
            Kernel kernel = new Kernel().failing(isSuper -> isSuper > 0 && refusals[0]-- > 0 ? error : 0);
            Inbox inbox = new Inbox();
            Inbox otherInbox = new Inbox();
            PacketSocket to = linux(new Kernel(), inbox);
            PacketSocket other = linux(new Kernel(), otherInbox);
            PacketSocket from = linux(kernel, new Inbox());
            long before = counters.value("udp.gso.refused");
            send(from, to.local(), batch(7, 10));
            inbox.gets(batch(7, 10));
            assertThat(counters.value("udp.gso.refused")).isEqualTo(before + 1);
            assertThat(kernel.sent()).isEqualTo(11);
            send(from, to.local(), batch(8, 10));
            inbox.gets(batch(8, 10));
            assertThat(kernel.superPackets()).as("not tried again").isEqualTo(1);
            assertThat(kernel.sent()).isEqualTo(21);
            send(from, other.local(), batch(9, 10));
            otherInbox.gets(batch(9, 10));
            assertThat(kernel.sent()).isEqualTo(22);
        }
        assertThat(counters.value("udp.errors")).isZero();
    }

    /** A bridge lets super-packets pass however long their pieces are, and single datagrams not. */
    @Test
    void aProbeOfLengthRidesInNoSuperPacket() throws Exception {
        Kernel kernel = new Kernel();
        Inbox inbox = new Inbox();
        PacketSocket from = linux(kernel, new Inbox());
        PacketSocket to = linux(new Kernel(), inbox);
        onLoop(() -> {
            for (int i = 0; i < 21; i++) {
                if (i == 10) from.cut();
                from.send(LocalEnds.ANY, to.local(), new byte[1_449], 0, 1_449, 0);
                if (i == 10) from.cut();
            }
            from.flush();
        });
        for (int i = 0; i < 21; i++)
            assertThat(inbox.datagrams.poll(60, TimeUnit.SECONDS)).hasSize(1_449);
        assertThat(kernel.sent()).isEqualTo(3);
        assertThat(kernel.superPackets()).isEqualTo(2);
    }

    @Test
    void aSocketThatTheSystemGivesNothingAnyMoreIsCounted() throws Exception {
        Kernel kernel = new Kernel();
        PacketSocket deaf = linux(kernel, new Inbox());
        PacketSocket from = linux(new Kernel(), new Inbox());
        kernel.deafen(12); // ENOMEM
        send(from, deaf.local(), batch(2, 1));
        long end = System.nanoTime() + 60_000_000_000L;
        while (counters.value("udp.receive.errors") == 0)
            assertThat(System.nanoTime()).as("it is counted").isLessThan(end);
        deaf.close();
    }

    @Test
    void callsThatTheSystemRefusesAreSaidAndCountedAndNoSocketIsDeafOrDumb() throws Exception {
        linux(new Kernel().refusing("recvmmsg"), new Inbox());
        assertThat(counters.value("udp.batches.refused")).isEqualTo(1);
        linux(new Kernel().without(Kernel.UDP_GRO).without(Kernel.UDP_SEGMENT), new Inbox());
        assertThat(counters.value("udp.options.refused")).isEqualTo(2);
        for (Kernel kernel :
                List.of(new Kernel().refusing("recvmmsg").refusing("recvmsg"), new Kernel().refusing("sendmsg"))) {
            assertThatThrownBy(() -> kernel.bind(LOOPBACK.ip(), true))
                    .as("Netty's socket is tried")
                    .isInstanceOf(SysError.class);
        }
    }

    @Test
    void anErrorOfOneDatagramIsCountedAndHarmsNoOther() throws Exception {
        int[] refusals = {2}; // one alone may be of an earlier datagram
        Kernel kernel = new Kernel().failing(_ -> refusals[0]-- > 0 ? 113 : 0);
        Inbox inbox = new Inbox();
        PacketSocket to = linux(new Kernel(), inbox);
        PacketSocket from = linux(kernel, new Inbox());
        send(from, to.local(), batch(10, 4));
        send(from, to.local(), batch(11, 4));
        inbox.gets(batch(11, 4));
        assertThat(counters.value("udp.errors")).as("each that was lost").isEqualTo(4);
        assertThat(counters.value("udp.gso.refused")).isZero();
    }

    @Test
    void aFullQueueHoldsWhatItTookDropsWhatComesThenAndGoesOnWithoutSpinning() throws Exception {
        boolean[] full = {true};
        Kernel kernel = new Kernel().failing(_ -> full[0] ? UdpDescriptor.AGAIN : 0);
        Inbox inbox = new Inbox();
        Inbox own = new Inbox();
        PacketSocket to = linux(new Kernel(), inbox);
        PacketSocket from = linux(kernel, own);
        List<byte[]> first = batch(12, 10);
        onLoop(() -> {
            for (byte[] each : first) from.send(LocalEnds.ANY, to.local(), each, 0, each.length, 0);
            from.flush();
            assertThat(from.isWritable()).isFalse();
            for (byte[] each : batch(13, 7)) from.send(LocalEnds.ANY, to.local(), each, 0, each.length, 0);
            from.flush();
            assertThat(kernel.sent()).as("not asked again before it says so").isEqualTo(1);
            full[0] = false;
        });
        inbox.gets(first);
        assertThat(counters.value("udp.dropped")).isEqualTo(7);
        onLoop(() -> assertThat(from.isWritable()).isTrue());
        int turns = own.turns.get();
        assertThat(turns).as("its owner is told").isPositive();
        for (int i = 0; i < 100; i++) onLoop(() -> {});
        assertThat(own.turns).as("and left alone then").hasValue(turns);
        send(from, to.local(), batch(14, 10));
        inbox.gets(batch(14, 10));
        assertThat(counters.value("udp.errors")).isZero();
    }
}
