/**
 * A small internet in network namespaces, with NATs and firewalls between real processes: test code, for everything that has
 * to do with reaching a node.
 *
 * <p>Open hosts and sites are joined by one router, which sends all it routes through a virtual interface to this JVM:
 * {@link mcc.lab.Internet} delays and loses it there and is, for the sites that want one, a NAT that nftables cannot be. A site
 * is a home router in a namespace of its own with hosts behind it; what kind of NAT it is can change while nodes run.
 *
 * <p>Read in this order: {@link mcc.lab.Lab} (the way in), {@link mcc.lab.NatKind} (what kinds there are and what each does),
 * {@link mcc.lab.Site} and {@link mcc.lab.Host}, {@link mcc.lab.Internet} with {@link mcc.lab.Packet} (pure, by a clock that is
 * handed in), {@link mcc.lab.Netns} (how this JVM has sockets in a namespace), {@link mcc.lab.Probe} and {@link mcc.lab.LabIT}
 * (the proof that each NAT is of its kind), {@link mcc.lab.ReachIT} (nodes),
 * {@link mcc.lab.RelayIT} (nodes that have no way to each other but relays).
 *
 * <p>May use: {@code mcc.wan} for links, {@code mcc.sim.NatBox} for NATs, {@code mcc.it} for nodes and commands.
 *
 * <p>Invariants: names are unique to the process and the lab; whatever way the JVM ends, namespaces and the processes in them
 * end too; a test that waits for something that must not happen waits for what comes behind it, not for time.
 *
 * <p>Sources: RFC 4787 for the words; RFC 5780 for the way of telling NATs apart; RFC 2544, 5737 and 9637 for the addresses.
 */
package mcc.lab;
