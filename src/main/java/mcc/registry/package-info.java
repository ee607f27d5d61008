/**
 * Who offers what: endpoints, leases, health, selection.
 *
 * <p>May use core, wire, crypto, consortium and dht (of the latter its values). Checks of apps are I/O: it asks its host for
 * them and is told how they ended.
 *
 * <p>Read in this order: {@link mcc.registry.Registry} (what may happen and what is asked), {@link mcc.registry.Registration}
 * (what an app may register, and what is wrong with it), {@link mcc.registry.LocalRegistrations} and {@code LocalRegistration}
 * (this node's registrations and their health), {@link mcc.registry.Directory} (the providers at other nodes: lookups, cache,
 * watches), {@link mcc.registry.Offer} (a provider as others see it), {@link mcc.registry.Selector} (which one to use),
 * {@link mcc.registry.ServiceName}.
 *
 * <p>Invariants: a registration is visible to this node at once; a service whose checks fail is withdrawn from the network
 * after as many failures in a row as its check says; a provider whose node was not heard within its lease is never called
 * usable, cached or not; there is one lookup at a time per service, however many ask; a provider's record counts only for its
 * own writer.
 *
 * <p>Sources: health checks and their states as in Consul; singleflight as in Go's x/sync; weighted choice within a locality
 * as in Envoy's locality load balancing.
 */
@NullMarked
package mcc.registry;

import org.jspecify.annotations.NullMarked;
