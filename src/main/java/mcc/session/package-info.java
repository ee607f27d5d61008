/**
 * Two nodes agree on keys and keep them fresh.
 *
 * <p>May use {@code core}, {@code wire} and {@code crypto}. Addresses matter here only for cookies; sockets and streams are
 * unknown. The room {@code link} decides when to begin a handshake and what to seal.
 *
 * <p>Read in this order: {@link mcc.session.SymmetricState} and {@link mcc.session.Handshake} (the Noise Protocol Framework,
 * with its own names), {@link mcc.session.Session} (the resulting keys, and their lifetime), {@link mcc.session.ReplayWindow}
 * (each counter once), {@link mcc.session.Cookies} (who may cause work under load).
 *
 * <p>Invariants: a key and counter seal once; a counter is accepted once, and only after its packet proved authentic; a key
 * in use dies 60 seconds after its replacement fell due; a message that does not authenticate changes nothing.
 *
 * <p>Sources: The Noise Protocol Framework, revision 34; WireGuard (NDSS 2017) sections 5.3 and 5.4.7 for cookies; RFC 6479
 * for the replay window; the parameters are in {@code docs/protocol.md}.
 */
@NullMarked
package mcc.session;

import org.jspecify.annotations.NullMarked;
