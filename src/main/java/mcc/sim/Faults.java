package mcc.sim;

/**
 * What is wrong with some of the nodes, each a share of 1,000.
 *
 * @param liarsPermille members that answer with what is not so, and store junk
 * @param oneWayPermille those that hear only whom they spoke to within two minutes
 * @param staleAddressPermille those that tell an address at which nobody is before the one they have
 * @param deadBootstrapsPermille bootstrap addresses at which nobody answers; of each node's at least one does
 * @param cutOffPermille those that are cut off once, for one to two minutes
 */
public record Faults(
        int liarsPermille,
        int oneWayPermille,
        int staleAddressPermille,
        int deadBootstrapsPermille,
        int cutOffPermille) {
    /** Refuses what is no share. */
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

    /** Nothing is wrong. */
    public static Faults none() {
        return new Faults(0, 0, 0, 0, 0);
    }

    /** What an ordinary network has. */
    static Faults usual() {
        return new Faults(10, 10, 20, 200, 10);
    }

    /** What {@link Scenarios#FAULTS} has. */
    static Faults many() {
        return new Faults(50, 50, 100, 300, 200);
    }
}
