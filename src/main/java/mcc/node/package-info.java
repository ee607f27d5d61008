/**
 * The running node: verticles, bus, disk, configuration. The shell around the pure cores.
 *
 * <p>May use every protocol room, {@code udp} (the sockets and the packet loop) and Vert.x. Reading a clock, drawing seeds,
 * opening files and logging happen here, above, or in {@code udp}, and in no room below.
 *
 * <p>Read in this order: {@link mcc.node.Node} (start and stop, top to bottom), {@link mcc.node.Settings} (every configuration
 * key), {@link mcc.node.DataFolder} (identity and lock), {@link mcc.node.Bus} (all traffic between verticles on one screen),
 * {@link mcc.node.CoreHost} (how a core is driven), {@link mcc.node.Supervisor} (how a failed verticle is restarted),
 * {@link mcc.node.Policies} (the policy in force), {@link mcc.node.SessionVerticle} with {@link mcc.node.TunPort} (the links
 * and the virtual interface on the packet loop), {@link mcc.node.StreamAccess}, {@code StreamHub} and
 * {@link mcc.node.StreamPort} (streams for their users), {@link mcc.node.DhtVerticle} with {@code Bootstraps},
 * {@link mcc.node.RegistryVerticle} with {@link mcc.node.HealthCheck} (how an app is checked), {@link mcc.node.NatVerticle},
 * {@link mcc.node.StoreVerticle} and {@code Store} (what survives a restart), {@link mcc.node.Problem} and
 * {@link mcc.node.Status} (what is wrong, and how the node is doing), {@link mcc.node.Logging}, {@link mcc.node.Watchdog}
 * (whether the loops still make progress).
 *
 * <p>Invariants: packets, sessions, streams and their users live on one loop that nothing else shares; a core is driven by one
 * loop; a registration is acknowledged after it is on disk; a failed verticle is restarted with back-off and listed in
 * {@code problems}; a restarted core announces itself, and whoever told its predecessor something tells it again; a failed
 * query is answered with a problem and restarts nothing.
 *
 * <p>Sources: {@code docs/architecture.md}, from "Verticles and the bus" on.
 */
@NullMarked
package mcc.node;

import org.jspecify.annotations.NullMarked;
