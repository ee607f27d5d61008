/**
 * The contract that every protocol core obeys, and the few values that all of them share.
 *
 * <p>May use the JDK's {@code java.lang}, {@code java.util} and {@code java.util.function}, nothing else: no clock, thread,
 * file or logger, and no randomness of the machine.
 *
 * <p>Read in this order: {@link mcc.core.Core} (the five laws), {@link mcc.core.Id} (256-bit names), {@link mcc.core.Bytes}
 * (immutable byte strings), {@link mcc.core.Address} (IP address and port), {@link mcc.core.Rng} (the only source of
 * randomness), {@link mcc.core.Counters} (what was done and what was refused), {@link mcc.core.RateLimit} (limits per key),
 * {@link mcc.core.Invariant} (what must always be true).
 *
 * <p>Invariants: every type here is an immutable value, except {@code Rng} and {@code Counters}, each of which belongs to
 * one core and one thread. Equal values print equal text, and what prints parses again.
 *
 * <p>Sources: the contract follows the sans-I/O style (quinn-proto, str0m); base32 is RFC 4648 section 6 in lower case
 * without padding; ChaCha20 is RFC 8439 section 2.3; fast key erasure is D. J. Bernstein's note of 2017.
 */
@NullMarked
package mcc.core;

import org.jspecify.annotations.NullMarked;
