package mcc.udp;

import java.io.IOException;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.sys.SysError;
import org.slf4j.LoggerFactory;

/**
 * One bound UDP socket on the packet loop.
 *
 * <p>Consecutive datagrams of one size to one address leave as one super-packet and arrive as one, where the kernel can.
 */
interface PacketSocket {
    /**
     * Binds the fastest there is: by calls of Linux, else Netty's. Blocks the caller, which must not be the packet loop.
     *
     * @param offload whether the kernel is to cut and join super-packets, where it can
     * @param ends where the socket looks its addresses up, on the loop
     * @throws IOException when the address cannot be had
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
     * Takes a datagram into the batch; {@link #flush} sends.
     *
     * @param local the end of this host's that it leaves from, of {@link LocalEnds}, where the socket can
     * @param ecn the mark to send it with, where the socket can
     */
    void send(int local, Address to, byte[] buf, int offset, int length, int ecn);

    /** What was taken and what comes share no super-packet. */
    void cut();

    void flush();

    void close();
}
