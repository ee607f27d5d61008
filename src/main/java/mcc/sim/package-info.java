/**
 * A whole network in one thread and virtual time.
 *
 * <p>May use all rooms of the first three layers; nothing of the running node. Reads the machine's clock in one place, to say
 * how long a run took.
 *
 * <p>Read in this order: {@link mcc.sim.Simulation} (the way in), {@link mcc.sim.World} (time, nodes, faults),
 * {@link mcc.sim.Mailboxes} with {@link mcc.sim.Mail} (what happens inside one node), {@link mcc.sim.Network} (what lies between
 * two), {@link mcc.sim.Latency} and {@link mcc.sim.RealLinks} (the two kinds of links), {@link mcc.sim.Liars}, then the
 * scenarios: {@link mcc.sim.LookupsScenario}, {@link mcc.sim.RegistryScenario}, {@link mcc.sim.FaultsScenario},
 * {@link mcc.sim.PacketsScenario}. {@link mcc.sim.Hash}: why two runs are known to be equal. {@link mcc.sim.NatBox} with
 * {@link mcc.sim.NatBehavior}: a NAT of any class, for virtual time and for real sockets.
 *
 * <p>One harness, two fidelities. Cores and wiring are those of the node at both, and each core has a mailbox of its own. At
 * message fidelity links are latency and loss, signatures a cheap stand-in ({@link mcc.sim.SimSigning}), and one message in 64
 * passes through the real codec. At packet fidelity links, handshakes, streams and packets of the virtual interface are real,
 * over simulated datagrams.
 *
 * <p>Invariants: equal scenario, nodes, seed and options give an equal trace hash in any JVM; each node's randomness is split
 * from the root by index; messages keep their order from one core to another, and no other order; after a tick a core's
 * deadline lies ahead; checkers run during the run; a failure names the command that replays it.
 *
 * <p>Sources: TigerBeetle's VOPR and Kafka raft's seeded simulation for the form; protocol.md part C for what to try; RFC 4787
 * section 4.3 for how long a firewall remembers.
 */
@NullMarked
package mcc.sim;

import org.jspecify.annotations.NullMarked;
