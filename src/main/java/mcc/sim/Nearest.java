package mcc.sim;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import mcc.core.Id;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes are really nearest to a position, whatever anybody's table says: all nodes sorted by position, searched like a
 * binary tree over their leading bits.
 */
final class Nearest {
    private record Place(Id position, SimNode node) {}

    private final Place[] places;

    Nearest(List<SimNode> nodes) {
        places = new Place[nodes.size()];
        for (int i = 0; i < places.length; i++) {
            SimNode node = nodes.get(i);
            places[i] = new Place(node.signing.position(node.id), node);
        }
        Arrays.sort(places, Comparator.comparing(Place::position));
    }

    /** The nearest node for which {@code counts} is true; null when there is none. */
    @Nullable
    SimNode to(Id target, Predicate<SimNode> counts) {
        return search(target, counts, 0, places.length, 0);
    }

    /** Whether a lookup was right: no node that others must be able to find is nearer than the first one it returned. */
    boolean finds(SimNode by, Id target, long beganNs, List<Contact> closest) {
        if (closest.isEmpty()) return false;
        SimNode truth = to(target, node -> node != by && node.isSettled(beganNs));
        if (truth == null) return true;
        Id first = by.signing.position(closest.getFirst().node());
        return target.compareDistance(first, by.signing.position(truth.id)) <= 0;
    }

    /**
     * The places from {@code from} to {@code to} share {@code bit} leading bits; those with the target's next bit are nearer.
     */
    private @Nullable SimNode search(Id target, Predicate<SimNode> counts, int from, int to, int bit) {
        if (from == to) return null;
        if (to - from == 1 || bit == Id.BITS) return counts.test(places[from].node) ? places[from].node : null;
        int middle = from;
        int high = to;
        while (middle < high) {
            int each = (middle + high) >>> 1;
            if (places[each].position.bit(bit)) high = each;
            else middle = each + 1;
        }
        boolean one = target.bit(bit);
        SimNode found = search(target, counts, one ? middle : from, one ? to : middle, bit + 1);
        return found != null ? found : search(target, counts, one ? from : middle, one ? middle : to, bit + 1);
    }
}
