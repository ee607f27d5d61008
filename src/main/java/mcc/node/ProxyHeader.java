package mcc.node;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import mcc.core.Id;
import mcc.tun.InnerAddress;

/**
 * The header that precedes a connection's bytes if an app wants to know the caller: HAProxy's PROXY protocol, version 2,
 * section 2.2. The source is the calling node's IPv6 address in the network, the destination the endpoint's; both follow from
 * the IDs, so they exist even without a virtual interface. The source port is 0, as the caller has none there.
 *
 * <p>The caller's ID follows as text, in a TLV of type {@link #NODE}, from the range that the protocol leaves to applications
 * (section 2.2.7).
 */
public final class ProxyHeader {
    /** Type of the TLV with the calling node's ID, 52 characters. */
    public static final int NODE = 0xE0;

    private static final byte[] SIGNATURE = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
    private static final int VERSION = 0x20;
    private static final int LOCAL = 0x00;
    private static final int PROXY = 0x01;
    private static final int TCP_OVER_IPV6 = 0x21;
    private static final int ADDRESSES_BYTES = 36;
    private static final int TLV_HEAD_BYTES = 3;

    private ProxyHeader() {}

    /** The header of a connection that the node makes for itself, such as a health check. */
    public static byte[] local() {
        return head(LOCAL, 0, 0);
    }

    /**
     * The header of a caller's connection.
     *
     * @param port the port at which the endpoint is offered
     */
    public static byte[] of(String network, Id caller, Id endpoint, int port) {
        byte[] node = caller.toString().getBytes(StandardCharsets.US_ASCII);
        byte[] from = InnerAddress.of(network, caller).bytes();
        byte[] out = addresses(from, 0, InnerAddress.of(network, endpoint).bytes(), port, TLV_HEAD_BYTES + node.length);
        int at = SIGNATURE.length + 4 + ADDRESSES_BYTES;
        out[at] = (byte) NODE;
        short16(out, at + 1, node.length);
        System.arraycopy(node, 0, out, at + TLV_HEAD_BYTES, node.length);
        return out;
    }

    /** The header of a connection through the virtual interface, whose caller is known by address and port only. */
    public static byte[] of(String network, InetSocketAddress caller, Id endpoint, int port) {
        byte[] from = caller.getAddress().getAddress();
        if (from.length != 16) return local();
        return addresses(
                from, caller.getPort(), InnerAddress.of(network, endpoint).bytes(), port, 0);
    }

    private static byte[] addresses(byte[] from, int fromPort, byte[] to, int toPort, int moreBytes) {
        byte[] out = head(PROXY, TCP_OVER_IPV6, ADDRESSES_BYTES + moreBytes);
        int at = SIGNATURE.length + 4;
        System.arraycopy(from, 0, out, at, 16);
        System.arraycopy(to, 0, out, at + 16, 16);
        short16(out, at + 32, fromPort);
        short16(out, at + 34, toPort);
        return out;
    }

    private static byte[] head(int command, int family, int length) {
        byte[] out = new byte[SIGNATURE.length + 4 + length];
        System.arraycopy(SIGNATURE, 0, out, 0, SIGNATURE.length);
        out[SIGNATURE.length] = (byte) (VERSION | command);
        out[SIGNATURE.length + 1] = (byte) family;
        short16(out, SIGNATURE.length + 2, length);
        return out;
    }

    private static void short16(byte[] out, int at, int value) {
        out[at] = (byte) (value >>> 8);
        out[at + 1] = (byte) value;
    }
}
