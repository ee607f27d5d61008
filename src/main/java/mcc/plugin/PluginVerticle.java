package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import mcc.core.Counters;
import mcc.node.ApiQuery;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.NodeEvent;
import mcc.node.PluginQuery;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins of this node: makes the second Vertx instance, keeps what runs there in step with the folder
 * {@code DATA/plugins}, answers the REST interface, and takes the bridge's clients in.
 */
public final class PluginVerticle extends VerticleBase {
    /** Plugins at a time. */
    static final int MAX = 64;

    private static final Logger LOG = LoggerFactory.getLogger(PluginVerticle.class);
    private static final long POLL_MS = 2_000;
    private static final long STEP_MS = 10_000;
    private static final String TOO_MANY = "plugins-limit";

    /** A file as it was when looked at; another one is another jar. */
    private record Stamp(long bytes, long modifiedMs, Object key) {}

    private final Node.Parts parts;
    private final Path folder;
    private final Map<String, Plugin> plugins = new LinkedHashMap<>();
    private final Map<String, Stamp> taken = new LinkedHashMap<>();
    private Map<String, Stamp> seen = Map.of();
    private Future<?> scan = Future.succeededFuture();
    private @Nullable Vertx second;
    private @Nullable Bridge bridge;
    private Plugin.@Nullable World world;
    private boolean stopping;

    public PluginVerticle(Node.Parts parts) {
        this.parts = parts;
        folder = parts.data().resolve("plugins");
    }

    @Override
    public Future<?> start() {
        Door door = new Door(parts.bus(), context);
        Watches watches = new Watches(door);
        Promise<Vertx> ready = Promise.promise();
        Context home = context;
        // From a thread of its own: Vert.x warns of an instance that is made on another's context.
        Thread.ofPlatform()
                .daemon()
                .name("mcc-plugins-start")
                .start(() -> PluginVertx.start().onComplete(made -> home.runOnContext(_ -> ready.handle(made))));
        return ready.future().compose(made -> open(made, door, watches));
    }

    private Future<?> open(Vertx made, Door door, Watches watches) {
        second = made;
        return parts.bus()
                .ask(Bus.API, new ApiQuery.Names())
                .compose(names -> gate(made, door, watches, (List<?>) names))
                .compose(_ -> vertx.<Void>executeBlocking(() -> {
                    Files.createDirectories(folder);
                    return null;
                }))
                .onSuccess(_ -> {
                    // The node does not wait for plugins: one that is slow to start is no reason not to serve.
                    scan(true).onFailure(e -> LOG.warn("cannot read {}: {}", folder, e.getMessage()));
                    parts.bus().serve(Bus.PLUGINS, this::onQuery);
                    vertx.setPeriodic(POLL_MS, _ -> poll());
                });
    }

    /** Opens the second instance's side of the door, and the bridge. */
    private Future<?> gate(Vertx made, Door door, Watches watches, List<?> names) {
        List<String> operations = names.stream().map(String::valueOf).toList();
        GateVerticle gate = new GateVerticle(door, watches, operations);
        Bridge[] bridge = new Bridge[1];
        Permits permits =
                new Permits((address, body) -> gate.home().runOnContext(_ -> bridge[0].publish(address, body)));
        permits.watch(made);
        Context home = context;
        Promise<Void> done = Promise.promise();
        made.deployVerticle(gate)
                .onComplete(deployed -> home.runOnContext(_ -> {
                    if (deployed.failed()) {
                        done.fail(deployed.cause());
                        return;
                    }
                    permits.gate(deployed.result());
                    bridge[0] = new Bridge(made, gate.home(), door, watches, permits);
                    world = new Plugin.World(
                            vertx,
                            home,
                            made,
                            permits,
                            event -> parts.bus().publish(Bus.EVENTS, event),
                            id -> gate.home().runOnContext(_ -> watches.left(id)),
                            STEP_MS);
                    serve(gate, bridge[0]);
                    done.complete();
                }));
        return done.future();
    }

    private void serve(GateVerticle gate, Bridge made) {
        bridge = made;
        Context there = gate.home();
        parts.bus()
                .on(
                        Bus.NUMBERED_EVENTS,
                        event -> there.runOnContext(_ -> {
                            String type = event.getString("type");
                            gate.publish(type, event);
                            made.publish(GateVerticle.EVENTS + type, event);
                        }));
        parts.bus().serve(Bus.BRIDGE, socket -> {
            there.runOnContext(_ -> made.take(socket));
            return Future.succeededFuture();
        });
    }

    @Override
    public Future<?> stop() {
        stopping = true;
        Vertx old = second;
        if (old == null) return Future.succeededFuture();
        Bridge open = bridge;
        if (open != null) open.home().runOnContext(_ -> open.close());
        List<Future<?>> all = new ArrayList<>();
        for (Plugin plugin : plugins.values()) all.add(plugin.stop());
        Future<?> stopped = all.isEmpty() ? Future.succeededFuture() : Future.join(all);
        return stopped.timeout(2, TimeUnit.SECONDS).transform(_ -> old.close());
    }

    // ---- the folder -------------------------------------------------------------------------------------------------

    private void poll() {
        scan(false).onFailure(e -> LOG.warn("cannot read {}: {}", folder, e.getMessage()));
    }

    /**
     * Brings the plugins in step with the folder, after the scan that is under way.
     *
     * @param all also files that may still be growing; else only those that look as they did at the last scan
     */
    private Future<Void> scan(boolean all) {
        Future<Void> next =
                scan.transform(_ -> vertx.executeBlocking(this::look)).compose(now -> apply(now, all));
        scan = next;
        return next;
    }

    /** The jars in the folder. Blocks. */
    private Map<String, Stamp> look() throws IOException {
        Map<String, Stamp> out = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.jar")) {
            for (Path file : files) {
                BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
                if (!a.isRegularFile()) continue;
                Object key = a.fileKey() == null ? "" : a.fileKey();
                out.put(
                        file.getFileName().toString(),
                        new Stamp(a.size(), a.lastModifiedTime().toMillis(), key));
            }
        }
        return out;
    }

    private Future<Void> apply(Map<String, Stamp> now, boolean all) {
        if (stopping) return Future.succeededFuture();
        List<Future<?>> steps = new ArrayList<>();
        for (String file : List.copyOf(taken.keySet())) if (!now.containsKey(file)) steps.add(drop(file));
        List<String> left = new ArrayList<>();
        for (Map.Entry<String, Stamp> e : now.entrySet()) {
            String file = e.getKey();
            Stamp stamp = e.getValue();
            boolean still = all || stamp.equals(seen.get(file));
            if (stamp.equals(taken.get(file)) || !still) continue;
            if (!taken.containsKey(file) && taken.size() >= MAX) left.add(file);
            else steps.add(take(file, stamp));
        }
        seen = now;
        if (left.isEmpty()) parts.status().solved(TOO_MANY);
        else {
            parts.status().problem(TOO_MANY, "warn", "not loaded, over " + MAX + " plugins: " + left, "remove some");
        }
        return steps.isEmpty() ? Future.succeededFuture() : Future.join(steps).mapEmpty();
    }

    private Future<Void> take(String file, Stamp stamp) {
        Plugin.World w = world;
        if (w == null) return Future.failedFuture("not started");
        String id = id(file);
        Plugin old = plugins.get(id);
        Plugin made = new Plugin(w, id, folder.resolve(file), manifest -> conflict(id, manifest));
        plugins.put(id, made);
        taken.put(file, stamp);
        return (old == null ? Future.<Void>succeededFuture() : old.stop()).compose(_ -> made.start());
    }

    /** It stays listed until it has stopped: who no longer sees it may count on its addresses and services being gone. */
    private Future<Void> drop(String file) {
        taken.remove(file);
        Plugin old = plugins.get(id(file));
        if (old == null) return Future.succeededFuture();
        return old.stop()
                .onComplete(_ -> plugins.remove(old.id(), old))
                .onSuccess(_ -> parts.bus()
                        .publish(Bus.EVENTS, new NodeEvent("plugin.removed", new JsonObject().put("id", old.id()))));
    }

    private static String id(String file) {
        return file.substring(0, file.length() - ".jar".length());
    }

    /** Two plugins at one address would share its messages by turns. */
    private @Nullable String conflict(String id, Manifest manifest) {
        for (Plugin other : plugins.values()) {
            Manifest theirs = other.manifest();
            if (other.id().equals(id) || theirs == null || !other.isUp()) continue;
            for (String address : manifest.serves()) {
                if (theirs.serves().contains(address)) {
                    return "address '" + address + "' is served by plugin '" + other.id() + "' already";
                }
            }
        }
        return null;
    }

    // ---- questions --------------------------------------------------------------------------------------------------

    private Future<Object> onQuery(PluginQuery query) {
        return switch (query) {
            case PluginQuery.All _ -> {
                JsonArray out = new JsonArray();
                new TreeMap<>(plugins).values().forEach(p -> out.add(p.toJson()));
                yield Future.succeededFuture(out);
            }
            case PluginQuery.Counts _ -> counts();
            case PluginQuery.One q -> Future.succeededFuture(find(q.id()).toJson());
            case PluginQuery.Restart q -> {
                Plugin plugin = find(q.id());
                yield plugin.restart().map(_ -> plugin.toJson());
            }
            case PluginQuery.Remove q -> remove(find(q.id()));
            case PluginQuery.Deploy q -> deploy(q.jar());
        };
    }

    private Future<Object> counts() {
        Bridge counted = bridge;
        if (counted == null) return Future.succeededFuture(List.of());
        Promise<Object> counts = Promise.promise();
        counted.home().runOnContext(_ -> {
            List<Counters.Count> now = counted.counts();
            context.runOnContext(_ -> counts.complete(now));
        });
        return counts.future();
    }

    private Plugin find(String id) {
        Plugin plugin = plugins.get(id);
        if (plugin == null)
            throw new Problem("not-found", "there is no plugin '" + id + "'", "list them: mcc plugin ls");
        return plugin;
    }

    private Future<Object> remove(Plugin plugin) {
        JsonObject was = plugin.toJson();
        return vertx.executeBlocking(() -> Files.deleteIfExists(plugin.jar()))
                .compose(_ -> scan(false))
                .map(_ -> was);
    }

    private Future<Object> deploy(Path upload) {
        return vertx.executeBlocking(() -> Manifest.of(upload).name()).compose(id -> {
            String file = id + ".jar";
            if (!taken.containsKey(file) && taken.size() >= MAX) {
                throw new Problem("conflict", "there are " + MAX + " plugins already", "remove one first");
            }
            return vertx.executeBlocking(() -> Files.move(
                            upload,
                            folder.resolve(file),
                            StandardCopyOption.REPLACE_EXISTING,
                            StandardCopyOption.ATOMIC_MOVE))
                    .compose(_ -> scan(true))
                    .map(_ -> find(id).toJson());
        });
    }
}
