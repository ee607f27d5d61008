package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.io.IOException;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.lan.Lan;
import mcc.udp.SideSocket;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hosts {@link Lan}: tells it this host's interfaces, and owns the multicast socket. */
public final class LanVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    private static final Logger LOG = LoggerFactory.getLogger(LanVerticle.class);
    private static final long LOOK_MS = 5_000;

    private final Bus bus;
    private final String inner;
    private final Counters counters = new Counters();
    private final Lan core;
    private @Nullable CoreHost<Lan.Input, Lan.Output> host;
    private @Nullable SideSocket socket;
    private final Set<String> joined = new HashSet<>();
    private boolean warned;

    /** @param inner the name of the virtual interface, which is no link */
    LanVerticle(Bus bus, String network, String inner, Rng rng) {
        this.bus = bus;
        this.inner = inner;
        core = new Lan(network, rng, counters);
    }

    @Override
    public Future<?> start() {
        host = new CoreHost<>(vertx, core, new Lan.Input.Tick(), this::deliver);
        bus.serve(Bus.LAN, this::onQuery);
        look();
        vertx.setPeriodic(LOOK_MS, _ -> look());
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        if (host != null) host.close();
        host = null;
        if (socket != null) socket.close();
        return Future.succeededFuture();
    }

    private void look() {
        bus.ask(Bus.DHT, new DhtVerticle.Query.Status()).onSuccess(status -> {
            if (host != null) host.handle(new Lan.Input.Alone(status.contacts() == 0));
        });
        bus.ask(Bus.SESSION, new SessionVerticle.Query.Listening())
                .compose(listening -> vertx.executeBlocking(() -> links(inner, listening)))
                .onSuccess(this::found);
    }

    private void found(List<Lan.Link> links) {
        if (host == null || !links.isEmpty() && !listen()) return;
        Set<String> names = new HashSet<>();
        for (Lan.Link each : links) {
            names.add(each.name());
            if (!joined.contains(each.name()) && join(each.name())) joined.add(each.name());
        }
        joined.retainAll(names);
        host.handle(new Lan.Input.Links(links, System.currentTimeMillis()));
    }

    private boolean listen() {
        if (socket != null) return true;
        try {
            Address any = Address.v4(0, Lan.GROUP.port());
            socket = SideSocket.open(context, any, true, (from, bytes) -> {
                if (host == null) return;
                host.handle(new Lan.Input.Heard(from, Bytes.owning(bytes), System.currentTimeMillis()));
            });
            return true;
        } catch (IOException e) {
            if (!warned) LOG.warn("no discovery on the link: UDP port {}: {}", Lan.GROUP.port(), Problem.text(e));
            warned = true;
            return false;
        }
    }

    private boolean join(String name) {
        try {
            NetworkInterface device = NetworkInterface.getByName(name);
            if (device == null || socket == null) return false;
            socket.join(Lan.GROUP, device);
            return true;
        } catch (IOException | IllegalStateException e) {
            LOG.debug("the group cannot be joined on {}: {}", name, e.getMessage());
            return false;
        }
    }

    private void deliver(Lan.Output output) {
        switch (output) {
            case Lan.Output.Say s -> {
                if (!say(s.link(), s.bytes().toArray())) counters.add("lan.not-said");
            }
            case Lan.Output.Dial d -> bus.send(Bus.NEIGHBOURS, d.at());
        }
    }

    private boolean say(String link, byte[] bytes) {
        try {
            NetworkInterface device = NetworkInterface.getByName(link);
            return device != null && socket != null && socket.send(device, Lan.GROUP, bytes);
        } catch (SocketException _) {
            return false; // the interface is gone
        }
    }

    /** The interfaces on which others may be: up, with multicast, and neither loopback nor one end of a line nor MCC's own. */
    private static List<Lan.Link> links(String inner, List<Address> listening) throws SocketException {
        List<Lan.Link> out = new ArrayList<>();
        for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            boolean usable = each.isUp() && each.supportsMulticast() && !each.isLoopback() && !each.isPointToPoint();
            if (!usable || each.getName().equals(inner)) continue;
            for (InterfaceAddress at : each.getInterfaceAddresses()) {
                Address ip = Address.of(at.getAddress().getAddress(), 0);
                int bits = at.getNetworkPrefixLength();
                int port = ip == null || bits < 1 || bits > 31 ? 0 : Routes.port(ip, listening);
                if (ip == null || !ip.isV4() || port == 0) continue;
                out.add(new Lan.Link(each.getName(), new Address(ip.high(), ip.low(), port), bits));
                break; // it is said once on each link
            }
        }
        return out;
    }

    private Ask.Reply onQuery(Query query) {
        return switch (query) {
            case Query.Counts q -> q.reply(counters.snapshot());
        };
    }
}
