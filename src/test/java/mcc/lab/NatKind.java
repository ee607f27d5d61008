package mcc.lab;

import static mcc.sim.NatBehavior.Scope.ADDRESS_AND_PORT_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ADDRESS_DEPENDENT;
import static mcc.sim.NatBehavior.Scope.ENDPOINT_INDEPENDENT;

import java.util.List;
import mcc.sim.NatBehavior;
import mcc.sim.NatBehavior.Ports;

/**
 * What a site has toward the internet.
 *
 * @param rules what its router does with nftables
 * @param behavior what that is like seen from outside; null where nothing is translated
 * @param box what the NAT behind the router does, which is not made with nftables; null for none
 */
record NatKind(String name, Rules rules, NatBehavior behavior, NatBehavior box) {
    /** What a router does with nftables. */
    enum Rules {
        /** It forwards everything, and translates nothing. */
        FORWARD,
        /** It lets in what belongs to flows from inside; the hosts' addresses are public. */
        FIREWALL,
        /** Source NAT that keeps ports. */
        PRESERVING_PORTS,
        /** Source NAT with ports that are drawn for each flow. */
        RANDOM,
        /** The same, by the kernel's other way to draw them. */
        FULLY_RANDOM,
        /** Source NAT that keeps ports, and a port that always leads to the first host. */
        PORT_FORWARDED,
        /** Source NAT where nothing of UDP passes. */
        NO_UDP,
        /** Source NAT where nothing passes but TCP to port 443. */
        ONLY_443,
        /** Source NAT to an address of the carrier's, behind which is another NAT. */
        BEHIND_CARRIER
    }

    /** The port that {@link Rules#PORT_FORWARDED} is about. */
    static final int FORWARDED_PORT = 9_376;

    private static final NatBehavior PRESERVING =
            NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, Ports.PRESERVED);
    private static final NatBehavior DRAWING = symmetric(Ports.RANDOM);

    static final NatKind FORWARD = new NatKind("no NAT", Rules.FORWARD, null, null);
    static final NatKind FIREWALL = new NatKind("firewall", Rules.FIREWALL, null, null);
    /** A Linux router as people have it at home. */
    static final NatKind HOME = router("home", Rules.PRESERVING_PORTS, PRESERVING);
    /** The same whose own host takes what belongs to no flow, after which that flow cannot be had from inside. */
    static final NatKind HOME_OPEN = router("home, open input", Rules.PRESERVING_PORTS, PRESERVING.takingStrays());

    static final NatKind RANDOM = router("random", Rules.RANDOM, DRAWING);
    static final NatKind RANDOM_OPEN = router("random, open input", Rules.RANDOM, DRAWING.takingStrays());
    static final NatKind FULLY_RANDOM = router("fully random", Rules.FULLY_RANDOM, DRAWING);
    static final NatKind PORT_FORWARDED = router("port forwarded", Rules.PORT_FORWARDED, PRESERVING);
    static final NatKind PORT_FORWARDED_HAIRPIN =
            router("port forwarded, hairpin", Rules.PORT_FORWARDED, PRESERVING.withHairpinning());
    static final NatKind NO_UDP = router("no UDP", Rules.NO_UDP, PRESERVING);
    static final NatKind ONLY_443 = router("only TCP 443", Rules.ONLY_443, PRESERVING);

    static final NatKind FULL_CONE =
            box("full cone", NatBehavior.of(ENDPOINT_INDEPENDENT, ENDPOINT_INDEPENDENT, Ports.PRESERVED));
    static final NatKind ADDRESS_RESTRICTED =
            box("address-restricted", NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, Ports.RANDOM));
    static final NatKind PORT_RESTRICTED =
            box("port-restricted", NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, Ports.RANDOM));
    static final NatKind PORT_RESTRICTED_OPEN = box(
            "port-restricted, open input",
            NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, Ports.RANDOM)
                    .takingStrays());
    static final NatKind HAIRPIN = box("hairpin", PRESERVING.withHairpinning());
    static final NatKind PER_ADDRESS =
            box("per address", NatBehavior.of(ADDRESS_DEPENDENT, ADDRESS_DEPENDENT, Ports.RANDOM));
    static final NatKind SEQUENTIAL = box("sequential", symmetric(Ports.SEQUENTIAL));
    static final NatKind PORT_BLOCK = box("port block", symmetric(Ports.BLOCK));
    static final NatKind PORT_BLOCK_INDEPENDENT = box(
            "port block, independent", NatBehavior.of(ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, Ports.BLOCK));
    /** Per destination, with the inside port where no other flow has it. */
    static final NatKind PRESERVING_SYMMETRIC = box("preserving, symmetric", symmetric(Ports.PRESERVED));

    static final NatKind RANDOM_BOX = box("random, of a box", DRAWING);
    static final NatKind FIXED_AGE =
            box("fixed age", PORT_RESTRICTED.box.lasting(120 * 1_000_000_000L, 600 * 1_000_000_000L));
    /** A home router behind a carrier's NAT. */
    static final NatKind CARRIER = carrier("carrier", PORT_RESTRICTED.box);

    static final NatKind CARRIER_BLOCK = carrier("carrier, port block", PORT_BLOCK.box);
    static final NatKind CARRIER_POOL = carrier("carrier, pool", PORT_RESTRICTED.box.withAddresses(4, true));
    static final NatKind CARRIER_UNPAIRED =
            carrier("carrier, unpaired pool", PORT_RESTRICTED.box.withAddresses(4, false));

    /** Kinds that let UDP out and whose hosts have private addresses. */
    static final List<NatKind> TRANSLATING = List.of(
            HOME,
            HOME_OPEN,
            RANDOM,
            RANDOM_OPEN,
            FULLY_RANDOM,
            PORT_FORWARDED,
            PORT_FORWARDED_HAIRPIN,
            FULL_CONE,
            ADDRESS_RESTRICTED,
            PORT_RESTRICTED,
            PORT_RESTRICTED_OPEN,
            HAIRPIN,
            PER_ADDRESS,
            SEQUENTIAL,
            PORT_BLOCK,
            PORT_BLOCK_INDEPENDENT,
            PRESERVING_SYMMETRIC,
            RANDOM_BOX,
            FIXED_AGE,
            CARRIER,
            CARRIER_BLOCK,
            CARRIER_POOL,
            CARRIER_UNPAIRED);

    private static NatBehavior symmetric(Ports ports) {
        return NatBehavior.of(ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT, ports);
    }

    private static NatKind router(String name, Rules rules, NatBehavior like) {
        return new NatKind(name, rules, like, null);
    }

    /** A NAT that nftables cannot be. */
    static NatKind box(String name, NatBehavior behavior) {
        return new NatKind(name, Rules.FORWARD, behavior, behavior);
    }

    /** A NAT behind a home router: seen from outside it maps as the outer does and filters as the stricter of both. */
    static NatKind carrier(String name, NatBehavior outer) {
        NatBehavior seen = NatBehavior.of(outer.mapping(), ADDRESS_AND_PORT_DEPENDENT, outer.ports());
        return new NatKind(name, Rules.BEHIND_CARRIER, seen, outer);
    }

    /** The same with mappings that end after so many seconds without a packet from inside. */
    NatKind lasting(int idleS) {
        long ns = idleS * 1_000_000_000L;
        NatBehavior inside = box == null ? null : box.lasting(ns, box.ageNs());
        return new NatKind(name + ", " + idleS + " s", rules, behavior.lasting(ns, behavior.ageNs()), inside);
    }

    /** Whether the site's public address is its router's own: not where the NAT that has it comes behind the router. */
    boolean isOutsideAtRouter() {
        return box == null;
    }

    /** What the router of a site is told. {@code hosts} are its hosts' addresses. */
    String nftables(String outside, String carriers, List<String> hosts) {
        StringBuilder out = new StringBuilder("flush ruleset\n");
        if (rules == Rules.FORWARD) return out.toString();
        out.append("table inet site {\n");
        boolean open = behavior != null && behavior.takesStrays();
        if (!open) out.append(chain("own", "filter hook input priority 0", "iifname \"wan\" ct state new drop"));
        out.append(chain("through", "filter hook forward priority 0", through()));
        if (rules == Rules.PORT_FORWARDED)
            out.append(chain("pre", "nat hook prerouting priority -100", inward(outside, hosts)));
        if (rules != Rules.FIREWALL)
            out.append(chain("post", "nat hook postrouting priority 100", outward(outside, carriers, hosts)));
        return out.append("}\n").toString();
    }

    private static String chain(String name, String kind, String rules) {
        return "chain " + name + " {\ntype " + kind + "\n" + rules + "\n}\n";
    }

    private String through() {
        String blocked = switch (rules) {
            case NO_UDP -> "iifname \"lan\" oifname \"wan\" meta l4proto udp drop\n";
            case ONLY_443 ->
                "iifname \"lan\" oifname \"wan\" tcp dport != 443 reject with tcp reset\n"
                        + "iifname \"lan\" oifname \"wan\" meta l4proto != tcp drop\n";
            default -> "";
        };
        return blocked + "ct state established,related accept\nct status dnat accept\niifname \"wan\" drop";
    }

    private String inward(String outside, List<String> hosts) {
        String to = "udp dport " + FORWARDED_PORT + " dnat ip to " + hosts.getFirst();
        String hairpin = "\niifname \"lan\" ip daddr " + outside + " " + to;
        return "iifname \"wan\" " + to + (behavior.hairpinning() ? hairpin : "");
    }

    private String outward(String outside, String carriers, List<String> hosts) {
        String within = "ip saddr { " + String.join(", ", hosts) + " } ";
        String how = switch (rules) {
            case RANDOM -> "snat ip to " + outside + " random";
            case FULLY_RANDOM -> "snat ip to " + outside + " fully-random";
            case BEHIND_CARRIER -> "snat ip to " + carriers;
            default -> "snat ip to " + outside;
        };
        String hairpin = behavior.hairpinning() ? "\noifname \"lan\" " + within + "masquerade" : "";
        return "oifname \"wan\" " + within + how + hairpin;
    }

    @Override
    public String toString() {
        return name;
    }
}
