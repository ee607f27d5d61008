package mcc.sim;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.punch.Punch;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Outside;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/**
 * Nodes that are members of the network and give false answers: to lookups of nodes, invented contacts and real nodes at wrong
 * addresses; to lookups of records, nothing; to stores "kept", though they throw the record away. From time to time they store
 * junk.
 *
 * <p>At packet fidelity they also say of every peer that they see it at one address where nobody is, the same for all; say that
 * they dialled back, and did not; name that address, and all its ports, as their own where holes are punched; and as relays take
 * what is to be relayed, and drop it.
 */
final class Liars {
    private static final long JUNK_NS = 10 * World.SECOND;
    private static final int CONTACTS = 12;
    private static final int JUNK_BYTES = 100;
    /** What they name in place of true addresses. */
    static final Address VICTIM = Network.silent(1 << 17);

    private static final int FIRST_PORT = 1_024;

    private final World world;
    private final Rng rng;
    /** Keys under which junk is stored. */
    private final List<Id> keys = new ArrayList<>();

    private final Set<Id> ids = new HashSet<>(); // asked, never iterated

    Liars(World world, Rng rng) {
        this.world = world;
        this.rng = rng;
    }

    /** From now on junk is stored under this key too. */
    void spoil(Id key) {
        keys.add(key);
    }

    /** Returns a liar's answer; null where its core answers, as only who answers pings stays in the network. */
    @Nullable
    Message answer(Dht.Input.Asked asked) {
        return switch (asked.request()) {
            case Message.FindNode _ -> Message.Nodes.fitting(contacts());
            case Message.FindValue _ -> Message.Values.of(List.of(), contacts(), 0, 0);
            case Message.Store _ -> new Message.Stored(Message.Verdict.KEPT);
            case Message.Beat _ -> new Message.Beaten(true);
            case Message.Ping _,
                    Message.Pong _,
                    Message.Nodes _,
                    Message.Values _,
                    Message.Stored _,
                    Message.Beaten _,
                    Message.DialBack _,
                    Message.DialedBack _,
                    Message.Reserve _,
                    Message.Reserved _,
                    Message.Connect _,
                    Message.Connected _,
                    Message.Punch _,
                    Message.Punching _ -> null;
        };
    }

    /** Returns what the links of a node tell, with a lie where a liar told it. */
    LinkOutput told(LinkOutput output) {
        if (output instanceof LinkOutput.Observed o && ids.contains(o.by())) {
            return new LinkOutput.Observed(o.by(), o.at(), VICTIM, o.local(), o.sinceNs());
        }
        if (output instanceof LinkOutput.Echoed o && ids.contains(o.by())) {
            return new LinkOutput.Echoed(o.by(), o.local(), o.nonce(), VICTIM);
        }
        if (output instanceof LinkOutput.Stands o
                && o.self() != null
                && ids.contains(o.node().node())) {
            return new LinkOutput.Stands(o.node(), o.at(), VICTIM, o.local(), o.sinceNs(), o.capabilities());
        }
        return output;
    }

    /** Returns what a liar tells in place of its own addresses and ports where holes are punched. */
    Punch.Output forged(Punch.Output output) {
        Outside ports = new Outside(
                Outside.Allocation.RANDOM,
                new Address(VICTIM.high(), VICTIM.low(), FIRST_PORT),
                Outside.COUNT_MAX - FIRST_PORT);
        if (output instanceof Punch.Output.Ask a && a.request() instanceof Message.Punch p) {
            return new Punch.Output.Ask(a.to(), a.call(), new Message.Punch(List.of(VICTIM), p.ready(), p.go(), ports));
        }
        if (output instanceof Punch.Output.Reply r) {
            return new Punch.Output.Reply(r.to(), r.call(), new Message.Punching(List.of(VICTIM), ports));
        }
        return output;
    }

    /** Returns nodes that do not exist, and real nodes at addresses where they are not. */
    private List<Contact> contacts() {
        List<Contact> out = new ArrayList<>(CONTACTS);
        for (int i = 0; i < CONTACTS; i++) {
            Id id = i % 2 == 0 ? Id.random(rng) : world.nodes.get(rng.below(world.nodes.size())).id;
            out.add(new Contact(id, List.of(Network.silent(rng.below(1 << 16)))));
        }
        return out;
    }

    /** Lets a liar store junk from time to time until it dies. */
    void begin(SimNode liar) {
        ids.add(liar.id);
        int life = liar.life;
        world.at(world.nowNs() + JUNK_NS, () -> {
            if (!liar.up || liar.life != life) return;
            junk(liar);
            begin(liar);
        });
    }

    private void junk(SimNode liar) {
        SimNode to = world.nodes.get(rng.below(world.nodes.size()));
        if (!to.up || to == liar) return;
        Id key = keys.isEmpty() || rng.chance(500_000) ? Id.random(rng) : keys.get(rng.below(keys.size()));
        long epochMs = world.epochMs();
        var content = new Record.Content(
                key,
                liar.id,
                Id.random(rng),
                epochMs,
                epochMs,
                600_000,
                30_000,
                Bytes.EMPTY,
                Bytes.owning(rng.bytes(JUNK_BYTES)));
        Record record = Record.sign(content, World.NETWORK, liar.signing::sign);
        world.input(liar, new LinkInput.Ask(to.contact, world.nextCall(), new Message.Store(record)));
    }
}
