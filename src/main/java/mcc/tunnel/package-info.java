/**
 * TCP and UDP of this host carried over links: forwards, a SOCKS5 proxy, and the providers' side of both.
 *
 * <p>May use {@code node} and what it may use; {@link mcc.tunnel.TcpSocket}, {@link mcc.tunnel.UdpSocket}, {@link
 * mcc.tunnel.Leashed} and {@link mcc.tunnel.Socks} alone use Netty, because Vert.x's own sockets close both directions when
 * one ends, and are not told that nobody listens.
 *
 * <p>Read in this order: {@link mcc.tunnel.Target} (what may be wanted), {@link mcc.tunnel.TunnelVerticle} (what is open,
 * who asks), {@link mcc.tunnel.Opening} (from a name to an answered stream, with the next provider after 400 ms), {@link
 * mcc.tunnel.Splice} (bytes both ways, with back-pressure), {@link mcc.tunnel.UdpForward} and {@link mcc.tunnel.FlowStream}
 * (datagrams both ways, without), {@link mcc.tunnel.Provider} (the far end), {@link mcc.tunnel.HalfOpen} (who waits
 * before its door), {@link mcc.tunnel.Admission} (the door), {@link mcc.tunnel.Loads} (how busy it is),
 * {@link mcc.tunnel.Hosted} (the far end at endpoints' own addresses), {@link mcc.tunnel.Socks} (names by proxy), {@link
 * mcc.tunnel.Measurement} and {@link mcc.tunnel.Sink} (how fast a peer is).
 *
 * <p>Invariants: nothing is read from a socket while its other end takes nothing; the end of one direction leaves the other
 * open; a connection of the user's is taken to one provider only, and to none before that one has answered; nobody reaches
 * an app that the policy denies it, nor for longer than a decision lasts; who was not let in takes no place from those
 * who were; a flow of datagrams ends with its stream.
 *
 * <p>Sources: RFC 1928 (SOCKS5); RFC 8305 for starting the next candidate without waiting for the first to fail;
 * RFC 4987 section 3.4 for which half-open one gives way;
 * RFC 9298 (UDP by proxy), RFC 9297 (datagrams and capsules); {@code src/main/protobuf/tunnel.proto}.
 */
@NullMarked
package mcc.tunnel;

import org.jspecify.annotations.NullMarked;
