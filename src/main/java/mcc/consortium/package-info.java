/**
 * Who may do what: the policy evaluator, and the grants that it reads.
 *
 * <p>May use core and crypto. Certificates, charters and organisations' keys are not here: networks of this version are open,
 * and no node has an organisation.
 *
 * <p>Read in this order: {@link mcc.consortium.Subject} (who asks), {@link mcc.consortium.Question} (who wants to do what to
 * which thing), {@link mcc.consortium.Grant} (what an owner allows), {@link mcc.consortium.Policy} (the evaluator),
 * {@link mcc.consortium.Decision} (its answer), {@link mcc.consortium.DecisionPoint} (one for everybody who asks; it gets each
 * {@link mcc.consortium.PolicyEpoch}).
 *
 * <p>Asked wherever somebody who is denied would otherwise learn or get something: {@code registry.Directory} (see a service),
 * {@code dht.Server} (store a record), {@code link.Access} (have a link with this node, whichever end begins it),
 * {@code tunnel.Admission} (open a service, and use it as long as the decision holds; measure; what this node's users may
 * use), {@code node.TunPort} (reach a port of this host, or of an endpoint, by the virtual interface). Each asks again about
 * everything that it let in when a new epoch comes.
 *
 * <p>Invariants: what no grant allows is denied, and before the first epoch there are no grants; a grant only ever allows, so
 * neither their order nor their number can take a right away; equal questions to equal grants have equal answers; nothing
 * outside this room decides by itself, or creates a subject from an unproved ID; the highest epoch is in force; if the policy
 * throws, the answer is no, and nothing else is affected; a stranger who is denied gets the answer that it would get if the
 * thing did not exist.
 *
 * <p>Sources: policy decision and enforcement points as in RFC 2753 section 2; capabilities without a rule language as in
 * Macaroons (Birgisson et al., 2014) and SPKI (RFC 2693 section 6.3, intersection of rights); default deny as in Saltzer and
 * Schroeder, "The Protection of Information in Computer Systems"
 * (1975).
 */
@NullMarked
package mcc.consortium;

import org.jspecify.annotations.NullMarked;
