/**
 * The running node: verticles, bus, disk, configuration. The shell around the pure cores.
 *
 * <p>May use every protocol room, {@code udp} (the sockets and the packet loop) and Vert.x. What reads a clock, draws a seed,
 * opens a file or logs is here or above, or in {@code udp}, and nowhere below.
 *
 * <p>Read in this order: {@link mcc.node.Node} (start and stop, top to bottom), {@link mcc.node.Settings} (every
 * configuration key), {@link mcc.node.DataFolder} (identity and lock), {@link mcc.node.Bus} (all traffic between verticles
 * on one screen), {@link mcc.node.CoreHost} (how a core is driven), {@link mcc.node.SessionVerticle} (the packet loop),
 * {@link mcc.node.StreamPort} (a stream as its user sees it), {@link mcc.node.HealthCheck} (how an app is looked at), {@link
 * mcc.node.Watchdog} (whether the loops still turn).
 *
 * <p>Invariants: packets, sessions, streams and who uses these live on one loop that nothing else shares; a core is driven by
 * one loop; a registration is acknowledged after it is on disk; a failed verticle is restarted with back-off and said in
 * {@code problems}; a core that begins anew says so, and whoever told its predecessor something tells it again; a
 * question that fails is answered and restarts nothing.
 *
 * <p>Sources: {@code docs/architecture.md}, sections 2 to 5.
 */
@NullMarked
package mcc.node;

import org.jspecify.annotations.NullMarked;
