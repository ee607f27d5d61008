package mcc.udp;

import java.io.IOException;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.sys.SysError;
import org.slf4j.LoggerFactory;

/**
 * One bound UDP socket on the packet loop.
 *
 * <p>Consecutive datagrams of one size to one address are handed to the kernel as one super-packet, and received as one, where
 * the kernel supports it.
 */
interface PacketSocket {
    /** Hops that lead past the NATs of a home and of its carrier, and not to those of others. */
    int SHORT_HOPS = 4;

    /**
     * Binds the fastest kind of socket there is: by Linux system calls, else Netty's. Blocks the caller, which must not be the
     * packet loop.
     *
     * @param offload whether the kernel is to cut and join super-packets, where it can
     * @param ends where the socket looks up its addresses' numbers, on the loop
     * @throws IOException if it cannot bind to the address
     */
    static PacketSocket bind(
            PacketLoop loop,
            Address address,
            boolean offload,
            LocalEnds ends,
            Counters counters,
            DatagramHandler handler)
            throws IOException {
        if (PacketLoop.canWatch()) {
            try {
                return LinuxSocket.bind(loop, address, offload, ends, counters, handler);
            } catch (SysError e) {
                counters.add("udp.fast-path.refused");
                LoggerFactory.getLogger(PacketSocket.class)
                        .info("UDP on {} by other means: {}", address, e.getMessage());
            }
        }
        return NettySocket.bind(loop, address, ends, counters, handler);
    }

    Address local();

    boolean isWritable();

    /**
     * Adds a datagram to the batch; {@link #flush} sends it.
     *
     * @param local the number in {@link LocalEnds} of the address to send from, where the socket can choose
     * @param ecn the ECN bits to send it with, where the socket can set them
     */
    void send(int local, Address to, byte[] buf, int offset, int length, int ecn);

    /** Sends at once one datagram that ends after {@link #SHORT_HOPS} hops; nothing where the socket cannot do that. */
    void sendShort(int local, Address to, byte[] buf, int offset, int length);

    /** Starts a new super-packet: what follows is not joined with what came before. */
    void cut();

    void flush();

    void close();
}
