package mcc.consortium;

import mcc.core.Id;

/**
 * Who asks: made where a peer proves who it is, and carried from there to whoever decides, so that what else a handshake may
 * prove one day gets there too. Nobody makes one of an ID that it heard of.
 *
 * @param org its organisation, or {@link Policy#OPEN}
 * @param hops how often the right was passed on before it reached this node; 0 for a grantee itself
 */
public record Subject(Id node, String org, int hops) {
    /** A node that has proved its key and nothing else. For whoever checked the proof, and for a node that speaks of itself. */
    public static Subject of(Id node) {
        return new Subject(node, Policy.OPEN, 0);
    }
}
