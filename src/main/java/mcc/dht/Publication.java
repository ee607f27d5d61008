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

/** A record of our own: what is to stand in the network, and who is known to hold it. */
final class Publication {
    /** Names it among our records. */
    final Place name;

    Bytes body;
    long leaseMs;
    boolean live;

    @Nullable
    Record record;
    /** The user who waits for the present version to be stored; null when nobody does. */
    @Nullable
    Long ticket;
    /** Whom the present version, or one before, was sent to, by position, nearest to the key first. At most 2 k. */
    final TreeMap<Id, Contact> targets;
    /** Those among them that said they keep it. */
    final TreeMap<Id, Contact> holders;
    /** Positions of holders that did not answer the last beat. */
    private final List<Id> missing = new ArrayList<>();
    /** Holders of the present version that were given up. */
    int lost;
    /** Stores sent for the present version and not yet decided. */
    int open;

    int kept;
    int asked;
    /** A lookup for holders runs. */
    boolean looking;
    /** Answers of holders are awaited. */
    boolean placing;

    boolean withdrawn;
    /** Too few nodes hold it. */
    boolean thin;
    /** Enough holders took it in this life of the node. */
    boolean established;
    /** The highest number that holders said they know, and ours before they did; 0 while none did. */
    long known;

    long own;
    /** How often the present placement took up a higher number. */
    int renumberings;
    /** Holders that know numbers above ours though they took it from us; at most as many as were asked. */
    final Set<Id> accusers = new LinkedHashSet<>();
    /** Counts placements; an agenda entry of an earlier one is void. */
    int round;

    Publication(Place name, Bytes body, long leaseMs, boolean live) {
        this.name = name;
        this.body = body;
        this.leaseMs = leaseMs;
        this.live = live;
        targets = new TreeMap<>(name.key().byDistance());
        holders = new TreeMap<>(name.key().byDistance());
    }

    /** Notes a beat that was not answered; returns whether the holder is given up after two in a row. */
    boolean missed(Id holder) {
        if (!missing.contains(holder)) {
            missing.add(holder);
            return false;
        }
        missing.remove(holder);
        holders.remove(holder);
        lost++;
        return true;
    }

    void heard(Id holder) {
        missing.remove(holder);
    }
}
