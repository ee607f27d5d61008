package mcc.tun;

import java.util.Arrays;

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

    static byte[] part(byte[] b, int offset, int length) {
        return Arrays.copyOfRange(b, offset, offset + length);
    }

    static Ip parsed(byte[] packet) {
        Ip ip = new Ip();
        if (!ip.parse(packet, 0, packet.length)) throw new AssertionError("not well formed");
        return ip;
    }
}
