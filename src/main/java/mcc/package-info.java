/**
 * The program's entry: the words of the command line become a running node, or a verb.
 *
 * <p>May use every room; no room uses it. It alone knows the node and the rooms above it at once, and so says in which
 * order they start. Nothing of {@code mcc run} loads the command line's classes, and no verb those of the node.
 *
 * <p>Read in this order: {@link mcc.Main} (the one or the other), {@link mcc.RunVerb} (options become settings),
 * {@link mcc.Run} (start, the ready line), {@link mcc.Ending} (the end, by a signal or by the watchdog), {@link mcc.Leash} (a
 * node that ends with whoever started it, as {@code mcc demo} needs), {@link mcc.Rehearsal} (what the build plays once for the
 * start-up archive).
 *
 * <p>Invariants: standard output of {@code mcc run} has the ready line and nothing else; an error names its cause and the way
 * out, with exit code 1, or 2 where the command line was wrong; a node that was asked to end exits with 0, one without memory
 * with 3, one that stands still with 70; no end waits for what may block for ever.
 *
 * <p>Sources: {@code docs/architecture.md}, {@code docs/operations.md}.
 */
@NullMarked
package mcc;

import org.jspecify.annotations.NullMarked;
