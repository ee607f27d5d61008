/**
 * The packets of the virtual interface: parsed, checked, cut up and joined in place. Pure, on {@code byte[]}.
 *
 * <p>May use {@code core} and {@code crypto}. Knows neither descriptors nor sessions: {@code node} lends it what was read from
 * the interface or opened by a session, and takes what is to be sealed or written.
 *
 * <p>Read in this order: {@link mcc.tun.VirtualInterface} (the core: how a packet goes either way),
 * {@link mcc.tun.InnerAddress} (the addresses of nodes and endpoints), {@link mcc.tun.Ip} (a packet, parsed),
 * {@link mcc.tun.Segmenter} (a super-packet of the kernel, cut), {@link mcc.tun.Coalescer} (packets of peers, joined again),
 * {@link mcc.tun.Gate} (what may pass between this host and peers), {@link mcc.tun.Offered} (what may pass to and from
 * endpoints), both with {@link mcc.tun.Verdicts} (remembered verdicts of the policy, which {@code node} asks),
 * {@link mcc.tun.Redirect} (which listener an endpoint's packets are rewritten to), {@link mcc.tun.Refusal} (the answer at a
 * port that an endpoint does not have), {@link mcc.tun.Fragments} (packets in fragments), {@link mcc.tun.Routes} (which peer
 * has which address, and the packets that wait for it) with {@link mcc.tun.Subnets} (networks behind nodes),
 * {@link mcc.tun.Ecn} (congestion marks), {@link mcc.tun.Icmp} (errors that this node sends).
 *
 * <p>Invariants: no malformed packet causes an exception; a peer's packet has that peer's address as source or is dropped;
 * every table has a limit; no payload is copied, and no checksum over payload is computed where the kernel takes the packet
 * without one.
 *
 * <p>Sources: RFC 8200 (IPv6), RFC 791, RFC 9293 (TCP), RFC 4443 (ICMPv6), RFC 4193 (unique local addresses); the header of
 * virtio-net, version 1.2, section 5.1.6; {@code docs/protocol.md}.
 */
@NullMarked
package mcc.tun;

import org.jspecify.annotations.NullMarked;
