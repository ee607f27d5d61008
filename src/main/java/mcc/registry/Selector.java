package mcc.registry;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import mcc.core.Rng;

/**
 * The order in which providers are tried: by health, then by class of round-trip time, then by weight and load.
 *
 * <p>Times within 5 ms or a quarter above the least of a class belong to that class, because measurements vary by as much. An
 * unmeasured provider counts among the nearest class, so that it is tried and measured.
 */
public final class Selector {
    private static final long CLASS_NS = 5 * RegistryConfig.MS;

    private Selector() {}

    /** Returns the offers with their scores, best first; equal ones by endpoint ID. */
    static List<Offer> rank(List<Offer> offers) {
        List<Offer> byRtt = new ArrayList<>(offers);
        byRtt.sort(Comparator.comparingLong(o -> Math.max(leastNs(o), 0)));
        long least = -1;
        int rttClass = 0;
        List<Offer> out = new ArrayList<>(offers.size());
        for (Offer offer : byRtt) {
            long rttNs = leastNs(offer);
            if (rttNs >= 0) {
                if (least < 0) least = rttNs;
                if (rttNs > least + Math.max(CLASS_NS, least / 4)) {
                    least = rttNs;
                    rttClass = Math.min(rttClass + 1, 999);
                }
            }
            out.add(scored(offer, rttNs < 0 ? 0 : rttClass));
        }
        out.sort(Comparator.comparingLong((Offer o) -> o.score().total()).thenComparing(Offer::endpoint));
        return out;
    }

    /** The least round-trip time: 0 for this node, −1 while unmeasured. */
    private static long leastNs(Offer offer) {
        if (offer.isLocal()) return 0;
        Offer.Distance distance = offer.distance();
        return distance == null ? -1 : distance.leastNs();
    }

    private static Offer scored(Offer o, int rttClass) {
        int free = 1_000 - o.provider().loadPermille();
        int share = Math.max(1, o.provider().weight() * free);
        int health = switch (o.health()) {
            case PASS -> 0;
            case FAILING -> 1;
            case STALE -> 2;
        };
        var score = new Offer.Score(health, rttClass, share);
        return new Offer(o.provider(), o.health(), o.reason(), o.distance(), o.leaseMs(), o.isLocal(), score);
    }

    /**
     * Returns the usable ones of {@code ranked} in the order for one new connection: class after class, and within each drawn
     * at random in proportion to their shares.
     */
    public static List<Offer> pick(List<Offer> ranked, Rng rng) {
        List<Offer> rest = new ArrayList<>(ranked);
        rest.removeIf(o -> o.health() != Health.PASS);
        List<Offer> out = new ArrayList<>(rest.size());
        while (!rest.isEmpty()) {
            int first = rest.getFirst().score().rttClass();
            int end = 0;
            long sum = 0;
            while (end < rest.size() && rest.get(end).score().rttClass() == first) {
                sum += rest.get(end++).score().share();
            }
            long at = rng.below(sum);
            int i = 0;
            while (at >= rest.get(i).score().share())
                at -= rest.get(i++).score().share();
            out.add(rest.remove(i));
        }
        return out;
    }
}
