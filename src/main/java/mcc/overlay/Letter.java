package mcc.overlay;

import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.registry.Registry;

/** One message on its way from a core: what it says is what its desk takes. */
public sealed interface Letter {
    /** Where it goes. */
    Desk to();

    /** What it says. */
    Object content();

    /** To {@code link.Links}. */
    record ToLinks(LinkInput content) implements Letter {
        @Override
        public Desk to() {
            return Desk.LINKS;
        }
    }

    /** To {@code dht.Dht}. */
    record ToDht(Dht.Input content) implements Letter {
        @Override
        public Desk to() {
            return Desk.DHT;
        }
    }

    /** To the host of {@code dht.Dht}: what became of a dial. */
    record ToDhtHost(LinkOutput content) implements Letter {
        @Override
        public Desk to() {
            return Desk.DHT_HOST;
        }
    }

    /** To {@code registry.Registry}. */
    record ToRegistry(Registry.Input content) implements Letter {
        @Override
        public Desk to() {
            return Desk.REGISTRY;
        }
    }

    /** To {@code nat.Nat}. */
    record ToNat(Nat.Input content) implements Letter {
        @Override
        public Desk to() {
            return Desk.NAT;
        }
    }

    /** To everybody. */
    record ToAll(Started content) implements Letter {
        @Override
        public Desk to() {
            return Desk.ALL;
        }
    }

    /** To the host of the core that sends it, which has the output itself at hand. */
    record ToHost(Object content) implements Letter {
        @Override
        public Desk to() {
            return Desk.HOST;
        }
    }
}
