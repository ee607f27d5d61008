/**
 * Hole punching: two nodes that only relays join send to each other's addresses at the same moment, so that the NAT or
 * firewall of each lets in what the other sends.
 *
 * <p>May use {@code core} and {@code wire}. What is sent to the addresses are path challenges of the link
 * between the two, which {@code link} sends at this core's word: a path that answers is proved, and used if it is better.
 *
 * <p>Read {@link mcc.punch.Punch}, then {@code Plan} (what each of the two does, by both NATs) and {@code Attempt} (how);
 * {@code PunchLog} remembers what was done, for {@link mcc.punch.PunchReport}.
 *
 * <p>Invariants: nothing is sent toward a peer that is reached without a relay, or that did not agree, sealed and in this very
 * attempt; an address gets a few small datagrams in each attempt, or at most 620 in ten minutes where ports are guessed, however
 * many peers name it; attempts become rarer.
 *
 * <p>Sources: DCUtR (libp2p's relay specification) for the round trip that sets the moment; Ford, Srisuresh and Kegel 2005;
 * {@code docs/protocol.md}, hole punching.
 */
@NullMarked
package mcc.punch;

import org.jspecify.annotations.NullMarked;
