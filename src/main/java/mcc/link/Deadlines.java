package mcc.link;

import java.util.TreeSet;
import mcc.core.Core;
import org.jspecify.annotations.Nullable;

/** When each link is due, in order. Limit: one entry a link, however often its deadline moves. */
final class Deadlines {
    private record Due(long atNs, long number, Link link) implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            int order = Long.compare(atNs, other.atNs);
            return order == 0 ? Long.compare(number, other.number) : order;
        }
    }

    private final TreeSet<Due> all = new TreeSet<>();
    private long made;

    /** Plans a link for that time, unless it is planned for an earlier one. */
    void plan(long atNs, Link link) {
        if (atNs >= link.dueNs) return;
        remove(link);
        link.dueNs = atNs;
        link.dueNumber = made++;
        all.add(new Due(link.dueNs, link.dueNumber, link));
    }

    /** Takes a link off the plan. */
    void remove(Link link) {
        if (link.dueNs != Core.NEVER) all.remove(new Due(link.dueNs, link.dueNumber, link));
        link.dueNs = Core.NEVER;
    }

    /** Takes a link that is due off the plan and returns it; null when none is due. */
    @Nullable
    Link poll(long nowNs) {
        if (nextNs() > nowNs || all.isEmpty()) return null;
        Link link = all.removeFirst().link();
        link.dueNs = Core.NEVER;
        return link;
    }

    long nextNs() {
        return all.isEmpty() ? Core.NEVER : all.first().atNs();
    }

    int size() {
        return all.size();
    }
}
