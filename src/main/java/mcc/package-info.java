/**
 * <p>May use every room; no room uses it. Only it knows both the node and the rooms above it, and so decides in which order
 * they start. {@code mcc run} loads no classes of the command line, and no verb loads those of the node.
 *
 * <p>Read in this order: {@link mcc.Main} (a node or a verb), {@link mcc.RunVerb} (options become settings), {@link mcc.Run}
 * (start, the ready line), {@link mcc.Ending} (the end, by a signal or by the watchdog), {@link mcc.Leash} (a node that ends
 * with its parent process, as {@code mcc demo} needs), {@link mcc.Rehearsal} (what the build runs once for the start-up
 * archive).
 *
 * <p>Invariants: standard output of {@code mcc run} has the ready line and nothing else; an error names its cause and the way
 * out, with exit code 1, or 2 if the command line was wrong; a node that was asked to stop exits with 0, one out of memory
 * with 3, one that stands still with 70; no end waits for what may block for ever.
 *
 * <p>Sources: {@code docs/architecture.md}, {@code docs/operations.md}.
 */
@NullMarked
package mcc;

import org.jspecify.annotations.NullMarked;
