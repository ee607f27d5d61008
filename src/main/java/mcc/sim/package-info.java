/**
 * A whole network in one thread and virtual time.
 *
 * <p>May use all rooms of the first three layers; nothing of the running node. Reads the machine's clock in one place, to say
 * how long a run took.
 *
 * <p>Read in this order: {@link mcc.sim.Simulation} (the way in), {@link mcc.sim.World} (time, nodes, network),
 * {@link mcc.sim.LookupsScenario} and {@link mcc.sim.RegistryScenario} (what is tried and what must hold),
 * {@link mcc.sim.PacketWorld} and {@link mcc.sim.PacketsScenario} (the same with datagrams and real keys),
 * {@link mcc.sim.Hash} (why two runs are known to be equal).
 *
 * <p>Fidelity: messages. The DHT and registry cores and their wiring are those of the node; links are latency and loss;
 * signatures are a cheap stand-in ({@link mcc.sim.SimSigning}); one message in 64 passes through the real codec.
 * Packet fidelity has real links, handshakes and streams over simulated datagrams, for up to 1,000 nodes.
 *
 * <p>Invariants: equal scenario, nodes, seed and options give an equal trace hash in any JVM; each node's randomness is split
 * from the root by index; checkers run during the run; what fails names the command that replays it.
 *
 * <p>Sources: TigerBeetle's VOPR and Kafka raft's seeded simulation for the form; protocol.md part C for what to try.
 */
@NullMarked
package mcc.sim;

import org.jspecify.annotations.NullMarked;
