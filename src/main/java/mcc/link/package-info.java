/**
 * One remote peer, end to end: paths, sessions, streams; the only place that builds and opens packets.
 *
 * <p>May use session, stream, nat, consortium, offload and what lies below them.
 *
 * <p>Read in this order: {@link mcc.link.LinkInput} and {@link mcc.link.LinkOutput}, the port through which other cores
 * ask a peer something and hear from it.
 *
 * <p>Invariants: the sender named in a {@link mcc.link.LinkOutput} has proved its key; a call number is carried, never
 * interpreted; a request is answered at most once.
 *
 * <p>Sources: the contract of quinn-proto and str0m.
 */
@NullMarked
package mcc.link;

import org.jspecify.annotations.NullMarked;
