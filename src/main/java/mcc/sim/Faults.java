package mcc.sim;

/**
 * How many of the nodes have which fault, each as a share of 1,000.
 *
 * @param liarsPermille members that give false answers and store junk
 * @param oneWayPermille nodes that receive only from peers that they sent to within the last two minutes
 * @param staleAddressPermille nodes that announce an address where nobody is before their real one
 * @param deadBootstrapsPermille bootstrap addresses where nobody answers; at least one of each node's does
 * @param cutOffPermille nodes that are cut off once, for one to two minutes
 */
public record Faults(
        int liarsPermille,
        int oneWayPermille,
        int staleAddressPermille,
        int deadBootstrapsPermille,
        int cutOffPermille) {
    /** Refuses shares that are not 0 to 1,000, and too many nodes that cannot be judged. */
    public Faults {
        int most = Math.max(Math.max(liarsPermille, oneWayPermille), Math.max(staleAddressPermille, cutOffPermille));
        int least = Math.min(Math.min(liarsPermille, oneWayPermille), Math.min(staleAddressPermille, cutOffPermille));
        if (Math.min(least, deadBootstrapsPermille) < 0 || Math.max(most, deadBootstrapsPermille) > 1_000) {
            throw new IllegalArgumentException("a share is 0 to 1000 of 1,000");
        }
        if (liarsPermille + oneWayPermille > 900) {
            throw new IllegalArgumentException(
                    "liars and one-way nodes are at most 900 of 1,000: somebody must be judged");
        }
    }

    /** No faults. */
    public static Faults none() {
        return new Faults(0, 0, 0, 0, 0);
    }

    /** The faults of an ordinary network. */
    static Faults usual() {
        return new Faults(10, 10, 20, 200, 10);
    }

    /** The faults of {@link Scenarios#FAULTS}. */
    static Faults many() {
        return new Faults(50, 50, 100, 300, 200);
    }
}
