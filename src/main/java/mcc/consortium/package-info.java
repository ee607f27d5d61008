/**
 * Who may do what: the one policy evaluator, and the grants that it reads.
 *
 * <p>May use core and crypto. Certificates, charters and organisations' keys are not here: today's network is open, and
 * every node in it has no organisation.
 *
 * <p>Read in this order: {@link mcc.consortium.Question} (who wants what of whom), {@link mcc.consortium.Grant} (what an
 * owner allows), {@link mcc.consortium.Policy} (the evaluator), {@link mcc.consortium.Decision} (its answer).
 *
 * <p>Asked where a denied one would learn or get something: {@code registry.Directory} (see), {@code dht.Dht} (store),
 * {@code link.Responder} (learn our address, or that we are up), {@code tunnel.Provider} (open, and reply as long as the
 * decision holds; measure), {@code node.TunPort} (reach a port of this host or an endpoint's, by the virtual interface).
 *
 * <p>Invariants: what no grant allows is denied; a grant only ever allows, so neither their order nor their number can take
 * a right away; equal questions to equal grants have equal answers; nothing outside this room decides by itself; a stranger
 * who is denied is told what it would be told if the thing did not exist.
 *
 * <p>Sources: capabilities without a rule language as in Macaroons (Birgisson et al., 2014) and SPKI (RFC 2693 section 6.3,
 * intersection of rights); default deny as in Saltzer and Schroeder, "The Protection of Information in Computer Systems"
 * (1975).
 */
@NullMarked
package mcc.consortium;

import org.jspecify.annotations.NullMarked;
