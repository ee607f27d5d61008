package mcc.relay;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.Contact;
import mcc.wire.Limits;
import mcc.wire.Message;
import org.jspecify.annotations.Nullable;

/**
 * The places that this node keeps at relays while others cannot reach it: {@link Limits#RELAYS}, at those that answered fastest
 * and have most to spare.
 *
 * <p>A relay: offered by a peer, or found in the DHT → asked → kept → (asked again at half of the lease while it is among the
 * best) → offered again after a refusal, a silence or the end of its link, and then it is left alone for {@link #REST_NS}; one
 * that was found and does not relay is forgotten. Where relays are missing, the DHT is asked for the nodes at a random position,
 * which spreads the askers; where none is missing, another one is tried now and then, because it may be better. Limit:
 * {@link #OFFERS_MAX} relays remembered; the one heard of least recently gives way.
 */
final class Shelter {
    /** Relays remembered. */
    static final int OFFERS_MAX = 64;
    /** How long an answer is awaited. */
    static final long PATIENCE_NS = 3_000_000_000L;
    /** How soon a relay is asked again that says anew that it relays. */
    static final long AGAIN_NS = 1_000_000_000L;
    /** How long a relay that refused or was silent is left alone. */
    static final long REST_NS = 30_000_000_000L;

    /** The pause after the DHT was asked for relays, and before another one is tried; it doubles each time. */
    static final long PAUSE_NS = 5_000_000_000L;
    /** The longest pause while relays are missing. */
    static final long MISSING_NS = 3_600_000_000_000L;
    /** The longest pause before another one is tried: a handshake with it costs some kilobytes. */
    static final long CONTENT_NS = 6 * MISSING_NS;
    /** Nodes of one search that are asked. */
    static final int FOUND_MAX = 4;
    /** A relay that is used is left for one that is better by a fifth and this. */
    static final long GAIN_NS = 5_000_000L;

    private static final class Offer {
        /** With no address where it is reached by a carrier and has not told where others reach it. */
        Contact relay;
        /** Whether it says by its link that it relays. */
        boolean linked;
        /** Whether this node reaches it by a carrier. */
        boolean carried;

        long call;
        long askedNs = Long.MIN_VALUE;
        /** When the answer is overdue; NEVER when none is awaited. */
        long patienceNs = Core.NEVER;

        long restsUntilNs = Long.MIN_VALUE;
        /** When the place ends; before now without one. */
        long endsNs = Long.MIN_VALUE;

        long renewNs = Core.NEVER;
        /** Of the last request to it; 0 before. */
        long rttNs;

        int load;

        Offer(Contact relay) {
            this.relay = relay;
        }

        boolean isKept(long nowNs) {
            return endsNs > nowNs;
        }

        boolean isAsked() {
            return patienceNs != Core.NEVER;
        }

        /** What waits for a relay grows with what is taken of it, as in a queue. */
        long costNs() {
            return rttNs == 0 ? Long.MAX_VALUE : rttNs / (1_000 - Math.min(load, 900)) * 1_000;
        }
    }

    private final Rng rng;
    private final Counters counters;
    private final Consumer<Relay.Output> out;
    private final Map<Id, Offer> offers = new LinkedHashMap<>();
    private boolean wanted;
    private List<Contact> told = List.of();
    private List<Id> welcomed = List.of();
    /** When the DHT may be asked, or another relay tried, and how long after that again. */
    private long searchNs = Core.NEVER;

    private long pauseNs = PAUSE_NS;

    Shelter(Rng rng, Counters counters, Consumer<Relay.Output> out) {
        this.rng = rng;
        this.counters = counters;
        this.out = out;
    }

    /**
     * Whether places are needed: as long as it is not known that others reach this node. At a relay that is reached by a carrier
     * one is needed in any case, as nothing else reaches this node then.
     */
    void want(long nowNs, boolean places) {
        if (places && !wanted) hurry(nowNs);
        wanted = places;
        if (!places) for (Offer offer : offers.values()) if (!offer.carried) leave(offer);
        settle(nowNs);
    }

    /** A search is due now, and soon again should it fail. */
    private void hurry(long nowNs) {
        pauseNs = PAUSE_NS;
        searchNs = nowNs;
    }

    private static void leave(Offer offer) {
        offer.endsNs = Long.MIN_VALUE;
        offer.renewNs = Core.NEVER;
        offer.patienceNs = Core.NEVER;
    }

    /**
     * There is a link with a peer, which says whether it relays. It says so anew when it may have forgotten who has a place: then
     * it is asked again at once.
     */
    void offered(long nowNs, Id peer, Address at, boolean relays) {
        if (!relays || at.isCircuit()) {
            down(nowNs, peer);
            return;
        }
        Offer offer = offers.get(peer);
        if (offer == null) {
            if (offers.size() >= OFFERS_MAX) evict(nowNs);
            offer = new Offer(new Contact(peer, at.isUnicast() ? List.of(at) : List.of()));
            offers.put(peer, offer);
        } else {
            if (at.isUnicast()) offer.relay = new Contact(peer, List.of(at));
            if (offer.isKept(nowNs)) offer.renewNs = Math.max(nowNs, offer.askedNs + AGAIN_NS);
        }
        offer.linked = true;
        offer.carried = at.isCarrier();
        tick(nowNs);
    }

    /** A relay is reached by a carrier now, or no longer. */
    void moved(long nowNs, Id peer, Address at) {
        Offer known = offers.get(peer);
        if (known == null || !known.linked || at.isCircuit() || known.carried == at.isCarrier()) return;
        offered(nowNs, peer, at, true);
    }

    /** The DHT found nodes; those that are unknown may relay. */
    void found(long nowNs, List<Contact> nodes, Predicate<Id> isKnown) {
        int asked = 0;
        for (Contact node : nodes) {
            if (!isSearching() || asked == FOUND_MAX) break;
            if (isKnown.test(node.node()) || offers.containsKey(node.node())) continue;
            if (node.addresses().isEmpty()) continue;
            if (offers.size() >= OFFERS_MAX) evict(nowNs);
            Offer offer = new Offer(node);
            offers.put(node.node(), offer);
            ask(nowNs, offer);
            asked++;
        }
        settle(nowNs);
    }

    private void evict(long nowNs) {
        for (Offer offer : offers.values()) {
            if (offer.isKept(nowNs) || offer.isAsked()) continue;
            offers.remove(offer.relay.node());
            return;
        }
    }

    void down(long nowNs, Id peer) {
        if (offers.remove(peer) != null) settle(nowNs);
    }

    /** No relay has a link any longer. */
    void clear(long nowNs) {
        offers.clear();
        settle(nowNs);
    }

    /** A relay answered; false when nobody waits for this. */
    boolean answered(long nowNs, Id from, long call, Message.@Nullable Reserved answer, long rttNs) {
        Offer offer = offers.get(from);
        if (offer == null || !offer.isAsked() || offer.call != call) return false;
        offer.patienceNs = Core.NEVER;
        if (answer != null && answer.verdict() == Message.Relaying.OK) {
            long leaseNs = Math.min(answer.leaseMs(), 86_400_000) * 1_000_000;
            offer.endsNs = nowNs + leaseNs;
            offer.renewNs = nowNs + leaseNs / 2;
            offer.rttNs = Math.max(1, rttNs);
            offer.load = answer.load();
            if (offer.carried) told(offer, answer.addresses());
        } else {
            counters.add("relay.refused");
            leave(offer);
            offer.restsUntilNs = nowNs + REST_NS;
            if (!offer.linked) offers.remove(from);
        }
        settle(nowNs);
        return true;
    }

    /** A relay that is reached by a carrier tells where others reach it. */
    private void told(Offer offer, List<Address> addresses) {
        List<Address> few = addresses.subList(0, Math.min(addresses.size(), Limits.RELAY_ADDRESSES));
        if (few.isEmpty() || few.equals(offer.relay.addresses())) return;
        offer.relay = new Contact(offer.relay.node(), few);
        out.accept(new Relay.Output.Meet(offer.relay));
    }

    void tick(long nowNs) {
        for (Offer offer : new ArrayList<>(offers.values())) {
            if (offer.patienceNs <= nowNs) answered(nowNs, offer.relay.node(), offer.call, null, 0);
            if (offer.renewNs > nowNs || offer.isAsked()) continue;
            if (isUsed(offer) || offer.carried) ask(nowNs, offer);
            else offer.renewNs = Core.NEVER; // there are better ones
        }
        settle(nowNs);
    }

    /** Asks as many relays as places are missing, and tells if the relays that keep one have changed. */
    private void settle(long nowNs) {
        int places = 0;
        for (Offer offer : offers.values()) if (offer.isKept(nowNs) || offer.isAsked()) places++;
        for (Offer offer : best()) {
            if (places >= Limits.RELAYS) break;
            if (!wanted && !offer.carried) continue;
            if (offer.isKept(nowNs) || offer.isAsked() || offer.restsUntilNs > nowNs) continue;
            ask(nowNs, offer);
            places++;
        }
        List<Contact> kept = new ArrayList<>();
        List<Id> welcome = new ArrayList<>();
        for (Offer offer : best()) {
            if (!offer.isKept(nowNs)) continue;
            welcome.add(offer.relay.node());
            boolean known = !offer.relay.addresses().isEmpty();
            if (known && kept.size() < Limits.RELAYS) kept.add(offer.relay);
        }
        if (!welcome.equals(welcomed)) out.accept(new Relay.Output.Welcome(welcome));
        welcomed = welcome;
        if (kept.size() < told.size() && wanted) hurry(nowNs);
        if (!kept.equals(told)) out.accept(new Relay.Output.SelfRelays(kept));
        told = kept;
        search(nowNs, places >= Limits.RELAYS);
    }

    /** Whether other relays may be found and reached: by a carrier nobody else is. */
    private boolean isSearching() {
        if (!wanted) return false;
        for (Offer offer : offers.values()) if (offer.carried) return false;
        return true;
    }

    /** Looks for relays where some are missing, or for a better one, when it is time to. */
    private void search(long nowNs, boolean complete) {
        if (!isSearching() || searchNs > nowNs) return;
        searchNs = nowNs + pauseNs;
        pauseNs = Math.min(2 * pauseNs, complete ? CONTENT_NS : MISSING_NS);
        if (complete) {
            for (Offer offer : offers.values()) {
                if (offer.rttNs != 0 || offer.isAsked() || offer.restsUntilNs > nowNs) continue;
                ask(nowNs, offer);
                return;
            }
        }
        counters.add("relay.searches");
        out.accept(new Relay.Output.Seek(Id.random(rng)));
    }

    private void ask(long nowNs, Offer offer) {
        offer.call = rng.nextLong();
        offer.askedNs = nowNs;
        offer.patienceNs = nowNs + PATIENCE_NS;
        out.accept(new Relay.Output.Ask(offer.relay, offer.call, new Message.Reserve()));
    }

    /** Those that answered, best first, then the others in the order in which they were heard of. */
    private List<Offer> best() {
        List<Offer> out = new ArrayList<>(offers.values());
        out.sort(Comparator.comparingLong(offer -> {
            long cost = offer.costNs();
            return isUsed(offer) ? cost - cost / 5 - GAIN_NS : cost;
        }));
        return out;
    }

    private boolean isUsed(Offer offer) {
        for (Contact each : told) if (each.node().equals(offer.relay.node())) return true;
        return false;
    }

    /** Tells what was told again. */
    void tell() {
        if (!welcomed.isEmpty()) out.accept(new Relay.Output.Welcome(welcomed));
        if (!told.isEmpty()) out.accept(new Relay.Output.SelfRelays(told));
    }

    /** Relays where this node keeps a place and which it reaches by a carrier, best first. */
    List<Contact> carried(long nowNs) {
        List<Contact> out = new ArrayList<>();
        for (Offer offer : best()) if (offer.carried && offer.isKept(nowNs)) out.add(offer.relay);
        return out;
    }

    /** Relays where this node keeps a place, best first. */
    List<Contact> kept() {
        return told;
    }

    List<RelayReport.Kept> report(long nowNs) {
        List<RelayReport.Kept> report = new ArrayList<>();
        for (Offer offer : best()) {
            if (!offer.isKept(nowNs)) continue;
            report.add(new RelayReport.Kept(
                    offer.relay.node(), offer.rttNs, offer.load, (offer.endsNs - nowNs) / 1_000_000));
        }
        return report;
    }

    long deadlineNs(long nowNs) {
        long next = isSearching() ? searchNs : Core.NEVER;
        for (Offer offer : offers.values()) {
            next = Math.min(next, offer.patienceNs);
            if (!offer.isAsked()) next = Math.min(next, offer.renewNs);
            if (offer.restsUntilNs > nowNs) next = Math.min(next, offer.restsUntilNs);
            if (offer.isKept(nowNs)) next = Math.min(next, offer.endsNs);
        }
        return next;
    }
}
