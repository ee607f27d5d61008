package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
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
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import mcc.core.Counters;
import mcc.node.Ask;
import mcc.node.BridgeSocket;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.NodeEvent;
import mcc.node.Ownership;
import mcc.node.PluginQuery;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins of this node: keeps them in step with the folder {@code DATA/plugins}, answers the REST interface's queries,
 * creates the bridge's Vertx instance and passes it its clients.
 */
public final class PluginVerticle extends VerticleBase {
    /** Plugins at a time. */
    static final int MAX = 64;

    private static final Logger LOG = LoggerFactory.getLogger(PluginVerticle.class);
    private static final long POLL_MS = 2_000;
    private static final long STEP_MS = 10_000;
    private static final long GRACE_MS = 2_000;
    /** Long enough to tell whether a plugin is the reason that the node ends right after its start. */
    private static final long TRIAL_MS = 10_000;
    /** Shorter than the bus's time-out. */
    private static final long ANSWER_MS = 10_000;

    private static final String TOO_MANY = "plugins-limit";
    private static final String EXPOSED = "plugins-exposed";
    private static final int NAMED = 8;

    /** Identifies a version of a file. */
    private record Stamp(long bytes, long modifiedMs, Object key) {}

    private final Node.Parts parts;
    private final Path folder;
    private final Trials trials;
    private final Map<String, Plugin> plugins = new LinkedHashMap<>();
    private final Map<String, Stamp> taken = new LinkedHashMap<>();
    private Map<String, Stamp> seen = Map.of();
    private Future<?> scan = Future.succeededFuture();
    private @Nullable Vertx second;
    private @Nullable Bridge bridge;
    private @Nullable Switchboard switchboard;
    private Future<?> suspects = Future.succeededFuture();
    private Plugin.@Nullable World world;
    private boolean stopping;

    public PluginVerticle(Node.Parts parts) {
        this.parts = parts;
        folder = parts.data().resolve("plugins");
        trials = new Trials(parts.data().resolve("plugin-starts.json"), this::blocking);
    }

    @Override
    public Future<?> start() {
        Promise<Context> ready = Promise.promise();
        Context home = context;
        // On a thread of its own, as Vert.x warns about an instance that is made on another's context. Its loop is
        // started here too: if a plugin's thread started it, the loop would inherit that thread's group and keep the
        // plugin's classes in memory.
        Thread.ofPlatform().daemon().name("mcc-bridge-start").start(() -> {
            Vertx made = Vertx.vertx(new VertxOptions()
                    .setEventLoopPoolSize(1)
                    .setWorkerPoolSize(1)
                    .setInternalBlockingPoolSize(1)
                    .setFileSystemOptions(
                            new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
            Context there = made.getOrCreateContext();
            there.runOnContext(_ -> home.runOnContext(_ -> ready.complete(there)));
        });
        return ready.future()
                .compose(there -> {
                    open(there);
                    return vertx.<Void>executeBlocking(() -> {
                        if (!Files.isDirectory(folder)) Files.createDirectory(folder, Ownership.FOLDER);
                        return null;
                    });
                })
                .compose(_ -> trials.load())
                .onSuccess(_ -> {
                    parts.bus().serve(Bus.PLUGINS, this::onQuery);
                    // Last of all: a slow plugin must not delay the node, and even with one that ends the process the
                    // node can be seen for a moment.
                    parts.status().ready().onSuccess(_ -> home.runOnContext(_ -> begin()));
                });
    }

    private <T> Future<T> blocking(Callable<T> step) {
        return vertx.executeBlocking(step);
    }

    private void begin() {
        if (stopping) return;
        scan(true).onFailure(e -> LOG.warn("cannot read {}: {}", folder, e.getMessage()));
        vertx.setPeriodic(POLL_MS, _ -> poll());
    }

    /** Connects gate, bridge and plugins. */
    private void open(Context there) {
        second = there.owner();
        NodeCalls node = new NodeCalls(parts.bus(), context);
        Watches watches = new Watches(node);
        Gate gate = new Gate(there, node, watches);
        Bridge[] joined = new Bridge[1];
        Switchboard board = new Switchboard(gate, (address, body) -> joined[0].publish(address, body));
        Bridge opened = new Bridge(gate, watches, board);
        joined[0] = opened;
        bridge = opened;
        switchboard = board;
        world = new Plugin.World(
                vertx,
                context,
                board,
                trials,
                event -> parts.bus().publish(Bus.EVENTS, event),
                id -> Post.to(there, () -> watches.left(id)),
                STEP_MS,
                GRACE_MS,
                TRIAL_MS);
        parts.bus().on(Bus.NUMBERED_EVENTS, event -> {
            String address = Gate.EVENTS + event.getString("type");
            board.event(address, event);
            opened.publish(address, event);
        });
        parts.bus().serve(Bus.BRIDGE, client -> {
            BridgeSocket socket = client.socket();
            if (!Post.to(there, () -> opened.take(socket))) socket.refuse("the bridge has ended");
            return client.reply(new Ask.Done());
        });
    }

    @Override
    public Future<?> stop() {
        stopping = true;
        Vertx old = second;
        if (old == null) return Future.succeededFuture();
        Bridge open = bridge;
        if (open != null) Post.to(open.home(), open::close);
        List<Future<?>> all = new ArrayList<>();
        Set<String> guilty = guilty();
        all.add(trials.closeAllBut(guilty));
        for (Plugin plugin : plugins.values()) if (!guilty.contains(plugin.id())) all.add(plugin.stop());
        return Future.join(all).timeout(2, TimeUnit.SECONDS).transform(_ -> old.close());
    }

    /** The plugins that are ending the process; all of them if it is unknown who is ending it. */
    private Set<String> guilty() {
        Set<String> out = new TreeSet<>();
        for (Plugin plugin : plugins.values()) if (plugin.isExiting()) out.add(plugin.id());
        return out.isEmpty() && isExiting() ? plugins.keySet() : out;
    }

    /** Whether the process is ending, but not by a signal. */
    private static boolean isExiting() {
        try {
            Thread never = new Thread(() -> {});
            Runtime.getRuntime().addShutdownHook(never);
            Runtime.getRuntime().removeShutdownHook(never);
            return false;
        } catch (IllegalStateException _) { // it is ending; the JVM handles a signal on a thread with such a name
            return Thread.getAllStackTraces().keySet().stream()
                    .map(Thread::getName)
                    .noneMatch(name -> name.startsWith("SIG") && name.endsWith(" handler"));
        }
    }

    // ---- the folder -------------------------------------------------------------------------------------------------

    private void poll() {
        List.copyOf(plugins.values()).forEach(this::forget);
        tell();
        scan(false).onFailure(e -> LOG.warn("cannot read {}: {}", folder, e.getMessage()));
    }

    /**
     * Brings the plugins in step with the folder, after the scan that is under way.
     *
     * @param all also takes files that may still be growing; otherwise only those unchanged since the last scan
     */
    private Future<Void> scan(boolean all) {
        Future<Void> next = scan.transform(_ -> vertx.executeBlocking(this::look))
                .map(now -> {
                    apply(now, all);
                    return null;
                });
        scan = next;
        return next;
    }

    /** Returns the jars in the folder. Blocks. */
    private Map<String, Stamp> look() throws IOException {
        Map<String, Stamp> out = new TreeMap<>();
        List<String> exposed = new ArrayList<>();
        String folderFault = Ownership.fault(folder);
        if (folderFault != null) exposed.add(folder + " " + folderFault);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.jar")) {
            for (Path file : files) {
                BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
                if (!a.isRegularFile()) continue;
                String fault = Ownership.fault(file);
                if (fault != null && exposed.size() < NAMED) exposed.add(file.getFileName() + " " + fault);
                if (fault != null || folderFault != null) continue;
                Object key = a.fileKey() == null ? "" : a.fileKey();
                out.put(
                        file.getFileName().toString(),
                        new Stamp(a.size(), a.lastModifiedTime().toMillis(), key));
            }
        }
        tellExposed(exposed);
        return out;
    }

    /** Reports jars that another user could have written: these are not run. */
    private void tellExposed(List<String> exposed) {
        if (exposed.isEmpty()) parts.status().solved(EXPOSED);
        else {
            parts.status()
                    .problem(
                            EXPOSED,
                            "warning",
                            "some plugins are not run, because others could have written them: " + exposed,
                            "check what they are, then run chown and chmod go-w on the jar and its folder");
        }
    }

    /** Starts and stops plugins as the folder says; does not wait for them. */
    private void apply(Map<String, Stamp> now, boolean all) {
        if (stopping) return;
        for (String file : List.copyOf(taken.keySet())) if (!now.containsKey(file)) drop(file);
        List<String> left = new ArrayList<>();
        for (Map.Entry<String, Stamp> e : now.entrySet()) {
            String file = e.getKey();
            Stamp stamp = e.getValue();
            boolean still = all || stamp.equals(seen.get(file));
            if (stamp.equals(taken.get(file)) || !still) continue;
            if (!taken.containsKey(file) && plugins.size() >= MAX) left.add(file);
            else take(file, stamp);
        }
        seen = now;
        trials.retain(plugins.keySet());
        if (left.isEmpty()) parts.status().solved(TOO_MANY);
        else {
            parts.status().problem(TOO_MANY, "warn", "not loaded, over " + MAX + " plugins: " + left, "remove some");
        }
    }

    private void take(String file, Stamp stamp) {
        Plugin.World w = world;
        if (w == null) return;
        String id = id(file);
        taken.put(file, stamp);
        Plugin old = plugins.get(id);
        if (old != null) {
            old.replace();
            return;
        }
        Plugin made = new Plugin(w, id, folder.resolve(file), manifest -> conflict(id, manifest));
        plugins.put(id, made);
        if (!trials.isSuspect(id)) made.start();
        else {
            suspects = suspects.transform(_ -> made.start()).transform(_ -> made.tried());
        }
    }

    /**
     * The plugin stays listed until it has stopped: once it is not listed any more, its addresses and services must be gone.
     */
    private void drop(String file) {
        taken.remove(file);
        Plugin old = plugins.get(id(file));
        if (old != null) old.stop().onComplete(_ -> forget(old));
    }

    private void forget(Plugin plugin) {
        if (!plugin.isGone() || !plugins.remove(plugin.id(), plugin)) return;
        NodeEvent event = new NodeEvent("plugin.removed", new JsonObject().put("id", plugin.id()));
        parts.bus().publish(Bus.EVENTS, event);
    }

    /** Reports the plugins that need attention. */
    private void tell() {
        tell(
                Plugin.State.QUARANTINED,
                "plugins-quarantined",
                "left out, because the node ended while they were started");
        tell(Plugin.State.STUCK, "plugins-stuck", "they have threads that cannot be ended");
        List<String> left = new ArrayList<>();
        for (Plugin p : plugins.values()) {
            if (p.state() != Plugin.State.STUCK && !p.left().isEmpty()) left.add(p.id());
        }
        tell(
                "plugins-left",
                "threads of earlier starts still run",
                left,
                "see mcc plugin ls; a restart of the node ends them");
    }

    private void tell(Plugin.State state, String key, String what) {
        List<String> ids = new ArrayList<>();
        for (Plugin p : plugins.values()) if (p.state() == state) ids.add(p.id());
        String hint = state == Plugin.State.STUCK
                ? "see mcc plugin ls; a restart of the node ends them"
                : "correct the jar, or try once more: mcc plugin restart ID";
        tell(key, what, ids, hint);
    }

    private void tell(String key, String what, List<String> ids, String hint) {
        if (ids.isEmpty()) parts.status().solved(key);
        else parts.status().problem(key, "warn", "plugins " + String.join(", ", ids) + ": " + what, hint);
    }

    private static String id(String file) {
        return file.substring(0, file.length() - ".jar".length());
    }

    /**
     * Returns why a plugin cannot run beside the others: two plugins that serve one address would share its messages by turns.
     */
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

    private Ask.Reply onQuery(PluginQuery query) {
        return switch (query) {
            case PluginQuery.All q -> {
                JsonArray out = new JsonArray();
                new TreeMap<>(plugins).values().forEach(p -> out.add(p.toJson()));
                yield q.reply(out);
            }
            case PluginQuery.Counts q -> q.replyOnce(counts());
            case PluginQuery.Show q -> q.reply(find(q.id()).toJson());
            case PluginQuery.Restart q -> {
                Plugin plugin = find(q.id());
                yield q.replyOnce(answered(plugin, plugin.restart()));
            }
            case PluginQuery.Remove q -> q.replyOnce(remove(find(q.id())));
            case PluginQuery.Deploy q -> q.replyOnce(deploy(q.jar()));
        };
    }

    private Future<List<Counters.Count>> counts() {
        Bridge counted = bridge;
        Switchboard board = switchboard;
        if (counted == null || board == null) return Future.succeededFuture(List.of());
        Promise<List<Counters.Count>> counts = Promise.promise();
        Post.to(counted.home(), () -> {
            List<Counters.Count> now = new ArrayList<>(counted.counts());
            now.addAll(board.counts());
            Post.to(context, () -> counts.complete(now));
        });
        return counts.future();
    }

    private Plugin find(String id) {
        Plugin plugin = plugins.get(id);
        if (plugin == null)
            throw new Problem("not-found", "there is no plugin '" + id + "'", "list them: mcc plugin ls");
        return plugin;
    }

    /** Answers with the plugin's state when the step is done, or when the caller cannot wait any longer. */
    private Future<JsonObject> answered(Plugin plugin, Future<?> done) {
        Promise<JsonObject> answer = Promise.promise();
        long timer = vertx.setTimer(ANSWER_MS, _ -> answer.tryComplete(plugin.toJson()));
        done.onComplete(ended -> {
            vertx.cancelTimer(timer);
            if (ended.succeeded()) answer.tryComplete(plugin.toJson());
            else answer.tryFail(ended.cause());
        });
        return answer.future();
    }

    private Future<JsonObject> remove(Plugin plugin) {
        return vertx.executeBlocking(() -> Files.deleteIfExists(plugin.jar()))
                .compose(_ -> scan(false))
                .compose(_ -> answered(plugin, plugin.settled()));
    }

    private Future<JsonObject> deploy(Path upload) {
        return vertx.executeBlocking(() -> Manifest.of(upload).name()).compose(id -> {
            String file = id + ".jar";
            if (!plugins.containsKey(id) && plugins.size() >= MAX) {
                throw new Problem("conflict", "there are " + MAX + " plugins already", "remove one first");
            }
            return vertx.executeBlocking(() -> Files.move(
                            upload,
                            folder.resolve(file),
                            StandardCopyOption.REPLACE_EXISTING,
                            StandardCopyOption.ATOMIC_MOVE))
                    .compose(_ -> scan(true))
                    .compose(_ -> {
                        Plugin plugin = find(id);
                        return answered(plugin, plugin.settled());
                    });
        });
    }
}
