package mcc.plugin;

import io.vertx.core.Context;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import mcc.core.Counters;
import mcc.node.BridgeSocket;
import org.jspecify.annotations.Nullable;

/** All clients of the event-bus bridge, and what is published to them. Used on the gate's context, except {@link #publish}. */
final class Bridge {
    /** Clients at a time. */
    static final int MAX = 200;

    /** Publications of plugins and events that wait to be sent to clients, and the characters in them. */
    static final int WAITING_MAX = 1_024, WAITING_CHARACTERS = 4 << 20;
    /** The longest publication or answer that is sent to clients, in characters. */
    static final int FRAME_MAX = 1 << 20;
    /** Characters of requests that are not answered yet, of all clients together. */
    static final int ASKED_CHARACTERS = 16 << 20;

    private final Context home;
    private final Gate gate;
    private final Watches watches;
    private final Switchboard board;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger waitingCharacters = new AtomicInteger();
    private final AtomicLong dropped = new AtomicLong();
    private final Map<String, Client> clients = new LinkedHashMap<>();
    /** The listeners of each address. Changed on the gate's context only; other threads ask whether there are any. */
    private final Map<String, Set<BridgeClient>> heard = new ConcurrentHashMap<>();

    private final Counters counters = new Counters();
    private long asked;
    private long next = 1;

    private record Client(BridgeClient client, BridgeSocket socket) {}

    Bridge(Gate gate, Watches watches, Switchboard board) {
        this.home = gate.home();
        this.gate = gate;
        this.watches = watches;
        this.board = board;
    }

    /** Takes a client, or closes its socket if there are too many. Called on the gate's context. */
    void take(BridgeSocket from) {
        if (clients.size() >= MAX) {
            counters.add("bridge.clients.refused");
            from.refuse("there are " + MAX + " clients already");
            return;
        }
        String id = "bridge/" + next++; // a plugin's ID has no slash
        BridgeClient client =
                new BridgeClient(id, from.authorization(), new BridgeClient.World(this, gate, board), from::send);
        clients.put(id, new Client(client, from));
        counters.add("bridge.clients");
        from.open(home, client::onText, why -> left(id, why));
    }

    private void left(String id, BridgeSocket.End why) {
        counters.add("bridge.ended." + why.name().toLowerCase(Locale.ROOT));
        Client gone = clients.remove(id);
        if (gone != null) for (String address : gone.client().addresses()) unlisten(address, gone.client());
        watches.left(id);
    }

    /** Closes every client's socket, before the bridge ends. */
    void close() {
        for (Client client : clients.values()) client.socket().refuse("the bridge is being restarted");
    }

    /** The context that it is used on. */
    Context home() {
        return home;
    }

    void count(String what) {
        counters.add(what);
    }

    /** The counters. */
    List<Counters.Count> counts() {
        List<Counters.Count> all = new ArrayList<>(counters.snapshot());
        all.add(new Counters.Count("bridge.publications.dropped", dropped.get()));
        return all;
    }

    /** From now on sends a client what is published at an address. */
    void listen(String address, BridgeClient client) {
        heard.computeIfAbsent(address, _ -> new LinkedHashSet<>()).add(client);
    }

    /** Stops that. */
    void unlisten(String address, BridgeClient client) {
        Set<BridgeClient> listening = heard.get(address);
        if (listening != null && listening.remove(client) && listening.isEmpty()) heard.remove(address);
    }

    /**
     * From any thread: sends to every client that listens at the address, unless too much is waiting. The publisher's thread
     * encodes the text, so that a large one delays nobody else.
     */
    void publish(String address, @Nullable Object body) {
        if (!heard.containsKey(address)) return;
        String frame = BridgeClient.frame(address, body);
        int characters = waitingCharacters.addAndGet(frame.length());
        boolean full = waiting.incrementAndGet() > WAITING_MAX
                || characters > WAITING_CHARACTERS && characters > frame.length();
        if (full) dropped.incrementAndGet();
        boolean handed = !full
                && Post.to(home, () -> {
                    waited(frame);
                    Set<BridgeClient> listening = heard.get(address);
                    if (listening != null) for (BridgeClient client : List.copyOf(listening)) client.send(frame);
                });
        if (!handed) waited(frame);
    }

    private void waited(String frame) {
        waiting.decrementAndGet();
        waitingCharacters.addAndGet(-frame.length());
    }

    /** Counts a request's length until it is answered; false if the requests of all clients are too large together. */
    boolean asks(int characters) {
        if (asked + characters > ASKED_CHARACTERS) return false;
        asked += characters;
        return true;
    }

    /** A request was answered. */
    void answered(int characters) {
        asked -= characters;
    }
}
