/**
 * Asks the router for a port that always leads to this node, by PCP, NAT-PMP or UPnP.
 *
 * <p>May use {@code core}. Opens no sockets: its host sends the datagrams, fetches by HTTP, and says which gateway there is.
 *
 * <p>Read in this order: {@link mcc.portmap.PortMap} (when the router is asked, and what becomes of the answer), {@code Talk}
 * (an attempt by one protocol) with {@code PcpTalk}, {@code NatPmpTalk} and {@code UpnpTalk}; then what is said: {@code Pcp},
 * {@code NatPmp}, {@code Upnp} with {@code Xml}; {@code Epoch} (a router that was started again);
 * {@link mcc.portmap.PortMapReport} (what an operator reads).
 *
 * <p>Invariants: only the default gateway is believed, and only about itself; one request is under way at a time; a mapping is
 * told to {@code nat}, which lets peers try it before it counts; one that leads nowhere is made anew once and then given up;
 * where nothing answers, the router is asked again after ten minutes, and then once an hour; all that is read has a limit, and
 * nothing that is read throws.
 *
 * <p>Sources: RFC 6887 (PCP), RFC 6886 (NAT-PMP), UPnP Device Architecture 1.0, UPnP WANIPConnection:1 and :2;
 * {@code docs/protocol.md}, port mapping.
 */
@NullMarked
package mcc.portmap;

import org.jspecify.annotations.NullMarked;
