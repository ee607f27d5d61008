package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import mcc.carrier.Carriers;
import mcc.core.Address;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.nat.Nat;
import mcc.nat.NatReport;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import mcc.udp.UdpSockets;
import org.jspecify.annotations.Nullable;

/** Hosts {@link Nat} and tells it this host's addresses. */
public final class NatVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        /** Answered by a {@link NatReport}. */
        record Report() implements Query, Ask<NatReport> {}

        /** Measures anew what is let in; answered by what is known before that. */
        record Check() implements Query, Ask<NatReport> {}

        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    /** Often enough to notice at once that a network connection is back. */
    private static final long LOOK_MS = 2_000;
    /** From one check that is asked for to the next: each costs some peers a few datagrams. */
    private static final long CHECK_NS = 10_000_000_000L;

    private final Bus bus;
    private final Counters counters = new Counters();
    private final Nat nat;
    private final String inner;
    private final Ends ends;

    private @Nullable CoreHost<Nat.Input, Nat.Output> host;
    /** This host's addresses when they were looked at last. */
    private List<Address> looked = List.of();
    /** When a check was asked for last. */
    private long checkedNs = Core.NEVER;

    /** @param inner the name of the virtual interface, by whose addresses peers cannot reach this host */
    NatVerticle(Bus bus, String inner, Rng rng) {
        this.bus = bus;
        this.inner = inner;
        nat = new Nat(rng, counters);
        ends = new Ends(bus);
    }

    @Override
    public Future<?> start() {
        CoreHost<Nat.Input, Nat.Output> made = new CoreHost<>(vertx, nat, new Nat.Input.Tick(), this::deliver);
        host = made;
        bus.on(Bus.NAT_CORE, made::handle);
        bus.serve(Bus.NAT, this::onQuery);
        // The sockets may have other ports now.
        bus.on(Bus.STARTED, started -> {
            if (started.mailbox() != Mailbox.LINKS) return;
            ends.lost();
            look();
        });
        vertx.setPeriodic(LOOK_MS, _ -> look());
        Deliveries.post(bus, Wiring.started(Mailbox.NAT));
        return look();
    }

    @Override
    public Future<?> stop() {
        if (host != null) host.close();
        host = null;
        ends.closeAll();
        return Future.succeededFuture();
    }

    private void deliver(Nat.Output output) {
        switch (output) {
            case Nat.Output.OpenEnd o -> ends.open(o.ticket(), o.v4(), this::opened);
            case Nat.Output.CloseEnd o -> ends.close(o.end());
            case Nat.Output.SelfAddresses _,
                    Nat.Output.Echo _,
                    Nat.Output.DialBack _,
                    Nat.Output.Ask _,
                    Nat.Output.Reply _,
                    Nat.Output.Behind _,
                    Nat.Output.PortFound _,
                    Nat.Output.Leaf _,
                    Nat.Output.Verdict _ -> Deliveries.post(bus, Wiring.route(output));
        }
    }

    private void opened(long ticket, UdpSockets.@Nullable Ephemeral end) {
        CoreHost<Nat.Input, Nat.Output> host = this.host;
        if (host == null) return;
        host.handle(
                end == null
                        ? new Nat.Input.NotOpened(ticket)
                        : new Nat.Input.Opened(ticket, end.number(), end.local()));
    }

    private Future<?> look() {
        return bus.ask(Bus.SESSION, new SessionVerticle.Query.Listening())
                .compose(listening -> vertx.executeBlocking(() -> {
                    List<Address> out = new ArrayList<>();
                    for (Address each : listening) expand(each, out);
                    return out;
                }))
                .onSuccess(addresses -> {
                    if (host != null) host.handle(new Nat.Input.Local(addresses));
                    boolean moved = !looked.isEmpty() && !looked.equals(addresses);
                    if (moved) bus.send(Bus.CARRIERS_CORE, new Carriers.Input.Renumbered()); // it may let no UDP out
                    looked = addresses;
                });
    }

    private Ask.Reply onQuery(Query query) {
        return switch (query) {
            case Query.Report q -> q.reply(nat.report(System.nanoTime()));
            case Query.Check q -> check(q);
            case Query.Counts q -> q.reply(counters.snapshot());
        };
    }

    private Ask.Reply check(Query.Check query) {
        long nowNs = System.nanoTime();
        NatReport now = nat.report(nowNs);
        if (now.checking()) {
            return Ask.Reply.failed(new Problem(
                    "conflict", "a check is under way", "it takes some seconds; then see the result: mcc netcheck"));
        }
        if (Math.max(now.v4().helpers(), now.v6().helpers()) < 2) {
            return Ask.Reply.failed(new Problem(
                    "conflict",
                    "a check needs two peers at different IP addresses outside of this machine's networks",
                    "see which peers there are: mcc peers"));
        }
        CoreHost<Nat.Input, Nat.Output> host = this.host;
        if (host == null || checkedNs != Core.NEVER && nowNs - checkedNs < CHECK_NS) {
            return Ask.Reply.failed(new Problem(
                    "rate-limited",
                    "the last check began less than " + CHECK_NS / 1_000_000_000 + " s ago",
                    "see its result: mcc netcheck"));
        }
        checkedNs = nowNs;
        host.handle(new Nat.Input.Check());
        return query.reply(nat.report(nowNs));
    }

    /**
     * A wildcard address stands for every address of this host except inner, link-local and loopback ones, or for loopback if
     * there is no other.
     */
    private void expand(Address address, List<Address> out) {
        if (!address.isUnspecified()) {
            out.add(address);
            return;
        }
        List<Address> loopback = new ArrayList<>();
        List<Address> found = new ArrayList<>();
        try {
            for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                if (!each.isUp() || each.getName().equals(inner)) continue;
                for (InetAddress ip : Collections.list(each.getInetAddresses())) {
                    Address a = Address.of(ip.getAddress(), address.port());
                    if (a == null || a.isV4() != address.isV4() || ip.isLinkLocalAddress()) continue;
                    (a.isLoopback() ? loopback : found).add(a);
                }
            }
        } catch (SocketException _) {
            return; // the interfaces cannot be read now; the next look may succeed
        }
        out.addAll(found.isEmpty() && out.isEmpty() ? loopback : found);
    }
}
