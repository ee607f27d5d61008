package mcc.tun;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the node through which an address behind another node is reached: the longest prefix wins. */
public final class Subnets {
    /** Subnets at most; they are searched one by one. */
    public static final int MAX = 256;

    private record Next(Subnet subnet, InnerAddress node) {}

    private final List<Next> nexts = new ArrayList<>();

    /** @param subnets at most {@link #MAX}; those behind this node are ignored */
    public Subnets(String network, List<Subnet> subnets) {
        for (Subnet subnet : subnets) {
            if (subnet.node() != null) nexts.add(new Next(subnet, InnerAddress.of(network, subnet.node())));
        }
        nexts.sort(Comparator.comparing(Next::subnet, Subnet.LONGEST_FIRST));
    }

    /** The IPv6 address of the node through which an address is reached; null for none. */
    public @Nullable InnerAddress next(InnerAddress to) {
        Next next = find(to.high(), to.low());
        return next == null ? null : next.node;
    }

    /** The network behind another node that contains an address; null for none. */
    public @Nullable Subnet holding(long high, long low) {
        Next next = find(high, low);
        return next == null ? null : next.subnet;
    }

    private @Nullable Next find(long high, long low) {
        for (Next next : nexts) if (next.subnet.has(high, low)) return next;
        return null;
    }
}
