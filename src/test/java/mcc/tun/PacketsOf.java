package mcc.tun;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Packets and super-packets as the kernel gives them, made by hand. */
public final class PacketsOf {
    static final InnerAddress US = new InnerAddress(0xfd00_0000_0000_0001L, 1);
    static final InnerAddress THEM = new InnerAddress(0xfd00_0000_0000_0002L, 2);

    private PacketsOf() {}

    /** An IPv6 packet around a transport header and payload. */
    public static byte[] v6(InnerAddress from, InnerAddress to, int protocol, byte[] transport) {
        byte[] out = new byte[40 + transport.length];
        out[0] = 0x60;
        Octets.put16(out, 4, transport.length);
        out[6] = (byte) protocol;
        out[7] = 64;
        System.arraycopy(from.bytes(), 0, out, 8, 16);
        System.arraycopy(to.bytes(), 0, out, 24, 16);
        System.arraycopy(transport, 0, out, 40, transport.length);
        return out;
    }

    public static byte[] tcp(int fromPort, int toPort, int seq, int flags, byte[] payload) {
        byte[] out = new byte[20 + payload.length];
        Octets.put16(out, 0, fromPort);
        Octets.put16(out, 2, toPort);
        Octets.put32(out, 4, seq);
        Octets.put32(out, 8, 77);
        out[12] = 0x50;
        out[13] = (byte) flags;
        Octets.put16(out, 14, 512);
        System.arraycopy(payload, 0, out, 20, payload.length);
        return out;
    }

    public static byte[] udp(int fromPort, int toPort, byte[] payload) {
        byte[] out = new byte[8 + payload.length];
        Octets.put16(out, 0, fromPort);
        Octets.put16(out, 2, toPort);
        Octets.put16(out, 4, out.length);
        System.arraycopy(payload, 0, out, 8, payload.length);
        return out;
    }

    static byte[] echo(int type, int id) {
        byte[] out = new byte[16];
        out[0] = (byte) type;
        Octets.put16(out, 4, id);
        return out;
    }

    /** An IPv4 packet around a transport header and payload. */
    public static byte[] v4(int protocol, byte[] transport) {
        byte[] out = new byte[20 + transport.length];
        out[0] = 0x45;
        Octets.put16(out, 2, out.length);
        Octets.put16(out, 4, 1000);
        out[8] = 64;
        out[9] = (byte) protocol;
        Octets.put32(out, 12, 0x64400001);
        Octets.put32(out, 16, 0x64400002);
        Segmenter.headerSum(out, 0, 20);
        System.arraycopy(transport, 0, out, 20, transport.length);
        return out;
    }

    /** The packet behind a header of the kernel's, in an array with room. */
    public static byte[] read(byte[] packet, boolean needsCsum, int kind, int size) {
        byte[] out = new byte[Vnet.BYTES + packet.length];
        out[0] = (byte) (needsCsum ? Vnet.NEEDS_CSUM : 0);
        out[1] = (byte) kind;
        Octets.put16le(out, 4, size);
        System.arraycopy(packet, 0, out, Vnet.BYTES, packet.length);
        return out;
    }

    /** An IPv6 packet in fragments of so many bytes, a multiple of eight (RFC 8200 section 4.5). */
    static List<byte[]> fragments(byte[] packet, int size, int id) {
        List<byte[]> out = new ArrayList<>();
        for (int at = 40; at < packet.length; at += size) {
            int n = Math.min(size, packet.length - at);
            byte[] piece = new byte[48 + n];
            System.arraycopy(packet, 0, piece, 0, 40);
            Octets.put16(piece, 4, 8 + n);
            piece[6] = 44;
            piece[40] = packet[6];
            Octets.put16(piece, 42, at - 40 | (at + n < packet.length ? 1 : 0));
            Octets.put32(piece, 44, id);
            System.arraycopy(packet, at, piece, 48, n);
            out.add(piece);
        }
        return out;
    }

    /** What fragments in their order make. */
    static byte[] joined(List<byte[]> fragments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(fragments.getFirst(), 0, 40);
        for (byte[] each : fragments) out.write(each, 48, each.length - 48);
        byte[] packet = out.toByteArray();
        packet[6] = fragments.getFirst()[40];
        Octets.put16(packet, 4, packet.length - 40);
        return packet;
    }

    /** The same of IPv4 (RFC 791 section 3.2). */
    static List<byte[]> fragments4(byte[] packet, int size, int id) {
        List<byte[]> out = new ArrayList<>();
        for (int at = 20; at < packet.length; at += size) {
            int n = Math.min(size, packet.length - at);
            byte[] piece = new byte[20 + n];
            System.arraycopy(packet, 0, piece, 0, 20);
            Octets.put16(piece, 2, piece.length);
            Octets.put16(piece, 4, id);
            Octets.put16(piece, 6, (at - 20) / 8 | (at + n < packet.length ? 0x2000 : 0));
            Segmenter.headerSum(piece, 0, 20);
            System.arraycopy(packet, at, piece, 20, n);
            out.add(piece);
        }
        return out;
    }

    static byte[] part(byte[] b, int offset, int length) {
        return Arrays.copyOfRange(b, offset, offset + length);
    }

    static Ip parsed(byte[] packet) {
        Ip ip = new Ip();
        if (!ip.parse(packet, 0, packet.length)) throw new AssertionError("not well formed");
        return ip;
    }
}
