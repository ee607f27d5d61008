package mcc.sim;

import java.util.ArrayDeque;
import java.util.List;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.overlay.Delivery;
import mcc.overlay.Wiring;
import mcc.punch.Punch;
import mcc.registry.Registry;
import mcc.relay.Relay;
import mcc.wire.Message;

/**
 * What happens inside one node at one moment: its cores read their messages, one at a time and in an order that the seed
 * draws, until none is left. Now and then a core stalls, as a verticle whose thread is busy: what arrives for it waits, its
 * ticks included. After each tick it is checked that the core's next deadline lies ahead.
 */
final class Mailboxes {
    /** Messages of one moment, far more than any node needs: a node that reads more never comes to rest. */
    private static final int MESSAGES_MAX = 1_000_000;

    /** The longest stall of a core. */
    private static final long STALL_NS = 50 * World.MS;

    private static final Dht.Input DHT_TICK = new Dht.Input.Tick();
    private static final Registry.Input REGISTRY_TICK = new Registry.Input.Tick();
    private static final Nat.Input NAT_TICK = new Nat.Input.Tick();
    private static final Relay.Input RELAY_TICK = new Relay.Input.Tick();
    private static final Punch.Input PUNCH_TICK = new Punch.Input.Tick();
    private static final LinkInput LINK_TICK = new LinkInput.Tick();

    private final World world;
    private final Rng rng;
    private final Liars liars;
    private final int stallPpm;
    private final Mail mail = new Mail();
    private int untilStall;
    private long hash = Hash.START;

    Mailboxes(World world, Rng rng, Liars liars, int stallPpm) {
        this.world = world;
        this.rng = rng;
        this.liars = liars;
        this.stallPpm = stallPpm;
        untilStall = drawStall();
    }

    private int drawStall() {
        return stallPpm == 0 ? 0 : 1 + rng.below(2_000_000 / stallPpm);
    }

    long hash() {
        return hash;
    }

    void post(int from, int to, Object content) {
        mail.post(from, to, content);
    }

    /** Sends a core's messages on; those for its own host are heard at once. */
    void post(SimNode node, int from, List<Delivery> deliveries) {
        for (int i = 0; i < deliveries.size(); i++) {
            Delivery delivery = deliveries.get(i);
            int to = Mail.mailbox(delivery);
            if (to > Mail.NAT && !node.cores.has(to)) continue; // none at message fidelity
            if (to >= 0) mail.post(from, to, delivery.content());
            else world.heard(node, delivery.content());
        }
    }

    /** Sends a tick to each core that is due, to be read in any order among the other messages. */
    void tick(SimNode node) {
        for (int mailbox = 0; mailbox < Mail.MAILBOXES; mailbox++) {
            if (!node.isBusy(mailbox) && node.tickDueNs(mailbox) <= world.nowNs())
                mail.post(mailbox, mailbox, Mail.Signal.TICK);
        }
    }

    /** A stalled core reads again. */
    void wake(SimNode node, int mailbox) {
        node.busy &= ~(1 << mailbox);
        ArrayDeque<SimNode.Held> held = node.held;
        for (int i = held == null ? 0 : held.size(); i > 0 && held != null; i--) {
            SimNode.Held each = held.remove();
            if (each.to() == mailbox) mail.post(each.from(), mailbox, each.content());
            else held.add(each);
        }
        if (node.busy == 0) node.held = null;
    }

    /** A core was replaced: what waited for its predecessor is lost, and the new one is not stalled. */
    void replaced(SimNode node, int mailbox) {
        if (node.held != null) node.held.removeIf(each -> each.to() == mailbox);
        node.busy &= ~(1 << mailbox);
    }

    /** A core that was replaced asks to be told again. */
    void begun(SimNode node, int mailbox) {
        post(node, mailbox, Wiring.started(Mail.mailbox(mailbox)));
    }

    /** Reads all messages of a node and those that follow from them; returns a bit for each core that read one. */
    int turn(SimNode node) {
        int reading = 0;
        for (int messages = 0; !mail.isEmpty(); messages++) {
            Invariant.check(messages < MESSAGES_MAX, "a node comes to rest");
            Object content = mail.take(rng);
            int from = mail.from();
            int to = mail.to();
            if (stallPpm > 0 && --untilStall <= 0) stall(node, to);
            if (node.isBusy(to)) hold(node, from, to, content);
            else {
                reading |= 1 << to;
                read(node, to, content);
            }
        }
        return reading;
    }

    private void stall(SimNode node, int mailbox) {
        untilStall = drawStall();
        if (node.isBusy(mailbox)) return;
        node.busy |= 1 << mailbox;
        world.wake(node, mailbox, 1 + rng.below(STALL_NS));
    }

    private static void hold(SimNode node, int from, int to, Object content) {
        ArrayDeque<SimNode.Held> held = node.held;
        if (held == null) {
            held = new ArrayDeque<>();
            node.held = held;
        }
        held.add(new SimNode.Held(from, to, content));
    }

    private void read(SimNode node, int mailbox, Object content) {
        boolean tick = content == Mail.Signal.TICK;
        switch (mailbox) {
            case Mail.LINKS -> {
                Object input = tick ? LINK_TICK : content;
                note(node, Hash.mixLink(hash, input));
                node.cores.links.take(input);
            }
            case Mail.DHT -> dht(node, tick ? DHT_TICK : content);
            case Mail.REGISTRY -> registry(node, tick ? REGISTRY_TICK : (Registry.Input) content);
            case Mail.NAT -> nat(node, tick ? NAT_TICK : (Nat.Input) content);
            case Mail.RELAY -> relay(node, tick ? RELAY_TICK : (Relay.Input) content);
            default -> punch(node, tick ? PUNCH_TICK : (Punch.Input) content);
        }
    }

    private void note(SimNode node, long mixed) {
        hash = Hash.mix(mixed, world.nowNs() + node.index);
    }

    private void dht(SimNode node, Object content) {
        Dht.Input input = content instanceof Dht.Input known ? known : node.cores.first.heard(content);
        if (input == null) return;
        if (node.liar && input instanceof Dht.Input.Asked asked) {
            Message lie = liars.answer(asked);
            if (lie != null) {
                mail.post(Mail.DHT, Mail.LINKS, new LinkInput.Reply(asked.from().node(), asked.call(), lie));
                return;
            }
        }
        note(node, Hash.mix(hash, input));
        Dht dht = node.cores.dht;
        boolean due = isDue(dht, input instanceof Dht.Input.Tick);
        dht.handle(world.nowNs(), input);
        for (Dht.Output output = dht.poll(); output != null; output = dht.poll()) {
            if (output instanceof Dht.Output.Joined) world.joined(node);
            post(node, Mail.DHT, Wiring.route(output));
        }
        if (due) ticked(dht.deadlineNs(), "DHT");
    }

    private void registry(SimNode node, Registry.Input input) {
        note(node, Hash.mix(hash, input));
        Registry registry = node.cores.registry;
        boolean due = isDue(registry, input instanceof Registry.Input.Tick);
        registry.handle(world.nowNs(), input);
        for (Registry.Output output = registry.poll(); output != null; output = registry.poll()) {
            post(node, Mail.REGISTRY, Wiring.route(output));
        }
        if (due) ticked(registry.deadlineNs(), "registry");
    }

    private void nat(SimNode node, Nat.Input input) {
        Nat nat = node.cores.nat;
        if (nat == null) return;
        note(node, Hash.mix(hash, input));
        boolean due = isDue(nat, input instanceof Nat.Input.Tick);
        nat.handle(world.nowNs(), input);
        for (Nat.Output output = nat.poll(); output != null; output = nat.poll()) {
            switch (output) {
                case Nat.Output.OpenEnd o -> {
                    int socket = node.open();
                    Address at = node.own(SimNode.port(socket));
                    mail.post(Mail.NAT, Mail.NAT, new Nat.Input.Opened(o.ticket(), socket, at));
                }
                case Nat.Output.CloseEnd o -> node.close(o.end());
                case Nat.Output.DialBack _ when node.liar -> {}
                default -> post(node, Mail.NAT, Wiring.route(output));
            }
        }
        if (due) ticked(nat.deadlineNs(), "NAT detection");
    }

    private void relay(SimNode node, Relay.Input input) {
        Relay relay = node.cores.relay;
        if (relay == null) return;
        note(node, Hash.mix(hash, input));
        boolean due = isDue(relay, input instanceof Relay.Input.Tick);
        relay.handle(world.nowNs(), input);
        for (Relay.Output output = relay.poll(); output != null; output = relay.poll()) {
            post(node, Mail.RELAY, Wiring.route(output));
        }
        if (due) ticked(relay.deadlineNs(), "relay");
    }

    private void punch(SimNode node, Punch.Input input) {
        Punch punch = node.cores.punch;
        if (punch == null) return;
        note(node, Hash.mix(hash, input));
        boolean due = isDue(punch, input instanceof Punch.Input.Tick);
        punch.handle(world.nowNs(), input);
        for (Punch.Output output = punch.poll(); output != null; output = punch.poll()) {
            switch (output) {
                case Punch.Output.OpenEnd o -> {
                    int socket = node.open();
                    Address at = node.own(SimNode.port(socket));
                    mail.post(Mail.PUNCH, Mail.PUNCH, new Punch.Input.Opened(o.ticket(), socket, at));
                }
                case Punch.Output.CloseEnd o -> node.close(o.end());
                default -> post(node, Mail.PUNCH, Wiring.route(node.liar ? liars.forged(output) : output));
            }
        }
        if (due) ticked(punch.deadlineNs(), "hole punching");
    }

    private boolean isDue(Core<?, ?> core, boolean tick) {
        return tick && core.deadlineNs() <= world.nowNs();
    }

    /**
     * Checks that after a tick, once all outputs were taken, the deadline lies ahead: a core that breaks this law would be
     * ticked again at once, for ever.
     */
    void ticked(long deadlineNs, String core) {
        Invariant.check(deadlineNs > world.nowNs(), "after a tick the deadline of the " + core + " lies ahead");
    }

    /** Routes an output of the links to the other cores; answers to a scenario's own requests go to the scenario. */
    void said(SimNode node, LinkOutput said) {
        LinkOutput output = liars.told(said);
        boolean ours = switch (output) {
            case LinkOutput.Answered a -> world.isOwn(a.call());
            case LinkOutput.Unanswered u -> world.isOwn(u.call());
            default -> false;
        };
        if (ours) world.heard(node, output);
        else post(node, Mail.LINKS, Wiring.route(output));
    }
}
