package mcc.dht;

/** Why a {@link Lookup} is made, and so when it ends and what follows. */
sealed interface LookupGoal {
    /** A user asked for the nodes nearest to a position. */
    record Nodes(Ticket ticket) implements LookupGoal {}

    /**
     * A user asked for records.
     *
     * @param quorum it ends once this many holders answered with records
     * @param limit most records
     * @param providers whether only providers' records count
     */
    record Values(Ticket ticket, int quorum, int limit, boolean providers) implements LookupGoal {}

    /** A record of our own needs holders. */
    record Place(Publication publication) implements LookupGoal {}

    /** We look for our own neighbourhood. */
    record Self() implements LookupGoal {}

    /** A bucket is to be filled or tested. */
    record Refresh() implements LookupGoal {}

    /** Returns whether its steps are recorded, for whoever asked. */
    default boolean isTraced() {
        return this instanceof Nodes || this instanceof Values;
    }
}
