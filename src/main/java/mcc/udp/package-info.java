/**
 * The node's UDP sockets, and the event loop that moves their packets: Vert.x, Netty and the kernel, but no protocol.
 *
 * <p>May use {@code core}, the sizes of {@code wire}, the packet sink of {@code link}, {@code sys} and Vert.x; only
 * {@link mcc.udp.PacketLoop}, {@link mcc.udp.PacketThread}, {@code SteadyEpoll} and {@code NettySocket} may use Netty and
 * Vert.x's internals.
 *
 * <p>Read in this order: {@link mcc.udp.PacketThread} (the thread, for the life of a node) and {@link mcc.udp.PacketLoop} (the
 * loop on it as one verticle sees it), {@link mcc.udp.UdpSockets} (all sockets as one) with {@link mcc.udp.DatagramHandler}
 * (who receives the datagrams), {@code PacketSocket} (one socket), {@code LinuxSocket} (by calls of Linux, in batches),
 * {@code NettySocket} (where those do not work), {@code LocalEnds} (which local address a datagram came to),
 * {@link mcc.udp.WildcardSocket} (a port on every address for programs of this host), {@link mcc.udp.SideSocket} (for what is no
 * link), {@link mcc.udp.Failures} (errors, logged once and counted each time).
 *
 * <p>Invariants: sockets belong to the loop; an answer leaves by the socket and from the address that the request came to;
 * what the kernel does not take at once is dropped and counted, never queued without bound; what a task throws fails the
 * verticle it belongs to and never the loop; no object is made per datagram where Linux's calls work.
 *
 * <p>Sources: udp(7) (segmentation offload), recvmmsg(2), ip(7) and ipv6(7) (IP_PKTINFO), RFC 3168 section 5 (ECN).
 */
@NullMarked
package mcc.udp;

import org.jspecify.annotations.NullMarked;
