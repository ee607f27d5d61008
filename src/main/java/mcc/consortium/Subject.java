package mcc.consortium;

import mcc.core.Id;

/**
 * Who asks. A subject is created where a peer proves its identity, and is passed from there to every decision, so that further
 * facts that handshakes may prove in future get there too. It must never be created from an unproved ID.
 *
 * @param org the node's organisation, or {@link Policy#OPEN}
 * @param hops how often the right was delegated before it reached this node; 0 for the grantee itself
 */
public record Subject(Id node, String org, int hops) {
    /** A node that has proved its key and nothing else. For whoever checked the proof, and for a node itself. */
    public static Subject of(Id node) {
        return new Subject(node, Policy.OPEN, 0);
    }
}
