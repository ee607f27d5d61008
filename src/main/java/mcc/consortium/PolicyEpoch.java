package mcc.consortium;

/**
 * A policy and the epoch that it begins: of two, the one of the higher number is in force.
 *
 * @param number above 0
 */
public record PolicyEpoch(Policy policy, long number) {
    /** Refuses what could never come into force. */
    public PolicyEpoch {
        if (number <= 0) throw new IllegalArgumentException("epochs are numbered from 1");
    }

    /** The first epoch of an open network. */
    public static PolicyEpoch open() {
        return new PolicyEpoch(Policy.open(), 1);
    }
}
