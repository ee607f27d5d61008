package mcc.api;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import mcc.core.Counters;
import mcc.node.Bus;
import mcc.node.CarrierVerticle;
import mcc.node.DhtVerticle;
import mcc.node.LanVerticle;
import mcc.node.NatVerticle;
import mcc.node.Node;
import mcc.node.PluginQuery;
import mcc.node.PortMapVerticle;
import mcc.node.PunchVerticle;
import mcc.node.RegistryVerticle;
import mcc.node.RelayVerticle;
import mcc.node.SessionVerticle;
import mcc.node.Status;
import mcc.tunnel.TunnelVerticle;

/** Metrics in Prometheus' text format: the cores' counters and the node's state, collected at each scrape. */
final class Metrics {
    private static final String MOVED = "link.path.changed.";
    private static final String IP = "link.ip.";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<String, AtomicLong> values = new LinkedHashMap<>();
    private final AtomicLong lookups = new AtomicLong();
    private final AtomicLong lookupMs = new AtomicLong();
    private final Bus bus;
    private final Status status;
    private final Operations operations;

    Metrics(Node.Parts parts, Operations operations, Connections connections) {
        status = parts.status();
        bus = parts.bus();
        this.operations = operations;
        FunctionTimer.builder(
                        "mcc.lookup.duration",
                        lookups,
                        AtomicLong::get,
                        _ -> lookupMs.doubleValue(),
                        TimeUnit.MILLISECONDS)
                .register(registry);
        Gauge.builder("mcc.http.connections", connections, Connections::open).register(registry);
        FunctionCounter.builder("mcc.http.connections.refused", connections, Connections::refused)
                .register(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        JvmGcMetrics gc = new JvmGcMetrics();
        gc.bindTo(registry);
    }

    /** The text for one scrape. */
    Future<String> scrape() {
        return Future.all(List.of(
                        bus.ask(Bus.SESSION, new SessionVerticle.Query.Counts()),
                        bus.ask(Bus.DHT, new DhtVerticle.Query.Counts()),
                        bus.ask(Bus.REGISTRY, new RegistryVerticle.Query.Counts()),
                        bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Totals()),
                        operations.peers.all(),
                        operations.dht.buckets(),
                        bus.ask(TunnelVerticle.ASK, new TunnelVerticle.Query.Counts()),
                        bus.ask(Bus.NAT, new NatVerticle.Query.Counts()),
                        bus.ask(Bus.RELAY, new RelayVerticle.Query.Counts()),
                        bus.ask(Bus.PUNCH, new PunchVerticle.Query.Counts()),
                        bus.ask(Bus.PLUGINS, new PluginQuery.Counts()).otherwise(List.of()),
                        bus.ask(Bus.PORTMAP, new PortMapVerticle.Query.Counts()).otherwise(List.of()),
                        bus.ask(Bus.LAN, new LanVerticle.Query.Counts()).otherwise(List.of()),
                        bus.ask(Bus.CARRIERS, new CarrierVerticle.Query.Counts())
                                .otherwise(List.of())))
                .map(all -> {
                    Map<String, Long> sums = new TreeMap<>();
                    for (int i : List.of(0, 1, 2, 6, 7, 8, 9, 10, 11, 12, 13)) sum(all.resultAt(i), sums);
                    sums.put("log.dropped", status.logDropped());
                    counts(sums);
                    tunnels(all.resultAt(3));
                    peers(all.resultAt(4));
                    buckets(all.resultAt(5));
                    return registry.scrape();
                });
    }

    /** Several rooms may count under one name, such as the policy's decisions. */
    private static void sum(List<Counters.Count> counts, Map<String, Long> into) {
        for (Counters.Count count : counts) {
            into.merge(count.name(), count.value(), Long::sum);
        }
    }

    private void counts(Map<String, Long> counts) {
        for (String result : List.of("allowed", "denied")) {
            long decided =
                    Optional.ofNullable(counts.remove("policy." + result)).orElse(0L);
            counter("mcc.policy.decisions", Tags.of("result", result), decided);
        }
        counts.forEach((name, value) -> {
            switch (name) {
                case "udp.rx.bytes" -> counter("mcc.udp.bytes", Tags.of("direction", "rx", "kind", "all"), value);
                case "udp.tx.bytes" -> counter("mcc.udp.bytes", Tags.of("direction", "tx", "kind", "all"), value);
                case "dht.lookup.count" -> lookups.set(value);
                case "dht.lookup.tookMs" -> lookupMs.set(value);
                case String ip
                when ip.startsWith(IP) -> {
                    String[] kinds = ip.substring(IP.length()).split("\\.");
                    counter("mcc.ip.bytes", Tags.of("direction", kinds[0], "purpose", kinds[1]), value);
                }
                case String moved
                when moved.startsWith(MOVED) -> {
                    String[] kinds = moved.substring(MOVED.length()).split("\\.");
                    Tags tags = Tags.of("from", kinds[0], "to", kinds[1], "cause", "roamed");
                    counter("mcc.path.changes", tags, value);
                }
                default -> counter("mcc." + name, Tags.empty(), value);
            }
        });
    }

    private void tunnels(JsonObject totals) {
        for (var kind : totals.getJsonObject("traffic")) {
            JsonObject bytes = (JsonObject) kind.getValue();
            counter("mcc.tunnel.bytes", Tags.of("direction", "tx", "path", kind.getKey()), bytes.getLong("txBytes"));
            counter("mcc.tunnel.bytes", Tags.of("direction", "rx", "path", kind.getKey()), bytes.getLong("rxBytes"));
        }
        gauge("mcc.tunnels", Tags.empty(), totals.getLong("tunnels"));
        gauge("mcc.tunnel.connections", Tags.of("side", "user"), totals.getLong("connections"));
        gauge("mcc.tunnel.connections", Tags.of("side", "provider"), totals.getLong("servedConnections"));
        gauge("mcc.tunnel.flows", Tags.of("side", "user"), totals.getLong("flows"));
        gauge("mcc.tunnel.flows", Tags.of("side", "provider"), totals.getLong("servedFlows"));
    }

    private void peers(List<JsonObject> peers) {
        Map<String, Long> kinds =
                new LinkedHashMap<>(Map.of("lan", 0L, "direct", 0L, "carrier", 0L, "relay", 0L, "none", 0L));
        for (JsonObject peer : peers) kinds.merge(peer.getJsonObject("path").getString("tx"), 1L, Long::sum);
        kinds.forEach((kind, n) -> gauge("mcc.peers", Tags.of("path", kind), n));
    }

    private void buckets(List<JsonObject> buckets) {
        Map<String, Long> states = new LinkedHashMap<>(Map.of("fresh", 0L, "stale", 0L, "failing", 0L));
        for (JsonObject bucket : buckets) {
            for (Object each : bucket.getJsonArray("contacts")) {
                states.merge(((JsonObject) each).getString("state"), 1L, Long::sum);
            }
        }
        states.forEach((state, n) -> gauge("mcc.bucket.contacts", Tags.of("state", state), n));
    }

    private void counter(String name, Tags tags, long value) {
        set(
                name,
                tags,
                value,
                made -> FunctionCounter.builder(name, made, AtomicLong::doubleValue)
                        .tags(tags)
                        .register(registry));
    }

    private void gauge(String name, Tags tags, long value) {
        set(
                name,
                tags,
                value,
                made -> Gauge.builder(name, made, AtomicLong::doubleValue)
                        .tags(tags)
                        .register(registry));
    }

    /** @param register makes a new meter known, which reads its value from what it is given */
    private void set(String name, Tags tags, long value, Consumer<AtomicLong> register) {
        values.computeIfAbsent(name + tags, _ -> {
                    AtomicLong made = new AtomicLong();
                    register.accept(made);
                    return made;
                })
                .set(value);
    }
}
