package mcc.tunnel;

import mcc.core.Id;
import mcc.registry.Offer;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/** What somebody wants to reach. */
public sealed interface Target {
    /**
     * A service, at whichever provider suits, or only at those of one node or at one instance.
     *
     * @param node how that node's ID begins, 8 to 52 characters; null for any
     * @param endpoint how that instance's ID begins, 8 to 52 characters; null for any
     */
    record Service(
            ServiceName name,
            @Nullable String node,
            @Nullable String endpoint) implements Target {
        /** Whether an offer is one of those. */
        public boolean admits(Offer offer) {
            return (node == null || offer.contact().node().toString().startsWith(node))
                    && (endpoint == null || offer.endpoint().toString().startsWith(endpoint));
        }

        /** {@code org/name}, {@code org/name#endpoint}, either with the node behind it. */
        @Override
        public String toString() {
            return name + (endpoint == null ? "" : "#" + endpoint) + (node == null ? "" : " at node " + node);
        }
    }

    /** One instance of whatever service. */
    record Instance(Id endpoint) implements Target {}

    /** Parses {@code name}, {@code org/name} or either with {@code #} and how the endpoint's ID begins; null when it is none. */
    static @Nullable Service parse(String text, @Nullable String node) {
        int hash = text.indexOf('#');
        ServiceName name = ServiceName.parse(hash < 0 ? text : text.substring(0, hash), ServiceName.OPEN);
        String endpoint = hash < 0 ? null : text.substring(hash + 1);
        if (name == null || endpoint != null && !Id.isPrefix(endpoint)) return null;
        return new Service(name, node, endpoint);
    }
}
