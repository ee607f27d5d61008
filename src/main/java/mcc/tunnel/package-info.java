/**
 * TCP and UDP of this host carried over links: forwards, a SOCKS5 proxy, and the providers' side of both.
 *
 * <p>May use {@code node} and what it may use; {@link mcc.tunnel.TcpSocket}, {@link mcc.tunnel.UdpSocket} and
 * their kinds alone use Netty, because Vert.x's own sockets close both directions when one ends, and are not told that nobody
 * listens; TCP on Linux ({@link mcc.tunnel.EpollTcpSocket}) without its channels, which cost as much as the calls they make.
 *
 * <p>Read in this order: {@link mcc.tunnel.Target} and {@link mcc.tunnel.Wanted} (what may be wanted, at which port),
 * {@link mcc.tunnel.TunnelVerticle} (who asks),
 * {@link mcc.tunnel.Forwards} and {@link mcc.tunnel.ForwardConnections} (what is open), {@link mcc.tunnel.Ways} and
 * {@link mcc.tunnel.Opening} (from a name to an answered stream, with the next provider after 400 ms), {@link
 * mcc.tunnel.Streams} (by the door of the links) and {@link mcc.tunnel.Timeouts} (which share a timer), {@link
 * mcc.tunnel.Splice} (bytes both ways, with back-pressure), {@link mcc.tunnel.UdpFlows} and {@link
 * mcc.tunnel.FlowStream} (datagrams both ways, without), {@link mcc.tunnel.Provider} (the far end), {@link
 * mcc.tunnel.HalfOpen} (who waits before its door), {@link mcc.tunnel.Admission} (the door), {@link mcc.tunnel.Loads}
 * (how busy it is), {@link mcc.tunnel.Shares} (who has how many places), {@link mcc.tunnel.Hosted} (the far end at
 * endpoints' own addresses), {@link mcc.tunnel.Socks} and {@link mcc.tunnel.SocksFlows} (names by proxy), {@link
 * mcc.tunnel.Sockets} (every local socket, within {@link mcc.tunnel.Descriptors}, never to {@link
 * mcc.tunnel.Listeners} of its own), {@link mcc.tunnel.Measurement} and {@link mcc.tunnel.Sink} (how fast a peer is).
 *
 * <p>Invariants: nothing is read from a socket while its other end takes nothing; the end of one direction leaves the other
 * open; a connection of the user's is taken to one provider only, and to none before that one has answered; nobody reaches
 * an app that the policy denies it, nor for longer than a decision lasts; who was not let in takes no place from those
 * who were; nobody keeps others out by taking every place; a socket ends when either of its ends does, in whatever phase; a flow
 * of datagrams ends with its stream, or moves to another.
 *
 * <p>Sources: RFC 1928 (SOCKS5); RFC 8305 for starting the next candidate without waiting for the first to fail;
 * RFC 4987 section 3.4 for which half-open one gives way; RFC 9293 section 3.8.4 (keepalive); RFC 4787 section 4.3 (idle flows);
 * RFC 9298 (UDP by proxy), RFC 9297 (datagrams and capsules); {@code src/main/protobuf/tunnel.proto}.
 */
@NullMarked
package mcc.tunnel;

import org.jspecify.annotations.NullMarked;
