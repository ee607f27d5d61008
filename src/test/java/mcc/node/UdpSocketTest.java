package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
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
import mcc.sys.UdpDescriptor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sockets of every rung of the ladder, on kernels that refuse something. */
class UdpSocketTest {
    private static final Address LOOPBACK = Address.v4(0x7f000001, 0);
    private static final Address LOOPBACK6 = new Address(0, 1, 0);

    private final Counters counters = new Counters();
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
    private final List<UdpSocket> sockets = new ArrayList<>();
    private Vertx vertx;
    private PacketThread thread;
    private PacketLoop loop;

    /** What a socket tells its owner. */
    private static final class Inbox implements UdpSocket.Handler {
        final BlockingQueue<byte[]> datagrams = new LinkedBlockingQueue<>();
        final BlockingQueue<Address> senders = new LinkedBlockingQueue<>();
        final AtomicInteger turns = new AtomicInteger();

        @Override
        public void onDatagram(byte[] buf, int offset, int length, Address from, int ecn) {
            senders.add(from);
            datagrams.add(Arrays.copyOfRange(buf, offset, offset + length));
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
        for (UdpSocket socket : sockets) socket.close();
        thread.close();
        vertx.close().await();
        assertThat(failure).isNotDone();
    }

    private UdpSocket linux(Kernel kernel, Address at, boolean offload, Inbox inbox) throws Exception {
        UdpDescriptor made = kernel.bind(at.ip(), offload);
        UdpSocket socket = LinuxSocket.of(loop, made, at, counters, inbox);
        sockets.add(socket);
        return socket;
    }

    private UdpSocket linux(Kernel kernel, Inbox inbox) throws Exception {
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

    private void send(UdpSocket from, Address to, List<byte[]> datagrams) throws Exception {
        onLoop(() -> {
            for (byte[] each : datagrams) from.send(to, each, 0, each.length, 0);
            from.flush();
        });
    }

    private enum Kind {
        LINUX,
        LINUX_OFF,
        LINUX_WITHOUT_GRO,
        LINUX_WITHOUT_GSO,
        NETTY
    }

    private UdpSocket socket(Kind kind, Address at, Inbox inbox) throws Exception {
        if (kind != Kind.NETTY) {
            Kernel kernel = new Kernel();
            if (kind == Kind.LINUX_WITHOUT_GRO) kernel.without(Kernel.UDP_GRO);
            if (kind == Kind.LINUX_WITHOUT_GSO) kernel.without(Kernel.UDP_SEGMENT);
            return linux(kernel, at, kind != Kind.LINUX_OFF, inbox);
        }
        UdpSocket socket = NettySocket.bind(loop, at, counters, inbox);
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
                UdpSocket one = socket(kind, at, inbox);
                UdpSocket two = socket(other, at, back);
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

    @Test
    void withoutCuttingByTheKernelItIsNotAskedToCut() throws Exception {
        Inbox inbox = new Inbox();
        UdpSocket to = linux(new Kernel(), inbox);
        for (boolean off : new boolean[] {true, false}) {
            Kernel kernel = off ? new Kernel() : new Kernel().without(Kernel.UDP_SEGMENT);
            UdpSocket from = linux(kernel, LOOPBACK, !off, new Inbox());
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
            UdpSocket to = linux(new Kernel(), inbox);
            UdpSocket other = linux(new Kernel(), otherInbox);
            UdpSocket from = linux(kernel, new Inbox());
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

    @Test
    void anErrorOfOneDatagramIsCountedAndHarmsNoOther() throws Exception {
        int[] refusals = {1};
        Kernel kernel = new Kernel().failing(_ -> refusals[0]-- > 0 ? 111 : 0);
        Inbox inbox = new Inbox();
        UdpSocket to = linux(new Kernel(), inbox);
        UdpSocket from = linux(kernel, new Inbox());
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
        UdpSocket to = linux(new Kernel(), inbox);
        UdpSocket from = linux(kernel, own);
        List<byte[]> first = batch(12, 10);
        onLoop(() -> {
            for (byte[] each : first) from.send(to.local(), each, 0, each.length, 0);
            from.flush();
            assertThat(from.isWritable()).isFalse();
            for (byte[] each : batch(13, 7)) from.send(to.local(), each, 0, each.length, 0);
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
