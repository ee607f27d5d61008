package mcc.tun;

/**
 * The header before each packet on an interface with offloads: {@code struct virtio_net_hdr}, ten bytes.
 *
 * <pre>
 *   0  flags      1: the checksum is not filled in
 *   1  kind       of super-packet; 128: with ECN's CWR
 *   2  head       bytes of headers
 *   4  size       payload of each packet in a super-packet
 *   6  start      where the checksum begins to count
 *   8  offset     where it goes, from there
 * </pre>
 */
public final class Vnet {
    /** Length in bytes. */
    public static final int BYTES = 10;

    static final int NEEDS_CSUM = 1;
    static final int NONE = 0;
    static final int TCP4 = 1;
    static final int TCP6 = 4;
    static final int UDP = 5;
    static final int ECN = 0x80;

    private Vnet() {}
}
