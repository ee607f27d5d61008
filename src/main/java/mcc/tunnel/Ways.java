package mcc.tunnel;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.node.Bus;
import mcc.node.Problem;
import mcc.node.RegistryVerticle;
import mcc.registry.Offer;
import mcc.registry.Registration;
import mcc.registry.Registry;
import mcc.registry.Selector;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/**
 * From a target that a user names to an open stream or app: which providers to ask, in which order, and which failed lately.
 * Used on one context.
 *
 * <p>The registry's answer about a service is used for all connections of a second; each draws its own order. Limits:
 * {@link #KNOWN_MAX} services, {@link #SUSPECTS_MAX} nodes.
 */
final class Ways {
    /** How long a provider that failed is asked last. */
    static final long SUSPECT_NS = 10_000_000_000L;

    /** How long the registry's answer about a service is used without asking again. */
    private static final long FRESH_NS = 1_000_000_000L;

    /** How old a lookup's result may be for the registry to answer with it at once. */
    private static final long KNOWN_MS = 10_000;

    private static final int KNOWN_MAX = 256;
    private static final int SUSPECTS_MAX = 1_024;

    /** A way that a user has open: the service that it leads to, and what ends it. */
    private record OpenWay(ServiceName name, Offer offer, boolean udp, Wanted wanted, Runnable cut) {}

    private record Known(List<Offer> ranked, long atNs) {}

    private final Context context;
    private final Bus bus;
    private final Id self;
    private final Admission admission;
    private final Endpoints endpoints;
    private final Opening.Means means;
    private final Rng rng;
    /** The ways to be opened in the next turn of the loop. */
    private final ArrayDeque<Runnable> turn = new ArrayDeque<>();

    private final Map<ServiceName, Known> known = new LinkedHashMap<>();
    /** One for each name that users wait for, so no more than the connections and flows that are opening. */
    private final Map<ServiceName, Future<List<Offer>>> asking = new LinkedHashMap<>();

    private final Map<Id, Long> suspects = new LinkedHashMap<>();
    /** By identity; there are no more than connections and flows. */
    private final Set<OpenWay> open = Collections.newSetFromMap(new IdentityHashMap<>());

    Ways(Bus bus, Id self, Opening.Means means, Rng rng) {
        context = means.context();
        this.bus = bus;
        this.self = self;
        admission = means.admission();
        endpoints = means.endpoints();
        this.means = means;
        this.rng = rng;
    }

    /** Whether users may see the service that a way leads to, and, if it is on this host, use it. */
    private boolean mayStand(OpenWay way) {
        if (!admission.maySee(way.name)) return false;
        Registry.LocalView view = way.offer.isLocal() ? endpoints.find(way.offer.endpoint()) : null;
        if (view == null) return true;
        Registration app = view.registration();
        int port = way.wanted.of(app.ports(), way.udp);
        return admission.judge(admission.self(), app, way.udp, port).isAllowed();
    }

    /** There is a new policy: ends the users' ways that it does not allow; returns how many. */
    int judgeAgain() {
        forget();
        int ended = 0;
        for (OpenWay way : List.copyOf(open)) {
            if (mayStand(way)) continue;
            way.cut.run();
            ended++;
        }
        return ended;
    }

    /** Forgets what the registry answered. */
    void forget() {
        known.clear();
    }

    /** Finds the service of an instance. */
    Future<Target.Service> find(Target target) {
        return switch (target) {
            case Target.Service service -> Future.succeededFuture(service);
            case Target.Instance(Id endpoint) ->
                bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Locate(endpoint))
                        .compose(found -> {
                            ServiceName service = found.service();
                            return service == null
                                    ? Future.failedFuture(noEndpoint(endpoint))
                                    : Future.succeededFuture(new Target.Service(service, null, endpoint.toString()));
                        });
        };
    }

    private static Problem noEndpoint(Id endpoint) {
        return new Problem(
                "not-found",
                "nobody offers endpoint " + endpoint,
                "see the endpoints of a service: mcc discover NAME --json");
    }

    /** Opens a way to a port of a target. */
    <S> Future<Opening.Opened<S>> open(Target target, Opening.Apps<S> apps, Wanted wanted) {
        return find(target).compose(service -> openAt(service, apps, wanted));
    }

    private <S> Future<Opening.Opened<S>> openAt(Target.Service target, Opening.Apps<S> apps, Wanted wanted) {
        // In the next turn of the loop, after news that the registry has sent already: a program that connects may rely
        // on it.
        Promise<Opening.Opened<S>> promise = Promise.promise();
        if (turn.isEmpty()) context.runOnContext(_ -> turn());
        turn.add(() -> {
            List<Offer> known = known(target.name());
            Future<Opening.Opened<S>> opening = known == null
                    ? resolve(target).compose(all -> openOne(target, apps, wanted, all))
                    : openOne(target, apps, wanted, order(target, known));
            opening.onComplete(promise);
        });
        return promise.future();
    }

    private void turn() {
        for (Runnable each; (each = turn.poll()) != null; ) each.run();
    }

    private <S> Future<Opening.Opened<S>> openOne(
            Target.Service target, Opening.Apps<S> apps, Wanted wanted, List<Offer> all) {
        if (all.isEmpty()) return Future.failedFuture(noProvider(target));
        boolean udp = apps.isUdp();
        List<Offer> offers = new ArrayList<>(all.size());
        for (Offer each : all) if (wanted.isAt(each, udp)) offers.add(each);
        if (offers.isEmpty()) {
            admission.counters().add("tunnel.port.refused");
            return Future.failedFuture(wanted.notAt(target, udp, all));
        }
        return Opening.open(means, apps, wanted, offers).compose(opened -> {
            judge(target.name(), udp, opened);
            return keep(target, wanted, opened, apps);
        });
    }

    /** Remembers a way for as long as it lasts, if the policy allows it: the registry may have named it under an older one. */
    private <S> Future<Opening.Opened<S>> keep(
            Target.Service target, Wanted wanted, Opening.Opened<S> opened, Opening.Apps<S> apps) {
        Runnable cut = switch (opened.way()) {
            case Opening.Way.Remote<S> remote -> remote.port()::sever;
            case Opening.Way.Here<S> here -> () -> apps.drop().accept(here.socket());
        };
        OpenWay way = new OpenWay(target.name(), opened.offer(), apps.isUdp(), wanted, cut);
        open.add(way); // added first, because one that has ended by now is removed at once
        switch (opened.way()) {
            case Opening.Way.Remote<S> remote -> remote.port().goneHandler(() -> open.remove(way));
            case Opening.Way.Here<S> here -> apps.onEnd().accept(here.socket(), () -> open.remove(way));
        }
        if (mayStand(way)) return Future.succeededFuture(opened);
        cut.run();
        return Future.failedFuture(noProvider(target));
    }

    private void judge(ServiceName name, boolean udp, Opening.Opened<?> opened) {
        if (!opened.failures().isEmpty()) known.remove(name);
        for (Opening.Failure f : opened.failures()) suspect(f.offer().contact().node());
        // A provider that answers is no longer suspect; for UDP that proves nothing, because its app was not asked.
        if (!udp) suspects.remove(opened.offer().contact().node());
    }

    /** Asks a node last for some time. */
    void suspect(Id node) {
        if (suspects.size() >= SUSPECTS_MAX)
            suspects.remove(suspects.keySet().iterator().next());
        suspects.put(node, System.nanoTime() + SUSPECT_NS);
    }

    /** Asks the node of a flow's far end last for some time. */
    void suspect(FlowEnd end) {
        Id peer = end.peer();
        suspect(peer == null ? self : peer);
    }

    /** Like {@link #resolve}, with a fresh answer of the registry. */
    Future<List<Offer>> resolveAnew(Target.Service target) {
        known.remove(target.name());
        return resolve(target);
    }

    /** The usable providers in the order for one new connection; those that failed lately come last. */
    Future<List<Offer>> resolve(Target.Service target) {
        List<Offer> known = known(target.name());
        return known == null
                ? ask(target.name()).map(ranked -> order(target, ranked))
                : Future.succeededFuture(order(target, known));
    }

    private List<Offer> order(Target.Service target, List<Offer> ranked) {
        List<Offer> good = new ArrayList<>();
        List<Offer> doubtful = new ArrayList<>();
        long now = System.nanoTime();
        for (Offer offer : Selector.pick(ranked, rng)) {
            if (!target.admits(offer)) continue;
            Long until = suspects.get(offer.contact().node());
            (until != null && until > now ? doubtful : good).add(offer);
        }
        good.addAll(doubtful);
        return good;
    }

    private @Nullable List<Offer> known(ServiceName name) {
        Known known = this.known.get(name);
        return known != null && System.nanoTime() - known.atNs < FRESH_NS ? known.ranked : null;
    }

    /** Asks the registry, once for all who wait. */
    private Future<List<Offer>> ask(ServiceName name) {
        Future<List<Offer>> under = asking.get(name);
        if (under != null) return under;
        Future<List<Offer>> asked = bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Resolve(name, KNOWN_MS))
                .map(answer -> {
                    List<Offer> ranked = answer.items();
                    known.remove(name);
                    if (known.size() >= KNOWN_MAX)
                        known.remove(known.keySet().iterator().next());
                    // otherwise the next connection asks the registry again
                    boolean usable = !Selector.pick(ranked, rng).isEmpty();
                    if (usable) known.put(name, new Known(ranked, System.nanoTime()));
                    return ranked;
                });
        asking.put(name, asked);
        return asked.onComplete(_ -> asking.remove(name));
    }

    static Problem noProvider(Target.Service target) {
        return new Problem(
                "not-found",
                "no usable provider of " + target,
                "see which there are: mcc discover " + target.name()
                        + "; or register one: mcc register NAME --port PORT");
    }
}
