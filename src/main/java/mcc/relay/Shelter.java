package mcc.relay;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
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
 * The places that this node keeps at relays while others cannot reach it: {@link Limits#RELAYS}, at those peers that offer to
 * relay and answered fastest.
 *
 * <p>A relay: offered → asked → kept → (asked again at half of the lease) → offered again after a refusal, a silence or the end
 * of its link, and then it is left alone for {@link #REST_NS}. Limit: {@link #OFFERS_MAX} relays remembered; the one heard of
 * least recently gives way.
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

    private static final class Offer {
        final Contact relay;
        long call;
        long askedNs = Long.MIN_VALUE;
        /** When the answer is overdue; NEVER when none is awaited. */
        long patienceNs = Core.NEVER;

        long restsUntilNs = Long.MIN_VALUE;
        /** When the place ends; before now without one. */
        long endsNs = Long.MIN_VALUE;

        long renewNs = Core.NEVER;
        long rttNs;

        Offer(Contact relay) {
            this.relay = relay;
        }

        boolean isKept(long nowNs) {
            return endsNs > nowNs;
        }

        boolean isAsked() {
            return patienceNs != Core.NEVER;
        }
    }

    private final Rng rng;
    private final Counters counters;
    private final Consumer<Relay.Output> out;
    private final Map<Id, Offer> offers = new LinkedHashMap<>();
    private boolean wanted;
    private List<Contact> told = List.of();
    private List<Id> welcomed = List.of();

    Shelter(Rng rng, Counters counters, Consumer<Relay.Output> out) {
        this.rng = rng;
        this.counters = counters;
        this.out = out;
    }

    /** Whether places are needed: as long as it is not known that others reach this node. */
    void want(long nowNs, boolean places) {
        wanted = places;
        if (!places) for (Offer offer : offers.values()) leave(offer);
        settle(nowNs);
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
        if (!relays || !at.isUnicast()) {
            down(nowNs, peer);
            return;
        }
        Offer known = offers.get(peer);
        boolean same = known != null && known.relay.addresses().getFirst().equals(at);
        Offer offer = known != null && same ? known : new Offer(new Contact(peer, List.of(at)));
        if (known == null && offers.size() >= OFFERS_MAX) evict(nowNs);
        offers.put(peer, offer);
        if (known != null) {
            offer.endsNs = known.endsNs;
            offer.rttNs = known.rttNs;
            offer.askedNs = known.askedNs;
            if (known.isKept(nowNs)) offer.renewNs = Math.max(nowNs, known.askedNs + AGAIN_NS);
        }
        tick(nowNs);
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
            offer.rttNs = rttNs;
        } else {
            counters.add("relay.refused");
            leave(offer);
            offer.restsUntilNs = nowNs + REST_NS;
        }
        settle(nowNs);
        return true;
    }

    void tick(long nowNs) {
        for (Offer offer : new ArrayList<>(offers.values())) {
            if (offer.patienceNs <= nowNs) answered(nowNs, offer.relay.node(), offer.call, null, 0);
            if (offer.renewNs <= nowNs && !offer.isAsked()) ask(nowNs, offer);
        }
        settle(nowNs);
    }

    /** Asks as many relays as places are missing, and tells if the relays that keep one have changed. */
    private void settle(long nowNs) {
        int places = 0;
        for (Offer offer : offers.values()) if (offer.isKept(nowNs) || offer.isAsked()) places++;
        for (Offer offer : byRtt()) {
            if (!wanted || places >= Limits.RELAYS) break;
            if (offer.isKept(nowNs) || offer.isAsked() || offer.restsUntilNs > nowNs) continue;
            ask(nowNs, offer);
            places++;
        }
        List<Contact> kept = new ArrayList<>();
        List<Id> welcome = new ArrayList<>();
        for (Offer offer : byRtt()) {
            if (!offer.isKept(nowNs)) continue;
            welcome.add(offer.relay.node());
            if (kept.size() < Limits.RELAYS) kept.add(offer.relay);
        }
        if (!welcome.equals(welcomed)) out.accept(new Relay.Output.Welcome(welcome));
        welcomed = welcome;
        if (!kept.equals(told)) out.accept(new Relay.Output.SelfRelays(kept));
        told = kept;
    }

    private void ask(long nowNs, Offer offer) {
        offer.call = rng.nextLong();
        offer.askedNs = nowNs;
        offer.patienceNs = nowNs + PATIENCE_NS;
        out.accept(new Relay.Output.Ask(offer.relay, offer.call, new Message.Reserve()));
    }

    /** Those that answered, fastest first, then the others in the order in which they were heard of. */
    private List<Offer> byRtt() {
        List<Offer> out = new ArrayList<>(offers.values());
        out.sort(Comparator.comparingLong(offer -> offer.rttNs == 0 ? Long.MAX_VALUE : offer.rttNs));
        return out;
    }

    /** Tells what was told again. */
    void tell() {
        if (!welcomed.isEmpty()) out.accept(new Relay.Output.Welcome(welcomed));
        if (!told.isEmpty()) out.accept(new Relay.Output.SelfRelays(told));
    }

    /** Relays where this node keeps a place, best first. */
    List<Contact> kept() {
        return told;
    }

    List<RelayReport.Kept> report(long nowNs) {
        List<RelayReport.Kept> report = new ArrayList<>();
        for (Offer offer : byRtt()) {
            if (!offer.isKept(nowNs)) continue;
            report.add(new RelayReport.Kept(offer.relay.node(), offer.rttNs, (offer.endsNs - nowNs) / 1_000_000));
        }
        return report;
    }

    long deadlineNs(long nowNs) {
        long next = Core.NEVER;
        for (Offer offer : offers.values()) {
            next = Math.min(next, offer.patienceNs);
            if (!offer.isAsked()) next = Math.min(next, offer.renewNs);
            if (offer.restsUntilNs > nowNs) next = Math.min(next, offer.restsUntilNs);
            if (offer.isKept(nowNs)) next = Math.min(next, offer.endsNs);
        }
        return next;
    }
}
