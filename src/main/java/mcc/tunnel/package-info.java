/**
 * TCP and UDP of this host carried over links: forwards, a SOCKS5 proxy, and the providers' side of both.
 *
 * <p>May use {@code node} and what it may use; only {@link mcc.tunnel.TcpSocket}, {@link mcc.tunnel.UdpSocket} and their
 * implementations use Netty, because Vert.x's own sockets close both directions when one ends, and do not report that nobody
 * listens; TCP on Linux ({@link mcc.tunnel.EpollTcpSocket}) does without its channels, which cost as much as the calls they
 * make.
 *
 * <p>Read in this order: {@link mcc.tunnel.Target} and {@link mcc.tunnel.Wanted} (what a user can name, and the port),
 * {@link mcc.tunnel.TunnelVerticle} (makes all this, and answers the bus), {@link mcc.tunnel.Forwards} with {@code Tunnel},
 * {@link mcc.tunnel.ForwardConnections} and {@code ForwardFlows} (the open forwards), {@link mcc.tunnel.Ways} and
 * {@link mcc.tunnel.Opening} (from a name to an answered stream, with the next provider after 400 ms),
 * {@link mcc.tunnel.Streams} and {@code Envelope} (opening streams, and the first message in them),
 * {@link mcc.tunnel.Timeouts} (which share a timer), {@link mcc.tunnel.Splice} and {@code LocalSplice} (bytes both ways, with
 * back-pressure), {@link mcc.tunnel.UdpFlows}, {@link mcc.tunnel.FlowStream} and {@code Capsules} (datagrams both ways,
 * without back-pressure), {@link mcc.tunnel.Provider} (the far end), {@link mcc.tunnel.HalfOpen} (streams not admitted yet),
 * {@link mcc.tunnel.Admission} (asks the policy), {@link mcc.tunnel.Loads} (how busy apps are), {@link mcc.tunnel.Shares} (a
 * limited number of places; who holds most is kept by {@link mcc.tunnel.Holders}), {@link mcc.tunnel.Hosted} (the far end at
 * endpoints' own addresses), {@link mcc.tunnel.Socks} and {@link mcc.tunnel.SocksFlows} (the proxy),
 * {@link mcc.tunnel.Sockets} (every local socket, within {@link mcc.tunnel.Descriptors}, never to one of this node's
 * {@link mcc.tunnel.Listeners}), {@link mcc.tunnel.Measurement} and {@link mcc.tunnel.Sink} (how fast a peer is).
 *
 * <p>Invariants: nothing is read from a socket while its other end takes nothing; the end of one direction leaves the other
 * open; a user's connection is led to one provider only, and to none before that one has answered; nobody reaches an app
 * that the policy denies it, or for longer than a decision lasts; what was not admitted takes no place from what was; nobody
 * keeps others out by taking every place; a socket ends when either of its ends does, in any phase; a flow of datagrams ends
 * with its stream, or moves to another.
 *
 * <p>Sources: RFC 1928 (SOCKS5); RFC 8305 for starting the next candidate without waiting for the first to fail;
 * RFC 4987 section 3.4 for which half-open one gives way; RFC 9293 section 3.8.4 (keepalive); RFC 4787 section 4.3 (idle flows);
 * RFC 9298 (UDP by proxy), RFC 9297 (datagrams and capsules); {@code src/main/protobuf/tunnel.proto}.
 */
@NullMarked
package mcc.tunnel;

import org.jspecify.annotations.NullMarked;
