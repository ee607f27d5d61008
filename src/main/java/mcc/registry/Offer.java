package mcc.registry;

import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Provider;
import org.jspecify.annotations.Nullable;

/**
 * One provider of a service as this node sees it now.
 *
 * @param reason why its health is what it is
 * @param distance to its node; null while unmeasured, and for this node
 * @param leaseMs how much longer it counts as usable if its node is not heard again
 * @param isLocal whether this node offers it
 */
public record Offer(
        Provider provider,
        Health health,
        String reason,
        @Nullable Distance distance,
        long leaseMs,
        boolean isLocal,
        Score score) {
    /**
     * How far a node is, as links measured it.
     *
     * @param rttNs the smoothed round-trip time, which people are shown; over 0
     * @param leastNs the least recent one, which busy hosts and queues add least to, and by which nodes are compared; over 0
     */
    public record Distance(long rttNs, long leastNs) {}

    /**
     * What decides its rank; the lower the total, the better.
     *
     * @param health 0 usable, 1 failing, 2 stale
     * @param rttClass 0 for the nearest and those not noticeably farther
     * @param share of new connections among equals: weight times free capacity, 1 to 1,000,000
     */
    public record Score(int health, int rttClass, int share) {
        /** Returns one number that orders as the parts do. */
        public long total() {
            return (health * 1_000L + rttClass) * 1_000_000 + (1_000_000 - share);
        }
    }

    /** Returns whether its first port is one of UDP. */
    public boolean isUdp() {
        return provider.protocol() == Provider.Protocol.UDP;
    }

    /** Returns its endpoint ID. */
    public Id endpoint() {
        return provider.endpoint();
    }

    /** Returns its node and addresses. */
    public Contact contact() {
        return new Contact(provider.node(), provider.addresses(), provider.relays());
    }
}
