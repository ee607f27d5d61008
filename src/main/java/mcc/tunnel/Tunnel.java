package mcc.tunnel;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Id;
import mcc.link.Peer;
import mcc.node.Registrations;
import mcc.registry.Offer;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/**
 * One forward from a local port to a service, and its traffic.
 *
 * <p>Keeps {@link #SECONDS} seconds of throughput, in a ring that is made with the first byte.
 */
final class Tunnel implements Splice.Meter {
    /** Connections at a time: as many as a link has streams. */
    static final int CONNECTIONS_MAX = 10_000;

    /** Seconds of history. */
    static final int SECONDS = 900;

    /** Ways remembered; the oldest are forgotten. */
    static final int WAYS = 64;

    private static final int SERVED_MAX = 64;

    /** Which endpoint was reached, and how, from a moment on. */
    private record Way(
            Instant since,
            Id node,
            Id endpoint,
            String path,
            @Nullable Address address) {
        boolean isSame(Way other) {
            return endpoint.equals(other.endpoint) && path.equals(other.path) && Objects.equals(address, other.address);
        }
    }

    private final ArrayDeque<Way> ways = new ArrayDeque<>();

    final String id;
    final Target.Service target;
    /** The port of the service; 0 for the first of the protocol. */
    final int port;

    /** Whether it carries datagrams; its connections are flows then. */
    final boolean udp;

    /** A connection or flow ends after this long without a byte; 0 for the default: never, for UDP {@code udp.idle}. */
    final long idleMs;

    final Instant opened = Instant.now();
    String listen;
    TcpSocket.@Nullable Listener listener;

    @Nullable
    UdpForward forward;

    private final Set<Id> served = new LinkedHashSet<>();
    /** The connections of its users, by the address that each comes from. */
    final Shares<InetAddress, TcpSocket> sockets = new Shares<>(CONNECTIONS_MAX);

    @Nullable
    String failure;

    @Nullable
    Offer current;

    /** How the provider was last reached: lan, direct, none (it is this node). */
    String path = "none";

    int connections;
    long connectionsTotal;
    long failovers;
    long refused;
    long txBytes;
    long rxBytes;
    private long @Nullable [] txRing;
    private long @Nullable [] rxRing;
    private long lastTx;
    private long lastRx;
    private long lastSecond;

    Tunnel(String id, Target.Service target, int port, boolean udp, String listen, long idleMs) {
        this.id = id;
        this.target = target;
        this.port = port;
        this.udp = udp;
        this.listen = listen;
        this.idleMs = idleMs;
    }

    /** Reads what {@link #saved} wrote; null for anything else. */
    static @Nullable Tunnel saved(String id, JsonObject saved) {
        ServiceName service = ServiceName.parse(saved.getString("service", ""), ServiceName.OPEN);
        String listen = saved.getString("listen");
        if (service == null || listen == null) return null;
        var target = new Target.Service(service, saved.getString("provider"), saved.getString("endpoint"));
        boolean udp = "udp".equals(saved.getString("protocol"));
        return new Tunnel(id, target, saved.getInteger("port", 0), udp, listen, saved.getLong("idleMs", 0L));
    }

    /** What is kept of it over a restart. */
    JsonObject saved() {
        return new JsonObject()
                .put("protocol", udp ? "udp" : "tcp")
                .put("service", target.name().toString())
                .put("port", port)
                .put("listen", listen)
                .put("provider", target.node())
                .put("endpoint", target.endpoint())
                .put("idleMs", idleMs);
    }

    Wanted wanted() {
        return Wanted.exactly(port);
    }

    /** What it is called in messages to people. */
    String title() {
        return "tunnel " + id + " to " + target + (port == 0 ? "" : ":" + port);
    }

    /** Stops listening, and ends its flows. */
    void stop() {
        if (listener != null) listener.close();
        if (forward != null) forward.close();
    }

    /** Resets its connections. */
    void cut() {
        for (TcpSocket socket : sockets.all()) socket.abort();
    }

    @Override
    public void sent(int bytes) {
        txBytes += bytes;
    }

    @Override
    public void received(int bytes) {
        rxBytes += bytes;
    }

    @Override
    public void done(boolean broken) {
        connections--;
    }

    /** Whether this endpoint serves the tunnel for the first time, as far as is remembered. */
    boolean isFirst(Id endpoint) {
        if (served.size() >= SERVED_MAX) served.clear();
        return served.add(endpoint);
    }

    /** Notes where its provider is reached now; {@code peer} is null when that is this node. */
    void reached(@Nullable Peer peer) {
        Offer offer = current;
        if (offer == null) return;
        path = peer == null ? "none" : peer.kind();
        Address address = peer == null ? null : peer.at();
        Way way = new Way(Instant.now(), offer.contact().node(), offer.endpoint(), path, address);
        Way last = ways.peekLast();
        if (last != null && last.isSame(way)) return;
        if (ways.size() == WAYS) ways.removeFirst();
        ways.add(way);
    }

    /** The ways there were, oldest first. */
    JsonObject timeline() {
        JsonArray items = new JsonArray();
        for (Way way : ways) {
            items.add(new JsonObject()
                    .put("since", way.since.toString())
                    .put("provider", way.node.toString())
                    .put("endpoint", way.endpoint.toString())
                    .put("path", way.path)
                    .put("address", way.address == null ? null : way.address.toString()));
        }
        return new JsonObject().put("id", id).put("items", items);
    }

    boolean hasMoved() {
        return txBytes + rxBytes > lastTx + lastRx;
    }

    /** Bytes since the last second was closed, {tx, rx}. */
    long[] moved() {
        return new long[] {txBytes - lastTx, rxBytes - lastRx};
    }

    /** Closes a second of history; called once per second. */
    void second(long second) {
        if (txRing == null || rxRing == null) {
            if (txBytes + rxBytes == 0) return;
            txRing = new long[SECONDS];
            rxRing = new long[SECONDS];
        }
        int at = (int) (second % SECONDS);
        txRing[at] = txBytes - lastTx;
        rxRing[at] = rxBytes - lastRx;
        lastTx = txBytes;
        lastRx = rxBytes;
        lastSecond = second;
    }

    /** Bytes per second of the last full second, {tx, rx}. */
    long[] rate() {
        if (txRing == null || rxRing == null) return new long[] {0, 0};
        int at = (int) (lastSecond % SECONDS);
        return new long[] {txRing[at], rxRing[at]};
    }

    /** Columns of history, oldest first: seconds since 1970, bytes sent and received in each step. */
    JsonObject stats(long nowSecond, int rangeSeconds, int stepSeconds) {
        JsonArray t = new JsonArray();
        JsonArray tx = new JsonArray();
        JsonArray rx = new JsonArray();
        int range = Math.min(rangeSeconds, SECONDS - 1);
        for (long from = nowSecond - range; from < nowSecond; from += stepSeconds) {
            long sumTx = 0;
            long sumRx = 0;
            for (long s = from; s < Math.min(from + stepSeconds, nowSecond); s++) {
                if (txRing == null || rxRing == null || s < opened.getEpochSecond()) continue;
                sumTx += txRing[(int) (s % SECONDS)];
                sumRx += rxRing[(int) (s % SECONDS)];
            }
            t.add(from);
            tx.add(sumTx);
            rx.add(sumRx);
        }
        return new JsonObject()
                .put("id", id)
                .put("stepMs", stepSeconds * 1000L)
                .put("t", t)
                .put("txBytes", tx)
                .put("rxBytes", rx);
    }

    JsonObject toJson() {
        long[] rate = rate();
        Offer offer = current;
        return new JsonObject()
                .put("id", id)
                .put("service", target.name().toString())
                .put("port", port == 0 ? null : port)
                .put("protocol", udp ? "udp" : "tcp")
                .put("listen", listen)
                .put("state", failure == null ? "open" : "failed")
                .put("failure", failure)
                .put("idleMs", idleMs == 0 ? null : idleMs)
                .put("pinned", target.node())
                .put("pinnedEndpoint", target.endpoint())
                .put("provider", offer == null ? null : offer.contact().node().toString())
                .put("endpoint", offer == null ? null : offer.endpoint().toString())
                .put("rttMs", offer == null ? null : Registrations.rttMs(offer))
                .put("connections", connections)
                .put("connectionsTotal", connectionsTotal)
                .put("failovers", failovers)
                .put("refused", refused)
                .put("txBytes", txBytes)
                .put("rxBytes", rxBytes)
                .put("txBytesPerSecond", rate[0])
                .put("rxBytesPerSecond", rate[1])
                .put("openedAt", opened.toString());
    }
}
