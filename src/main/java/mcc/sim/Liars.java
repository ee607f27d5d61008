package mcc.sim;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.wire.Contact;
import mcc.wire.Message;
import mcc.wire.Record;
import org.jspecify.annotations.Nullable;

/**
 * Nodes that are members of the network and give false answers: to lookups of nodes, invented contacts and real nodes at wrong
 * addresses; to lookups of records, nothing; to stores "kept", though they throw the record away. From time to time they store
 * junk.
 */
final class Liars {
    private static final long JUNK_NS = 10 * World.SECOND;
    private static final int CONTACTS = 12;
    private static final int JUNK_BYTES = 100;

    private final World world;
    private final Rng rng;
    /** Keys under which junk is stored. */
    private final List<Id> keys = new ArrayList<>();

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
