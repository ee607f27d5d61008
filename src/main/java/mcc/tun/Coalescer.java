package mcc.tun;

import java.util.Arrays;

/**
 * Joins packets of one flow into a super-packet for the kernel, in place: each packet is opened so that its payload lands
 * right behind the previous one's; the bytes that its header overwrites are saved before and restored after.
 *
 * <p>For each packet: call {@link #place}, write at most that many bytes there, then call {@link #add} or {@link #refuse}.
 * Only packets without a checksum are joined; others are passed on as they are, for the kernel to verify.
 */
public final class Coalescer {
    /** Takes what is to be written to the interface; the array is lent until it returns. */
    @FunctionalInterface
    public interface Sink {
        void write(byte[] buf, int offset, int length);
    }

    /** Decides whether a packet may go to the host; asked once for all packets that are joined. */
    @FunctionalInterface
    public interface Check {
        boolean admits(Ip ip, byte[] buf, int offset, int length);
    }

    /** What became of a packet. */
    public enum Verdict {
        TAKEN,
        /** The check said no. */
        DENIED,
        MALFORMED
    }

    /** The longest packet that is accepted, in bytes. */
    public static final int PACKET_MAX = 16_384;

    private static final int TOTAL_MAX = 65_535;
    private static final int START = 256;
    private static final int FIRST = START + Vnet.BYTES;
    private static final int ACK = 0x10;
    private static final int FIN_PSH = 0x09;

    private final byte[] b = new byte[FIRST + TOTAL_MAX + PACKET_MAX];
    private final byte[] saved = new byte[256];
    private final byte[] spare = new byte[PACKET_MAX];
    private final Ip ip = new Ip();
    private final boolean offloads;
    private final boolean joinsUdp;
    private final Sink out;

    /** The super-packet at {@link #FIRST}: length in bytes and header sizes; length 0 means none. */
    private int length;

    private int headers;
    private int transport;
    private int size;
    private int count;
    private int nextSeq;
    private boolean tcp;
    private boolean v4;
    private boolean needsCsum;
    private boolean closed;
    private int at;

    /**
     * @param offloads whether the interface takes {@link Vnet} headers, and TCP super-packets
     * @param joinsUdp whether it takes UDP super-packets too
     */
    public Coalescer(boolean offloads, boolean joinsUdp, Sink out) {
        this.offloads = offloads;
        this.joinsUdp = joinsUdp;
        this.out = out;
    }

    /** The array that packets are opened into. */
    public byte[] buffer() {
        return b;
    }

    /** Where the next packet, of at most {@code max} ≤ {@link #PACKET_MAX} bytes, must be written. */
    public int place(int max) {
        if (length > 0 && (closed || length + max > TOTAL_MAX)) flush();
        at = length == 0 ? FIRST : FIRST + length - headers;
        if (length > 0) System.arraycopy(b, at, saved, 0, headers);
        return at;
    }

    /** Nothing valid was written where {@link #place} said. */
    public void refuse() {
        if (length > 0) System.arraycopy(saved, 0, b, at, headers);
    }

    /** A packet was written where {@link #place} said. */
    public Verdict add(boolean needsCsum, int n, Check check) {
        if (length == 0) return begin(needsCsum, n, check);
        if (needsCsum && joins(n)) {
            join(n);
            return Verdict.TAKEN;
        }
        System.arraycopy(b, at, spare, 0, n);
        System.arraycopy(saved, 0, b, at, headers);
        flush();
        System.arraycopy(spare, 0, b, FIRST, n);
        return begin(needsCsum, n, check);
    }

    private Verdict begin(boolean needsCsum, int n, Check check) {
        if (!ip.parse(b, FIRST, n)) return Verdict.MALFORMED;
        if (needsCsum && (ip.fragment || ip.protocol != Ip.TCP && ip.protocol != Ip.UDP)) return Verdict.MALFORMED;
        if (!check.admits(ip, b, FIRST, n)) return Verdict.DENIED;
        this.needsCsum = needsCsum;
        length = n;
        count = 1;
        v4 = ip.v4;
        tcp = ip.protocol == Ip.TCP;
        transport = ip.transport - FIRST;
        headers = transport + (tcp ? needsCsum ? ip.tcpHeader(b) : 0 : 8);
        size = n - headers;
        // With a payload shorter than the headers, the next packet would overwrite the first one's headers, with which
        // it is compared.
        closed = !offloads || !needsCsum || size < headers || headers > saved.length;
        closed |= tcp ? flags(FIRST) != ACK : !joinsUdp;
        if (closed) flush();
        else if (tcp) nextSeq = Octets.i32(b, ip.transport + 4) + size;
        return Verdict.TAKEN;
    }

    private int flags(int packet) {
        return b[packet + transport + 13] & 0xff;
    }

    /** Whether the packet at {@link #at} continues the super-packet: all but lengths, numbers and checksums is equal. */
    private boolean joins(int n) {
        int payload = n - headers;
        if (payload <= 0 || payload > size) return false;
        int t = at + transport;
        int first = FIRST + transport;
        if (!same(0, v4 ? 2 : 4) || Octets.u16(b, at + (v4 ? 2 : 4)) != (v4 ? n : n - 40)) return false;
        if (v4 ? !same(6, 10) || !same(12, transport) : !same(6, transport)) return false;
        if (!same(transport, transport + 4)) return false;
        if (!tcp) return Octets.u16(b, t + 4) == n - transport;
        if (Octets.i32(b, t + 4) != nextSeq || (flags(at) & ~FIN_PSH) != ACK) return false;
        return Octets.i32(b, t + 8) == Octets.i32(b, first + 8)
                && b[t + 12] == b[first + 12]
                && same(transport + 14, transport + 16)
                && same(transport + 18, headers);
    }

    private boolean same(int from, int to) {
        return Arrays.equals(b, at + from, at + to, b, FIRST + from, FIRST + to);
    }

    private void join(int n) {
        int payload = n - headers;
        if (tcp) {
            nextSeq += payload;
            int end = flags(at) & FIN_PSH;
            if (end != 0) b[FIRST + transport + 13] |= (byte) end;
            closed = end != 0;
        }
        System.arraycopy(saved, 0, b, at, headers);
        if (payload < size) closed = true;
        length += payload;
        count++;
    }

    /** Writes what is there; to be called after the last packet of a batch. */
    public void flush() {
        if (length == 0) return;
        int n = length;
        length = 0;
        if (needsCsum) checksum(n);
        if (!offloads) {
            out.write(b, FIRST, n);
            return;
        }
        Arrays.fill(b, START, FIRST, (byte) 0);
        if (needsCsum) header();
        out.write(b, START, n + Vnet.BYTES);
    }

    /**
     * Writes into the checksum field what the kernel expects there, or the checksum itself if the kernel will not fill it in.
     */
    private void checksum(int n) {
        int field = FIRST + transport + (tcp ? 16 : 6);
        if (count > 1) {
            Segmenter.length(b, FIRST, v4, n);
            if (v4) Segmenter.headerSum(b, FIRST, transport);
            if (!tcp) Octets.put16(b, FIRST + transport + 4, n - transport);
        }
        long pseudo = v4 ? Octets.sum(b, FIRST + 12, 8) : Octets.sum(b, FIRST + 8, 32);
        pseudo += n - transport + (tcp ? Ip.TCP : Ip.UDP);
        Octets.put16(b, field, 0);
        if (offloads) {
            Octets.put16(b, field, Octets.fold(pseudo));
            return;
        }
        int sum = ~Octets.fold(pseudo + Octets.sum(b, FIRST + transport, n - transport)) & 0xffff;
        Octets.put16(b, field, sum == 0 && !tcp ? 0xffff : sum);
    }

    private void header() {
        b[START] = Vnet.NEEDS_CSUM;
        Octets.put16le(b, START + 2, headers);
        Octets.put16le(b, START + 6, transport);
        Octets.put16le(b, START + 8, tcp ? 16 : 6);
        if (count == 1) return;
        b[START + 1] = (byte) (tcp ? v4 ? Vnet.TCP4 : Vnet.TCP6 : Vnet.UDP);
        Octets.put16le(b, START + 4, size);
    }
}
