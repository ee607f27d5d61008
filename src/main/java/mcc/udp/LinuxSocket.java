package mcc.udp;

import java.util.HashMap;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.sys.SysError;
import mcc.sys.UdpDescriptor;
import mcc.sys.UdpErrors;
import mcc.sys.UdpRefusals;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A UDP socket by Linux system calls: sends and receives in batches, without an object per datagram. */
final class LinuxSocket implements PacketSocket {
    private static final Logger LOG = LoggerFactory.getLogger(LinuxSocket.class);
    private static final int SEGMENTS_MAX = 60;
    /** The longest payload of a UDP datagram over IPv4, and so of a super-packet. */
    private static final int BATCH_BYTES = 65_507;

    private static final int PLAIN_MAX = 4096;
    private static final int SENDERS = 256;
    /** The error queue is read once in this many turns, and in every turn that received nothing. */
    private static final int TURNS = 64;

    private final PacketLoop loop;
    private final UdpDescriptor socket;
    private final Address local;
    private final LocalEnds ends;
    private final boolean wildcard;
    private final DatagramHandler handler;
    private final Counter errors;
    private final Counter dropped;
    private final Counter unsegmented;
    private final Counter gone;
    private final Failures receiving;
    private final byte[] batch = new byte[BATCH_BYTES];
    /** Destinations for which the kernel refused segmentation. */
    private final Map<Address, Boolean> plain = new HashMap<>();

    /** Senders seen lately, by a part of their hash. */
    private final @Nullable Address[] senders = new Address[SENDERS];

    private PacketLoop.@Nullable Watch watch;
    private @Nullable Address to;
    private int from;
    private int ecn;
    private int size;
    private int count;
    private int length;
    private boolean closed;
    private boolean blocked;
    private int turns;

    private LinuxSocket(
            PacketLoop loop,
            UdpDescriptor socket,
            Address local,
            LocalEnds ends,
            Counters counters,
            DatagramHandler handler) {
        this.loop = loop;
        this.socket = socket;
        this.local = local;
        this.ends = ends;
        wildcard = local.isUnspecified();
        this.handler = handler;
        errors = counters.of("udp.errors");
        dropped = counters.of("udp.dropped");
        unsegmented = counters.of("udp.gso.refused");
        gone = counters.of("udp.local.gone");
        receiving = new Failures(counters, "udp.receive.errors", "receiving UDP datagrams");
        if (!socket.batches()) {
            counters.add("udp.batches.refused");
            LOG.warn("this system refuses recvmmsg(2): UDP datagrams are received one by one, at a higher cost");
        }
        for (String option : socket.refused()) {
            counters.add("udp.options.refused");
            LOG.warn("this system refuses the socket option {}: what it is for is done without", option);
        }
    }

    /** @param offload whether the kernel is to cut and join super-packets, where it can */
    static LinuxSocket bind(
            PacketLoop loop,
            Address address,
            boolean offload,
            LocalEnds ends,
            Counters counters,
            DatagramHandler handler)
            throws SysError {
        return of(loop, UdpDescriptor.bind(address.ip(), address.port(), offload), address, ends, counters, handler);
    }

    /** For programs of others ({@link UdpDescriptor#bindForPrograms}). */
    static LinuxSocket bindForPrograms(
            PacketLoop loop, Address address, LocalEnds ends, Counters counters, DatagramHandler handler)
            throws SysError {
        UdpDescriptor made = UdpDescriptor.bindForPrograms(address.ip(), address.port());
        return of(loop, made, address, ends, counters, handler);
    }

    /** @param address the address that the descriptor is bound to; its port is ignored */
    static LinuxSocket of(
            PacketLoop loop,
            UdpDescriptor made,
            Address address,
            LocalEnds ends,
            Counters counters,
            DatagramHandler handler) {
        Address bound = new Address(address.high(), address.low(), made.port());
        LinuxSocket socket = new LinuxSocket(loop, made, bound, ends, counters, handler);
        socket.watch = loop.watch(made.descriptor(), socket::onReady);
        return socket;
    }

    @Override
    public Address local() {
        return local;
    }

    @Override
    public boolean isWritable() {
        return !blocked;
    }

    private void onReady() {
        if (blocked) {
            blocked = false;
            if (watch != null) watch.wants(true, false);
            push();
        }
        int n = socket.receive();
        if (socket.error() != 0) receiving.add(socket.error());
        for (int i = 0; i < n; i++) {
            byte[] bytes = socket.message(i);
            Address from = from(socket.fromHigh(i), socket.fromLow(i), socket.fromPort(i));
            int total = socket.length(i);
            int segment = socket.segment(i);
            int ecn = socket.ecn(i);
            int end = end(i);
            if (segment <= 0) continue;
            for (int at = 0; at < total; at += segment) {
                handler.onDatagram(bytes, at, Math.min(segment, total - at), from, end, ecn);
            }
        }
        if (n == 0 || ++turns % TURNS == 0) refusals();
        handler.onTurn();
    }

    private void refusals() {
        for (UdpRefusals each; (each = socket.nextRefusal()) != null; ) {
            handler.onRefused(from(each.high(), each.low(), each.port()));
        }
    }

    /** Returns the number of the local address that a message came to. */
    private int end(int message) {
        if (!wildcard) return ends.number(this, local.high(), local.low(), 0);
        long high = socket.localHigh(message);
        long low = socket.localLow(message);
        if (high == 0 && low == 0) return LocalEnds.ANY;
        boolean linkLocal =
                high >>> 54 == 0x3fa; // RFC 4291 section 2.5.6: such an address is meaningful on one interface only
        return ends.number(this, high, low, linkLocal ? socket.localScope(message) : 0);
    }

    private Address from(long high, long low, int port) {
        int slot = (Long.hashCode(high ^ low) * 31 + port) & SENDERS - 1;
        Address known = senders[slot];
        if (known != null && known.high() == high && known.low() == low && known.port() == port) return known;
        Address made = new Address(high, low, port);
        senders[slot] = made;
        return made;
    }

    @Override
    public void send(int local, Address to, byte[] buf, int offset, int length, int ecn) {
        boolean joins = count > 0
                && socket.segments()
                && !closed
                && ecn == this.ecn
                && local == from
                && to.equals(this.to)
                && length <= size
                && count < SEGMENTS_MAX
                && this.length + length <= BATCH_BYTES
                && !plain.containsKey(to);
        if (!joins) push();
        if (blocked || length > BATCH_BYTES) {
            dropped.add(); // dropped, as by the kernel when its queue is full
            return;
        }
        if (count == 0) {
            this.to = to;
            this.ecn = ecn;
            from = local;
            size = length;
            closed = false;
        }
        System.arraycopy(buf, offset, batch, this.length, length);
        this.length += length;
        count++;
        if (length < size) closed = true; // only the last segment may be shorter
    }

    @Override
    public void sendShort(int local, Address to, byte[] buf, int offset, int length) {
        push();
        if (blocked) return;
        socket.endAfter(SHORT_HOPS);
        send(local, to, buf, offset, length, 0);
        push();
        socket.endAfter(0);
    }

    @Override
    public void cut() {
        closed = true;
    }

    @Override
    public void flush() {
        push();
    }

    private void push() {
        Address to = this.to;
        if (count == 0 || to == null || blocked) return;
        int error = pushed(to, 0, length, count > 1 ? size : 0);
        if (error == UdpDescriptor.AGAIN) {
            blocked = true;
            if (watch != null) watch.wants(true, true);
            return;
        }
        if (error != 0) failed(to, error);
        count = 0;
        length = 0;
    }

    /** Sends from the address that is meant, or from any if this host no longer has it; returns the error, or 0. */
    private int pushed(Address to, int offset, int length, int segment) {
        LocalEnds.End end = wildcard ? ends.get(from) : null;
        if (end == null) socket.leaveFrom(0, 0, 0);
        else socket.leaveFrom(end.high(), end.low(), end.scope());
        int error = socket.send(to.high(), to.low(), to.port(), batch, offset, length, segment, ecn);
        if (end == null || !UdpErrors.mayBeOfSource(error)) return error;
        socket.leaveFrom(0, 0, 0);
        int again = socket.send(to.high(), to.low(), to.port(), batch, offset, length, segment, ecn);
        if (again == 0) gone.add();
        return again;
    }

    /**
     * Not every path allows segmentation: sends the datagrams one by one, and later ones to this destination too if that
     * helped.
     */
    private void failed(Address to, int error) {
        boolean mayPassAlone =
                error == UdpDescriptor.EIO || error == UdpDescriptor.EINVAL || error == UdpDescriptor.EMSGSIZE;
        if (count == 1 || !mayPassAlone) {
            errors.add(count); // an ICMP error of one peer; the links notice its silence
            return;
        }
        boolean helped = false;
        for (int at = 0; at < length; at += size) {
            int n = Math.min(size, length - at);
            if (pushed(to, at, n, 0) != 0) errors.add();
            else if (n == size) helped = true;
        }
        if (!helped) return; // too long for the interface, except perhaps the short last one
        unsegmented.add();
        if (plain.size() >= PLAIN_MAX) plain.clear(); // a cache: it fills again
        plain.put(to, true);
    }

    @Override
    public void close() {
        loop.execute(() -> {
            if (watch != null) watch.end(); // before the descriptor is closed, as its number may be used again at once
            socket.close();
        });
    }
}
