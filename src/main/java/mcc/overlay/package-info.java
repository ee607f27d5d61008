/**
 * Who tells whom: every message between cores, on one screen.
 *
 * <p>May use the rooms whose cores it joins: {@code link}, {@code nat}, {@code relay}, {@code punch}, {@code dht} and
 * {@code registry}. Holds no state.
 *
 * <p>Read in this order: {@link mcc.overlay.Wiring} (the routes), {@link mcc.overlay.Mailbox} (the mailboxes),
 * {@link mcc.overlay.Delivery} (the messages), {@link mcc.overlay.Started} (a core that was started again is told everything
 * again).
 *
 * <p>Invariants: every output of every core has a route, and the compiler says so, because the switches over the sealed
 * outputs have no {@code default}; the wiring of the simulator is that of the node.
 *
 * <p>Sources: the message tables of TigerBeetle's and Kafka's simulators, which share their wiring with production.
 */
@NullMarked
package mcc.overlay;

import org.jspecify.annotations.NullMarked;
