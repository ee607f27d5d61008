package mcc.dht;

import mcc.core.Id;
import mcc.wire.Contact;

/** A contact in the routing table, with the round-trip time measured to it. */
final class Entry {
    Contact contact;
    final Id position;
    long heardNs;
    /** Whether it said last that it is a leaf. */
    boolean leaf;
    /** Signs of silence in a row, and when the last one was noticed. */
    int failures;

    long failedNs;
    /** The smoothed round-trip time of RFC 6298 section 2; 0 while unmeasured. */
    long srttNs;

    long rttvarNs;

    Entry(Contact contact, Id position) {
        this.contact = contact;
        this.position = position;
    }

    void measured(long rttNs) {
        if (rttNs <= 0) return;
        if (srttNs == 0) {
            srttNs = rttNs;
            rttvarNs = rttNs / 2;
        } else {
            rttvarNs = (3 * rttvarNs + Math.abs(srttNs - rttNs)) / 4;
            srttNs = (7 * srttNs + rttNs) / 8;
        }
    }
}
