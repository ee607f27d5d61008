package mcc.sim;

import java.util.List;
import mcc.core.Address;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * What a node's DHT verticle does beside its core: dials the bootstrap addresses, with growing pauses, until the node has
 * joined the network, and tells the core whom it reached.
 */
final class FirstContact {
    private static final long PAUSE_NS = 4 * World.SECOND;
    private static final long PAUSE_MAX_NS = 60 * World.SECOND;

    private final World world;
    private final SimNode node;
    private List<Address> bootstrap = List.of();
    private long pauseNs = PAUSE_NS;

    FirstContact(World world, SimNode node) {
        this.world = world;
        this.node = node;
    }

    void begin(List<Address> bootstrap) {
        this.bootstrap = bootstrap;
        dial(node.life);
    }

    private void dial(int life) {
        if (node.life != life || !node.up) return;
        if (node.cores.dht.status().joined()) {
            bootstrap = List.of();
            return;
        }
        for (Address address : bootstrap) world.input(node, new LinkInput.Dial(0, address));
        world.at(world.nowNs() + pauseNs, () -> dial(life));
        pauseNs = Math.min(PAUSE_MAX_NS, 2 * pauseNs);
    }

    /** Returns the input for the core that follows from the end of a dial; null if there is none. */
    Dht.@Nullable Input heard(Object content) {
        return content instanceof LinkOutput.Dialled d
                ? new Dht.Input.Meet(List.of(new Contact(d.node(), List.of(d.at()))))
                : null;
    }
}
