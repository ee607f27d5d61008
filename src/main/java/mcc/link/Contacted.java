package mcc.link;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/**
 * The IP addresses to which the main ends sent lately. A NAT or a firewall may let in what comes from them; what comes from any
 * other address was asked for by nobody.
 *
 * <p>Exact or silent: for as long as it remembers, after its start and whenever it had to forget an address too early, nobody
 * counts as a stranger. Limit: {@link #MAX} addresses.
 */
final class Contacted {
    static final int MAX = 8_192;
    /** Longer than a NAT keeps a mapping that is not used. */
    static final long MEMORY_NS = 600_000_000_000L;

    private static final long SECOND_NS = 1_000_000_000L;
    private static final int LATELY = 64;

    private static final class Contact {
        final long firstNs;
        long lastNs;

        Contact(long nowNs) {
            firstNs = nowNs;
        }
    }

    /** In the order of the last datagram. */
    private final Map<Address, Contact> contacts = new LinkedHashMap<>(16, 0.75f, true);
    /** Noted within the last second, by a part of their hash, so that no object is made per datagram. */
    private final @Nullable Address[] lately = new Address[LATELY];

    private final long[] latelyNs = new long[LATELY];
    private boolean begun;
    private long exactNs;

    /** Notes that a datagram is sent. */
    void sent(long nowNs, int local, Address to) {
        if (PacketSink.isEphemeral(local) || to.isCarrier()) return;
        int slot = to.hashCode() & LATELY - 1;
        if (to.equals(lately[slot]) && nowNs - latelyNs[slot] < SECOND_NS) return;
        lately[slot] = to;
        latelyNs[slot] = nowNs;
        begin(nowNs);
        forget(nowNs);
        Address ip = new Address(to.high(), to.low(), 0);
        Contact contact = contacts.get(ip);
        if (contact == null) {
            if (contacts.size() >= MAX) {
                contacts.remove(contacts.keySet().iterator().next());
                exactNs = nowNs + MEMORY_NS;
            }
            contact = new Contact(nowNs);
            contacts.put(ip, contact);
        }
        contact.lastNs = nowNs;
    }

    /** Whether nothing was sent to that IP address lately, for certain. */
    boolean isStranger(long nowNs, Address from) {
        if (from.isStandIn()) return false; // it came from a relay, or by a connection
        begin(nowNs);
        forget(nowNs);
        return nowNs >= exactNs && !contacts.containsKey(new Address(from.high(), from.low(), 0));
    }

    /** When the first of the datagrams to that IP address was sent; 0 where none was lately. */
    long sinceNs(Address to) {
        Contact contact = contacts.get(new Address(to.high(), to.low(), 0));
        return contact == null ? 0 : contact.firstNs;
    }

    private void begin(long nowNs) {
        if (begun) return;
        begun = true;
        exactNs = nowNs + MEMORY_NS; // an earlier process may have sent from the same ports
    }

    private void forget(long nowNs) {
        for (Iterator<Contact> it = contacts.values().iterator(); it.hasNext(); ) {
            if (nowNs - it.next().lastNs < MEMORY_NS) return;
            it.remove();
        }
    }
}
