/**
 * Finding nodes and records by key: routing table, lookup, record store.
 *
 * <p>May use core, wire, crypto and consortium. Knows no sockets and no links: it asks peers through its outputs.
 *
 * <p>Read in this order: {@link mcc.dht.Dht} (what may happen and what is asked), {@link mcc.dht.RoutingTable} (whom we
 * know), {@link mcc.dht.Lookup} (one walk toward a target, among liars), {@code LookupGoal} (why it is made),
 * {@link mcc.dht.FoundRecords} (the records it found), {@link mcc.dht.RecordStore} (what we keep for others; {@code Shelf} and
 * {@code Shares} say which record gives way), {@link mcc.dht.Publisher} and {@code Publication} (what others keep for us),
 * {@link mcc.dht.Upkeep} (staying in the network), {@link mcc.dht.Clocks} (whether our clock is right). {@code Server}
 * answers what others ask, {@code Lookups} and {@code Calls} feed lookups with answers, {@code Agenda} is the one list of what
 * is due, {@code Shared} is what all these parts have in common.
 *
 * <p>Invariants: a bucket has at most k contacts, each shares as many bits with us as the bucket's index says, and each has
 * answered a request; no record is kept without its writer's signature or past its lease; a version once gone stays gone;
 * what a lookup returns is signed, and live only if some holder heard its writer within the lease; no peer, network of
 * addresses or writer takes more than its share of a lookup, a page or a full store; a request is not repeated just because
 * its answer is late (see {@link mcc.dht.Lookup} for the one last look).
 *
 * <p>Buckets are Kademlia's plain ones (one new bit per bucket, b = 1). Splitting each by the next two bits (b = 3) would
 * save about half a hop; it is left out until a measurement asks for it.
 *
 * <p>Sources: Maymounkov and Mazières, Kademlia (2002); S/Kademlia (2007); Jimenez et al. (2011) and Rhea et al. (2004)
 * for time-outs; BEP 44 and 51 for signed values and sampled answers; RFC 6298 section 2 for round-trip times.
 */
@NullMarked
package mcc.dht;

import org.jspecify.annotations.NullMarked;
