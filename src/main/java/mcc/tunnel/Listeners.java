package mcc.tunnel;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The addresses at which this node itself takes connections or datagrams of local programs. A service at one of them would lead
 * into itself, and a single connection to it would use up all descriptors.
 */
final class Listeners {
    private record Own(InetSocketAddress at, String name) {}

    private final Map<Integer, List<Own>> tcp = new HashMap<>();
    private final Map<Integer, List<Own>> udp = new HashMap<>();
    private final Predicate<InetAddress> isOurs;

    /** @param isOurs whether an address is one of this host's interfaces; asked only about ports at which this node listens */
    Listeners(Predicate<InetAddress> isOurs) {
        this.isOurs = isOurs;
    }

    private Map<Integer, List<Own>> of(boolean datagrams) {
        return datagrams ? udp : tcp;
    }

    /** @param name what listens there, for error messages */
    void add(boolean datagrams, InetSocketAddress at, String name) {
        of(datagrams).computeIfAbsent(at.getPort(), _ -> new ArrayList<>()).add(new Own(at, name));
    }

    void remove(boolean datagrams, InetSocketAddress at) {
        List<Own> there = of(datagrams).get(at.getPort());
        if (there == null) return;
        there.removeIf(own -> own.at.equals(at));
        if (there.isEmpty()) of(datagrams).remove(at.getPort());
    }

    /** The name of this node's listener that an address leads to; null for none. */
    @Nullable
    String at(boolean datagrams, InetSocketAddress to) {
        for (Own own : of(datagrams).getOrDefault(to.getPort(), List.of())) {
            if (leadsTo(own.at.getAddress(), to.getAddress())) return own.name;
        }
        return null;
    }

    /** Whether what is sent to one address is taken by a listener at another. */
    private boolean leadsTo(InetAddress listening, InetAddress to) {
        if (listening.equals(to)) return true;
        // To connect to 0.0.0.0 or :: is to connect to the loopback address.
        if (to.isAnyLocalAddress()) return listening.isAnyLocalAddress() || listening.isLoopbackAddress();
        if (!listening.isAnyLocalAddress()) return false;
        if (listening instanceof Inet4Address && !(to instanceof Inet4Address)) return false; // :: takes both families
        return to.isLoopbackAddress() || isOurs.test(to);
    }
}
