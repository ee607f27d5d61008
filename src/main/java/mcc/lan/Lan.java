package mcc.lan;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.RateLimit;
import mcc.core.Rng;
import org.jspecify.annotations.Nullable;

/**
 * Says on every link of this host that a node of the network is here, and dials who says so.
 *
 * <p>On a link that is new a node says it at the times of {@link #FIRST_NS}, then each five minutes, and each minute while it
 * has no contacts. An address that is heard for the first time is dialled; it is dialled again, after most of a minute, only
 * where either has no contacts.
 *
 * <p>Limits: {@link #LINKS_MAX} links, {@link #NEIGHBOURS_MAX} addresses, each kept for an hour after it was heard last,
 * {@link #DIALS_PER_SECOND} dials and {@link #CHECKS_PER_SECOND} tags a second.
 */
public final class Lan implements Core<Lan.Input, Lan.Output> {
    private static final long SECOND_NS = 1_000_000_000L;
    /** Where nodes speak: a group of the scope that a site defines for itself, and a port. */
    public static final Address GROUP = Address.v4(0xefff5d4c, 19_376);

    static final int LINKS_MAX = 16;
    static final int NEIGHBOURS_MAX = 256;
    static final int DIALS_PER_SECOND = 5;
    static final int CHECKS_PER_SECOND = 50;
    /** When it is said on a new link. */
    static final long[] FIRST_NS = {0, SECOND_NS, 3 * SECOND_NS, 8 * SECOND_NS};

    static final long PAUSE_NS = 300 * SECOND_NS;
    static final long ALONE_NS = 60 * SECOND_NS;
    static final long KEPT_NS = 3_600 * SECOND_NS;
    /** From one round on new links to the next: an interface may come and go all the time. */
    private static final long GAP_NS = 5 * SECOND_NS;

    /**
     * An interface.
     *
     * @param name as the host calls it
     * @param own this host's address there, and the UDP port where this node listens on it
     * @param bits the length of the prefix
     */
    public record Link(String name, Address own, int bits) {}

    /** Inputs. */
    public sealed interface Input {
        /** The links that there are, and what this host's clock says. */
        record Links(List<Link> links, long wallMs) implements Input {}

        /** Whether this node has no contacts. */
        record Alone(boolean alone) implements Input {}

        /** A datagram came to the group. */
        record Heard(Address from, Bytes bytes, long wallMs) implements Input {}

        /** Time has passed. */
        record Tick() implements Input {}
    }

    /** Outputs. */
    public sealed interface Output {
        /** Send this to the group on a link. */
        record Say(String link, Bytes bytes) implements Output {}

        /** A node of this network may be there. */
        record Dial(Address at) implements Output {}
    }

    private static final class Neighbour {
        long heardNs;
        long dialledNs = Long.MIN_VALUE;
    }

    private final Bytes key;
    private final Rng rng;
    private final Counters counters;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final Map<Address, Neighbour> neighbours = new LinkedHashMap<>();
    private final RateLimit<Boolean> dials = new RateLimit<>(DIALS_PER_SECOND, DIALS_PER_SECOND, 1);
    private final RateLimit<Boolean> checks = new RateLimit<>(CHECKS_PER_SECOND, CHECKS_PER_SECOND, 1);
    private List<Link> links = List.of();
    private boolean alone = true;
    /** The wall clock, and when it was told. */
    private long wallMs;

    private long wallNs;
    private int said;
    private long roundNs = Long.MIN_VALUE;
    private long lastNs;
    private long nextNs = NEVER;

    /** @param network the network's name */
    public Lan(String network, Rng rng, Counters counters) {
        key = Hello.key(network);
        this.rng = rng;
        this.counters = counters;
    }

    @Override
    public void handle(long nowNs, Input input) {
        switch (input) {
            case Input.Links l -> links(nowNs, l);
            case Input.Alone a -> {
                if (a.alone() && !alone && said >= FIRST_NS.length) {
                    nextNs = Math.min(nextNs, Math.max(nowNs, lastNs + GAP_NS)); // somebody here may still be there
                }
                alone = a.alone();
            }
            case Input.Heard h -> heard(nowNs, h);
            case Input.Tick _ -> {}
        }
        if (nowNs >= nextNs) say(nowNs);
    }

    private void links(long nowNs, Input.Links l) {
        wallMs = l.wallMs();
        wallNs = nowNs;
        List<Link> now = new ArrayList<>(l.links());
        if (now.size() > LINKS_MAX) {
            counters.add("lan.links.refused");
            now.subList(LINKS_MAX, now.size()).clear();
        }
        if (now.equals(links)) return;
        boolean isNew = !links.containsAll(now);
        links = List.copyOf(now);
        if (links.isEmpty()) {
            nextNs = NEVER;
        } else if (isNew) {
            said = 0;
            nextNs = roundNs == Long.MIN_VALUE ? nowNs : Math.max(nowNs, roundNs + GAP_NS);
        }
    }

    private void say(long nowNs) {
        if (said == 0) roundNs = nowNs;
        lastNs = nowNs;
        long clockMs = wallMs + (nowNs - wallNs) / 1_000_000;
        for (Link each : links) {
            counters.add("lan.said");
            byte[] hello = new Hello(each.own().port(), alone).write(key, rng.bytes(8), clockMs);
            outputs.add(new Output.Say(each.name(), Bytes.owning(hello)));
        }
        said++;
        long waitNs = said < FIRST_NS.length ? FIRST_NS[said] - FIRST_NS[said - 1] : alone ? ALONE_NS : PAUSE_NS;
        nextNs = nowNs + waitNs - waitNs / 8 + rng.below(waitNs / 4); // not all at the same time
    }

    private void heard(long nowNs, Input.Heard h) {
        Address from = h.from();
        if (!isOnLink(from)) {
            counters.add("lan.heard.off-link");
            return;
        }
        byte[] bytes = h.bytes().toArray();
        if (!Hello.isForm(bytes)) {
            counters.add("lan.heard.malformed");
            return;
        }
        if (!checks.take(nowNs, true)) {
            counters.add("lan.heard.too-many");
            return;
        }
        Hello hello = Hello.read(key, bytes, h.wallMs());
        if (hello == null) {
            counters.add("lan.heard.foreign");
            return;
        }
        Address at = new Address(from.high(), from.low(), hello.port());
        for (Link each : links) if (each.own().equals(at)) return; // this node's own
        counters.add("lan.heard");
        Neighbour neighbour = neighbour(nowNs, at);
        if (neighbour == null) return;
        boolean first = neighbour.dialledNs == Long.MIN_VALUE;
        boolean again = (alone || hello.alone()) && !first && nowNs - neighbour.dialledNs >= ALONE_NS * 3 / 4;
        if (!first && !again) return;
        if (!dials.take(nowNs, true)) {
            counters.add("lan.dials.limited"); // the next time that it is heard
            return;
        }
        neighbour.dialledNs = nowNs;
        counters.add("lan.dials");
        outputs.add(new Output.Dial(at));
    }

    private boolean isOnLink(Address from) {
        if (!from.isV4() || !from.isUnicast()) return false;
        for (Link each : links) {
            if (from.network(each.bits(), 64).equals(each.own().network(each.bits(), 64))) return true;
        }
        return false;
    }

    private @Nullable Neighbour neighbour(long nowNs, Address at) {
        Neighbour known = neighbours.get(at);
        if (known == null) {
            neighbours.values().removeIf(n -> nowNs - n.heardNs >= KEPT_NS);
            if (neighbours.size() >= NEIGHBOURS_MAX) {
                counters.add("lan.neighbours.full");
                return null;
            }
            known = new Neighbour();
            neighbours.put(at, known);
        }
        known.heardNs = nowNs;
        return known;
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        return nextNs;
    }
}
