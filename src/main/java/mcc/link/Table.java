package mcc.link;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * The links by their peers, in the order in which they were made. Limit: {@link LinkConfig#linksMax}; which one gives way to a
 * new one is decided by {@link #victim}.
 */
final class Table {
    /** A source has more than its share if it has more than one in this many of all links. */
    private static final int CROWD_SHARE = 8;

    private final int max;
    private final Map<Id, Link> links = new LinkedHashMap<>();

    Table(int max) {
        this.max = max;
    }

    @Nullable
    Link find(Id peer) {
        return links.get(peer);
    }

    Collection<Link> all() {
        return Collections.unmodifiableCollection(links.values());
    }

    List<Link> snapshot() {
        return List.copyOf(links.values());
    }

    boolean isFull() {
        return links.size() >= max;
    }

    void add(Link link) {
        links.put(link.peer, link);
    }

    void remove(Link link) {
        links.remove(link.peer);
    }

    /**
     * The link that gives way: of those whose streams nobody uses, the one silent for longest. Where all are in use, of the
     * links of sources (an IPv4 address, a /64 of IPv6) with more than their share, the one that carried least. Null where no
     * source has more than its share.
     */
    @Nullable
    Link victim() {
        Link oldest = null;
        for (Link link : links.values()) {
            if (link.wantedStreams() == 0 && (oldest == null || link.heardNs < oldest.heardNs)) oldest = link;
        }
        return oldest == null ? leastOfTheCrowd() : oldest;
    }

    private @Nullable Link leastOfTheCrowd() {
        Map<Long, Integer> counts = new HashMap<>();
        for (Link link : links.values()) counts.merge(source(link), 1, Integer::sum);
        Link least = null;
        for (Link link : links.values()) {
            if (counts.getOrDefault(source(link), 0) * CROWD_SHARE <= links.size()) continue;
            if (least == null || carried(link) < carried(least)) least = link;
        }
        return least;
    }

    private static long source(Link link) {
        Path path = link.path;
        return path == null ? 0 : path.remote.source();
    }

    private static long carried(Link link) {
        return link.rxBytes + link.txBytes;
    }
}
