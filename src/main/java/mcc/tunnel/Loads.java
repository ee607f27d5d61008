package mcc.tunnel;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import mcc.node.Bus;
import mcc.overlay.Mailbox;
import mcc.registry.Registry;

/**
 * How busy each app of this host is with what comes through tunnels, counted in connections and flows, and told to the
 * registry, whose records tell it to others. Lives on the context that made it.
 */
final class Loads {
    /** With this many connections an app counts as half busy, so that both few and many of them make a difference. */
    private static final int HALF = 10;

    private static final class Load {
        private int open;
        private int told;
    }

    private final Bus bus;
    private final Map<String, Load> all = new LinkedHashMap<>();

    Loads(Bus bus) {
        this.bus = bus;
        bus.on(Bus.STARTED, started -> {
            if (started.mailbox() == Mailbox.REGISTRY) all.values().forEach(load -> load.told = 0);
        });
    }

    /** The load in thousandths: 0 without a connection, towards 1,000 with ever more of them. */
    static int permille(int open) {
        return (int) (1_000L * open / (open + HALF));
    }

    void opened(String registration) {
        all.computeIfAbsent(registration, _ -> new Load()).open++;
    }

    void closed(String registration) {
        Load load = all.get(registration);
        if (load != null) load.open--;
    }

    /** Tells what has changed; to be called once a second. */
    void tell() {
        for (Iterator<Map.Entry<String, Load>> each = all.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<String, Load> entry = each.next();
            Load load = entry.getValue();
            if (load.open != load.told) {
                load.told = load.open;
                bus.send(Bus.REGISTRY_CORE, new Registry.Input.Load(entry.getKey(), permille(load.open)));
            }
            if (load.open == 0) each.remove();
        }
    }
}
