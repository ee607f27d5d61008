package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of one plugin. Used on one context of the node; its verticles run in a {@link Host}, a new one for each start.
 *
 * <p>States: STARTING → RUNNING (every verticle of the manifest is deployed) → BACKOFF (one failed to start, or threw an
 * exception that nothing caught: all are stopped, their classes are dropped, and the plugin is started again after 250 ms,
 * doubled each time up to half a minute) → STARTING. FAILED: the jar cannot be used; waits for another one or a restart by
 * hand. QUARANTINED: the node ended several times while the plugin was on trial ({@link Trials}); waits likewise. STOPPING: on
 * the way to a restart or to its removal. STUCK: it was to be removed or started again, but threads of earlier starts still
 * run, and only ending the node can end them.
 */
final class Plugin {
    /** How it stands. */
    enum State {
        STARTING,
        RUNNING,
        BACKOFF,
        FAILED,
        QUARANTINED,
        STOPPING,
        STUCK,
        REMOVED
    }

    /**
     * The surroundings of all plugins.
     *
     * @param home the context on which all plugins are managed
     * @param left gets the ID of a plugin whose verticles have ended
     * @param stepMs the longest wait for one verticle's start, or for a stop
     * @param graceMs the longest wait for closing what it opened, and for its threads to end, both before and after they are
     *     interrupted
     * @param trialMs how long a plugin must run to pass its trial
     */
    record World(
            Vertx node,
            Context home,
            Switchboard board,
            Trials trials,
            Consumer<NodeEvent> events,
            Consumer<String> left,
            long stepMs,
            long graceMs,
            long trialMs) {
        /** Completes a future on the plugins' context. */
        <T> Future<T> home(Future<T> future) {
            return Post.back(home, future);
        }

        /** Fails a future with {@link Late} if it takes longer. Uses the node's timer, as the plugin's loop may be blocked. */
        <T> Future<T> within(Future<T> future, long ms, String what) {
            Promise<T> promise = Promise.promise();
            long timer = node.setTimer(ms, _ -> promise.tryFail(new Late(what + " took over " + ms + " ms")));
            home(future).onComplete(done -> {
                node.cancelTimer(timer);
                if (done.succeeded()) promise.tryComplete(done.result());
                else promise.tryFail(done.cause());
            });
            return promise.future();
        }
    }

    /** Something took too long. */
    static final class Late extends RuntimeException {
        Late(String what) {
            super(what, null, false, false);
        }
    }

    /** Earlier starts whose threads may still run; at this number the plugin is not started again. */
    static final int LEFT_MAX = 3;

    private static final Logger LOG = LoggerFactory.getLogger(Plugin.class);
    private static final long FIRST_MS = 250;
    private static final long LAST_MS = 30_000;
    private static final long CALM_NS = 60_000_000_000L;

    private final World world;
    private final String id;
    private final Path jar;
    private final Function<Manifest, @Nullable String> conflict;
    private final List<Host> left = new ArrayList<>();
    private @Nullable Manifest manifest;
    private volatile @Nullable URLClassLoader loader;
    private @Nullable Host host;
    private @Nullable Line line;
    private State state = State.STARTING;
    private @Nullable String failure;
    private int restarts;
    private long backOffMs = FIRST_MS;
    private long failedNs;
    private int generation;
    private boolean claimed;
    private boolean gone;
    private Future<?> tail = Future.succeededFuture();
    private Future<Void> trial = Future.succeededFuture();

    /** @param conflict returns why this plugin may not start beside the others; null if it may */
    Plugin(World world, String id, Path jar, Function<Manifest, @Nullable String> conflict) {
        this.world = world;
        this.id = id;
        this.jar = jar;
        this.conflict = conflict;
    }

    String id() {
        return id;
    }

    Path jar() {
        return jar;
    }

    State state() {
        return state;
    }

    /** Its manifest; null while the jar has no valid one. */
    @Nullable
    Manifest manifest() {
        return manifest;
    }

    /** Its class loader while it is in use. */
    @Nullable
    ClassLoader loader() {
        return loader;
    }

    /** Whether its addresses are taken: it runs, or will run again. */
    boolean isUp() {
        return claimed && !gone;
    }

    /** Whether it was stopped for good and nothing of it still runs. */
    boolean isGone() {
        return gone && (state == State.REMOVED || state == State.STUCK) && left().isEmpty();
    }

    /** Whether it is ending the process just now. */
    boolean isExiting() {
        Host now = host;
        return now != null && now.isExiting();
    }

    /** Completed when everything asked for so far is done. */
    Future<Void> settled() {
        return tail.transform(_ -> Future.succeededFuture());
    }

    /** Completed when it has passed its trial, or its start has failed. */
    Future<Void> tried() {
        return trial;
    }

    JsonObject toJson() {
        Manifest m = manifest;
        return new JsonObject()
                .put("id", id)
                .put("name", m == null ? id : m.name())
                .put("version", m == null ? "" : m.version())
                .put("state", word())
                .put("verticles", array(m == null ? List.of() : m.verticles()))
                .put("serves", array(m == null ? List.of() : m.serves()))
                .put("calls", array(m == null ? List.of() : m.calls()))
                .put("restarts", restarts)
                .put("failure", failure)
                .put("left", array(left()))
                .put("file", String.valueOf(jar.getFileName()));
    }

    private String word() {
        return state.name().toLowerCase(Locale.ROOT);
    }

    private static JsonArray array(List<String> texts) {
        return new JsonArray(new ArrayList<>(texts));
    }

    /** What still runs of earlier starts. */
    List<String> left() {
        left.removeIf(Host::isGone);
        List<String> out = new ArrayList<>();
        for (Host each : left) out.addAll(each.left());
        return out;
    }

    /** Starts it; completed when it runs or has failed. */
    Future<Void> start() {
        return inTurn(() -> up("plugin.deployed"));
    }

    /** Stops it and starts it at once from the jar as it is now, even if it was quarantined. */
    Future<Void> restart() {
        if (gone) {
            return Future.failedFuture(
                    new Problem("conflict", "plugin '" + id + "' is being removed", "deploy its jar again"));
        }
        world.trials().forgive(id);
        return inTurn(() -> stopping().compose(_ -> {
            restarts++;
            backOffMs = FIRST_MS;
            return up("plugin.restarted");
        }));
    }

    /** There is a new jar of its name, perhaps while it was being removed. */
    Future<Void> replace() {
        gone = false;
        return inTurn(() -> stopping().compose(_ -> {
            restarts = 0;
            backOffMs = FIRST_MS;
            return up("plugin.deployed");
        }));
    }

    /** Stops it for good. */
    Future<Void> stop() {
        gone = true;
        return inTurn(() -> stopping().onComplete(_ -> {
            if (!stuck("it was removed")) state = State.REMOVED;
        }));
    }

    private Future<Void> stopping() {
        state = State.STOPPING;
        failure = null;
        return down().onComplete(_ -> world.trials().close(id));
    }

    /** Reports that it cannot go on if threads still run; returns whether that is so. */
    private boolean stuck(String what) {
        List<String> runs = left();
        if (runs.isEmpty()) return false;
        state = State.STUCK;
        failure = what + ", but these still run: " + String.join("; ", runs) + "; only a restart of the node ends them";
        LOG.warn("plugin {} {}", id, failure);
        tell("plugin.failed");
        return true;
    }

    /** Begins a step when all earlier ones are done. */
    private Future<Void> inTurn(Supplier<Future<Void>> step) {
        Future<Void> next = tail.transform(_ -> step.get());
        tail = next;
        return next;
    }

    // ---- up ---------------------------------------------------------------------------------------------------------

    private Future<Void> up(String event) {
        if (gone) return Future.succeededFuture();
        manifest = null;
        left.removeIf(Host::isGone);
        int mine = ++generation;
        if (left.size() >= LEFT_MAX && stuck("it was not started again")) return Future.succeededFuture();
        state = State.STARTING;
        return world.home(world.node().executeBlocking(() -> Manifest.of(jar)))
                .compose(read -> {
                    manifest = read;
                    String odd = conflict.apply(read);
                    if (odd != null) throw new Problem("conflict", odd, "remove one of the two");
                    claimed = true;
                    return world.home(world.node().executeBlocking(() -> stamp(jar)));
                })
                .compose(this::trial)
                .compose(_ -> world.home(world.node().executeBlocking(this::open)))
                .compose(_ -> world.home(Host.start(id)))
                .compose(made -> {
                    host = made;
                    made.vertx().exceptionHandler(once(mine)::accept);
                    line = world.board().open(id, Objects.requireNonNull(manifest), made.vertx());
                    return deploy(made, 0, mine);
                })
                .transform(done -> {
                    if (mine != generation) return Future.succeededFuture();
                    if (done.failed()) return fail(done.cause());
                    runs(event, mine);
                    return Future.succeededFuture();
                });
    }

    /** Tells a jar from another one of the same name. Blocks. */
    static String stamp(Path jar) throws IOException {
        return Files.size(jar) + "-" + Files.getLastModifiedTime(jar).toMillis();
    }

    private Future<Void> trial(String stamp) {
        int exits = world.trials().exits(id, stamp);
        if (exits < Trials.EXITS_MAX) return world.home(world.trials().begin(id, stamp));
        throw new Quarantine(
                "the node ended " + exits + " times while this plugin was being started, so it is left out");
    }

    /** The plugin is left out. */
    private static final class Quarantine extends RuntimeException {
        Quarantine(String why) {
            super(why, null, false, false);
        }
    }

    private void runs(String event, int mine) {
        state = State.RUNNING;
        failure = null;
        LOG.info("plugin {} runs", id);
        tell(event);
        trial = world.node().timer(world.trialMs(), TimeUnit.MILLISECONDS).map(_ -> {
            if (mine == generation) world.trials().passed(id);
            return null;
        });
    }

    /** Opens the jar. Blocks. */
    private @Nullable Void open() throws IOException {
        loader = new URLClassLoader(
                "plugin-" + id, new URL[] {jar.toUri().toURL()}, new ParentLoader(Plugin.class.getClassLoader()));
        return null;
    }

    private Future<Void> deploy(Host made, int index, int mine) {
        Manifest read = manifest;
        ClassLoader classes = loader;
        if (read == null || classes == null || index == read.verticles().size()) return Future.succeededFuture();
        String name = read.verticles().get(index);
        Hosted verticle = new Hosted(made, name, classes, once(mine));
        Future<String> starting =
                made.vertx().deployVerticle(verticle, new DeploymentOptions().setClassLoader(classes));
        return world.within(starting, world.stepMs(), "the start of " + name).compose(deployment -> {
            made.deployed(deployment);
            return deploy(made, index + 1, mine);
        });
    }

    // ---- failures and down ------------------------------------------------------------------------------------------

    /** Reports the first failure of a start only: further ones tell nothing new, and there may be thousands. */
    private Consumer<Throwable> once(int which) {
        AtomicBoolean first = new AtomicBoolean(true);
        return e -> {
            if (first.getAndSet(false)) Post.to(world.home(), () -> crashed(which, e));
        };
    }

    private void crashed(int which, Throwable cause) {
        inTurn(() -> which == generation && !gone ? fail(cause) : Future.succeededFuture());
    }

    private Future<Void> fail(Throwable cause) {
        generation++;
        boolean useless = cause instanceof Problem || cause instanceof Quarantine;
        claimed &= !useless;
        failure = text(cause);
        state = cause instanceof Quarantine ? State.QUARANTINED : useless ? State.FAILED : State.BACKOFF;
        LOG.warn("plugin {} failed: {}", id, failure);
        if (!(cause instanceof Quarantine)) world.trials().close(id);
        tell("plugin.failed");
        return down().onComplete(_ -> {
            if (!useless && !gone) again();
        });
    }

    private static String text(Throwable thrown) {
        if (thrown instanceof Problem p) return p.detail();
        if (thrown instanceof Quarantine || thrown instanceof Late) return String.valueOf(thrown.getMessage());
        Throwable inner = thrown.getCause();
        Throwable cause = thrown instanceof InvocationTargetException && inner != null ? inner : thrown;
        String at = cause.getStackTrace().length == 0 ? "" : " at " + cause.getStackTrace()[0];
        return cause + at;
    }

    private void again() {
        long now = System.nanoTime();
        backOffMs = failedNs == 0 || now - failedNs > CALM_NS ? FIRST_MS : Math.min(LAST_MS, backOffMs * 2);
        failedNs = now;
        int mine = generation;
        world.node()
                .timer(backOffMs, TimeUnit.MILLISECONDS)
                .onSuccess(_ -> inTurn(() -> {
                    if (gone || mine != generation) return Future.succeededFuture();
                    restarts++;
                    return up("plugin.restarted");
                }));
    }

    /** Undeploys everything, closes what it opened and drops its classes, in bounded time whatever the plugin does. */
    private Future<Void> down() {
        generation++;
        Host old = host;
        Line joined = line;
        URLClassLoader classes = loader;
        host = null;
        line = null;
        loader = null;
        if (old == null) return world.home(world.node().executeBlocking(() -> closeQuietly(classes)));
        return old.undeploy(world)
                .compose(_ -> {
                    if (joined != null) world.board().close(joined);
                    world.left().accept(id);
                    return old.close(world, classes);
                })
                .onComplete(_ -> {
                    if (!old.isGone()) left.add(old);
                });
    }

    private static @Nullable Void closeQuietly(@Nullable URLClassLoader classes) throws IOException {
        if (classes != null) classes.close();
        return null;
    }

    private void tell(String type) {
        JsonObject data = new JsonObject().put("id", id).put("state", word());
        if (failure != null) data.put("failure", failure);
        world.events().accept(new NodeEvent(type, data));
    }
}
