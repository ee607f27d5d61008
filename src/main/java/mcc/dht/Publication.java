package mcc.dht;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/** A record of our own: its content, and the nodes known to hold it. */
final class Publication {
    /** Tells it apart from our other records. */
    final Place name;

    Bytes body;
    long leaseMs;
    boolean live;

    @Nullable
    Record record;
    /** The user who waits for the present version to be stored; null when nobody does. */
    @Nullable
    Ticket ticket;
    /** The nodes to which this version or an earlier one was sent, by position, nearest to the key first. At most 2 k. */
    final TreeMap<Id, Contact> targets;
    /** Those among them that confirmed that they hold it. */
    final TreeMap<Id, Contact> holders;
    /** Positions of holders that did not answer the last heartbeat. */
    private final List<Id> missing = new ArrayList<>();
    /** Holders of the present version that were given up. */
    int lost;
    /** Store requests for this version that were neither answered nor failed yet. */
    int open;

    int kept;
    int asked;
    /** Whether a lookup for holders is under way. */
    boolean looking;
    /** Whether answers of holders are awaited. */
    boolean placing;

    boolean withdrawn;
    /** Whether too few nodes hold it. */
    boolean thin;
    /** Whether enough holders took it since this node was started. */
    boolean established;
    /** The highest version number that holders reported, 0 while none did; and the number that we had used until then. */
    long known;

    long own;
    /** How often the present placement was repeated with a higher number. */
    int renumberings;
    /** Holders whose higher number shows that another node publishes with our key; at most as many as were asked. */
    final Set<Id> accusers = new LinkedHashSet<>();
    /** Counts placements; a task in the agenda that belongs to an earlier one is void. */
    int round;

    Publication(Place name, Bytes body, long leaseMs, boolean live) {
        this.name = name;
        this.body = body;
        this.leaseMs = leaseMs;
        this.live = live;
        targets = new TreeMap<>(name.key().byDistance());
        holders = new TreeMap<>(name.key().byDistance());
    }

    /** Notes a heartbeat that was not answered; returns whether the holder is given up, because it was the second in a row. */
    boolean missed(Id holder) {
        if (!missing.contains(holder)) {
            missing.add(holder);
            return false;
        }
        lose(holder);
        return true;
    }

    /** Gives a holder up. */
    void lose(Id holder) {
        missing.remove(holder);
        if (holders.remove(holder) != null) lost++;
    }

    void heard(Id holder) {
        missing.remove(holder);
    }
}
