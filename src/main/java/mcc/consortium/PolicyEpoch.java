package mcc.consortium;

/**
 * A policy with its epoch: of two, the one with the higher number is in force.
 *
 * @param number at least 1
 */
public record PolicyEpoch(Policy policy, long number) {
    /** Refuses a number that could never come into force. */
    public PolicyEpoch {
        if (number <= 0) throw new IllegalArgumentException("epochs are numbered from 1");
    }

    /** The first epoch of an open network. */
    public static PolicyEpoch open() {
        return new PolicyEpoch(Policy.open(), 1);
    }
}
