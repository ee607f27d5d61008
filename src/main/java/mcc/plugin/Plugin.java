package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Deployable;
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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import mcc.node.NodeEvent;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One plugin's life. Lives on one context of the node; its verticles live on loops of the second Vertx instance.
 *
 * <p>States: FAILED (the jar is of no use: waits for another jar, or for a restart by hand) → RUNNING (every verticle of the
 * manifest is deployed) → BACKOFF (one failed at start or threw where nothing caught it: all of them are stopped, their
 * classes dropped, and the whole is started again after 250 ms, doubled each time, to half a minute) → RUNNING.
 */
final class Plugin {
    /** How it stands. */
    enum State {
        RUNNING,
        BACKOFF,
        FAILED
    }

    /**
     * What it needs of its surroundings.
     *
     * @param home the context on which all plugins live
     * @param left told the ID of a plugin whose verticles are gone
     * @param stepMs the longest that one verticle's start or stop is waited for
     */
    record World(
            Vertx node,
            Context home,
            Vertx plugins,
            Permits permits,
            Consumer<NodeEvent> events,
            Consumer<String> left,
            long stepMs) {
        /** The same, completed on the context on which all plugins live. */
        <T> Future<T> home(Future<T> future) {
            Promise<T> promise = Promise.promise();
            future.onComplete(done -> home.runOnContext(_ -> promise.handle(done)));
            return promise.future();
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Plugin.class);
    private static final long FIRST_MS = 250;
    private static final long LAST_MS = 30_000;
    private static final long CALM_NS = 60_000_000_000L;

    private final World world;
    private final String id;
    private final Path jar;
    private final Function<Manifest, @Nullable String> conflict;
    private final List<String> deployments = new ArrayList<>();
    private @Nullable Manifest manifest;
    private volatile @Nullable URLClassLoader loader;
    private State state = State.FAILED;
    private @Nullable String failure = "not started yet";
    private int restarts;
    private long backOffMs = FIRST_MS;
    private long failedNs;
    private int generation;
    private boolean claimed;
    private boolean gone;
    private Future<?> tail = Future.succeededFuture();

    /** A verticle that is granted its rights before it starts and whose context reports what it throws. */
    private static final class Watched implements Deployable {
        private final Callable<Deployable> make;
        private final Consumer<String> deployed;
        private final Consumer<Throwable> failed;
        private @Nullable Deployable made;

        Watched(Callable<Deployable> make, Consumer<String> deployed, Consumer<Throwable> failed) {
            this.make = make;
            this.deployed = deployed;
            this.failed = failed;
        }

        /** Makes the verticle here, on its own context: the constructor is the plugin's code too. */
        @Override
        public Future<?> deploy(Context context) throws Exception {
            deployed.accept(context.deploymentID());
            context.exceptionHandler(failed::accept);
            Deployable verticle = make.call();
            made = verticle;
            return verticle.deploy(context);
        }

        @Override
        public Future<?> undeploy(Context context) throws Exception {
            return made == null ? Future.succeededFuture() : made.undeploy(context);
        }
    }

    /** @param conflict says why this plugin may not start beside the others; null when it may */
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

    /** Its manifest while its jar is of use; null else. */
    @Nullable
    Manifest manifest() {
        return manifest;
    }

    /** The loader of its classes while they are in use. */
    @Nullable
    ClassLoader loader() {
        return loader;
    }

    /** Whether its addresses are taken: it runs, or will again. */
    boolean isUp() {
        return claimed && !gone;
    }

    JsonObject toJson() {
        Manifest m = manifest;
        return new JsonObject()
                .put("id", id)
                .put("name", m == null ? id : m.name())
                .put("version", m == null ? "" : m.version())
                .put("state", state.name().toLowerCase(Locale.ROOT))
                .put("verticles", array(m == null ? List.of() : m.verticles()))
                .put("serves", array(m == null ? List.of() : m.serves()))
                .put("calls", array(m == null ? List.of() : m.calls()))
                .put("restarts", restarts)
                .put("failure", failure)
                .put("file", String.valueOf(jar.getFileName()));
    }

    private static JsonArray array(List<String> texts) {
        return new JsonArray(new ArrayList<>(texts));
    }

    /** Starts it; done when it runs or has failed. */
    Future<Void> start() {
        return inTurn(() -> up("plugin.deployed"));
    }

    /** Stops it and starts it at once from the jar as it is now. */
    Future<Void> restart() {
        if (gone) {
            return Future.failedFuture(
                    new Problem("conflict", "plugin '" + id + "' is being removed", "deploy its jar again"));
        }
        return inTurn(() -> down().compose(_ -> {
            restarts++;
            backOffMs = FIRST_MS;
            return up("plugin.restarted");
        }));
    }

    /** Stops it for good. */
    Future<Void> stop() {
        gone = true;
        return inTurn(this::down);
    }

    /** What is asked for later begins when what was asked for before is done. */
    private Future<Void> inTurn(Supplier<Future<Void>> step) {
        Future<Void> next = tail.transform(_ -> step.get());
        tail = next;
        return next;
    }

    // ---- up ---------------------------------------------------------------------------------------------------------

    private Future<Void> up(String event) {
        int mine = ++generation;
        manifest = null;
        return world.home(world.node().executeBlocking(() -> Manifest.of(jar)))
                .compose(read -> {
                    manifest = read;
                    String odd = conflict.apply(read);
                    if (odd != null) throw new Problem("conflict", odd, "remove one of the two");
                    claimed = true;
                    return world.home(world.node().executeBlocking(() -> open(read)));
                })
                .compose(verticles -> deploy(verticles, 0, mine))
                .transform(done -> {
                    if (mine != generation) return Future.succeededFuture();
                    if (done.succeeded()) {
                        state = State.RUNNING;
                        failure = null;
                        LOG.info("plugin {} runs", id);
                        tell(event);
                        return Future.succeededFuture();
                    }
                    return fail(done.cause());
                });
    }

    /** Finds the classes. Blocks. */
    private List<Callable<Deployable>> open(Manifest read) throws IOException {
        URLClassLoader classes = new URLClassLoader(
                "plugin-" + id, new URL[] {jar.toUri().toURL()}, new Window(Plugin.class.getClassLoader()));
        loader = classes;
        List<Callable<Deployable>> out = new ArrayList<>();
        for (String name : read.verticles()) out.add(verticle(classes, name));
        return out;
    }

    private static Callable<Deployable> verticle(URLClassLoader classes, String name) {
        try {
            Class<?> c = Class.forName(name, false, classes);
            if (!Deployable.class.isAssignableFrom(c)) {
                throw new Problem("unprocessable", name + " is no Vert.x verticle", "extend VerticleBase");
            }
            var constructor = c.asSubclass(Deployable.class).getConstructor();
            return () -> {
                try {
                    return constructor.newInstance();
                } catch (InvocationTargetException e) {
                    if (e.getCause() instanceof Exception inner) throw inner;
                    throw e;
                }
            };
        } catch (ClassNotFoundException e) {
            throw new Problem(
                    "unprocessable", "the jar has no class " + e.getMessage(), "correct 'verticles' of its manifest");
        } catch (NoSuchMethodException _) {
            throw new Problem("unprocessable", name + " has no public constructor without parameters", "add one");
        } catch (LinkageError e) {
            throw new Problem(
                    "unprocessable",
                    "class " + name + " cannot be loaded: " + e,
                    "pack into the jar what it needs, beside Vert.x, slf4j and jspecify");
        }
    }

    private Future<Void> deploy(List<Callable<Deployable>> verticles, int index, int mine) {
        Manifest read = manifest;
        if (index == verticles.size() || read == null) return Future.succeededFuture();
        Watched verticle = new Watched(
                verticles.get(index),
                deployment -> world.permits().grant(deployment, id, read),
                e -> world.home().runOnContext(_ -> crashed(mine, e)));
        Future<String> starting =
                world.plugins().deployVerticle(verticle, new DeploymentOptions().setClassLoader(loader));
        return world.home(starting.timeout(world.stepMs(), TimeUnit.MILLISECONDS))
                .onFailure(_ -> starting.onSuccess(late -> world.plugins().undeploy(late)))
                .compose(deployment -> {
                    deployments.add(deployment);
                    return deploy(verticles, index + 1, mine);
                });
    }

    // ---- failures and down ------------------------------------------------------------------------------------------

    private void crashed(int which, Throwable cause) {
        inTurn(() -> which == generation && !gone ? fail(cause) : Future.succeededFuture());
    }

    private Future<Void> fail(Throwable cause) {
        generation++;
        boolean useless = cause instanceof Problem;
        claimed &= !useless;
        failure = text(cause);
        state = useless ? State.FAILED : State.BACKOFF;
        LOG.warn("plugin {} failed: {}", id, failure);
        tell("plugin.failed");
        return down().onComplete(_ -> {
            if (!useless && !gone) again();
        });
    }

    private static String text(Throwable thrown) {
        if (thrown instanceof Problem p) return p.detail();
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

    /** Undeploys everything and drops the classes. */
    private Future<Void> down() {
        generation++;
        List<Future<?>> all = new ArrayList<>();
        for (String deployment : deployments)
            all.add(world.plugins().undeploy(deployment).timeout(world.stepMs(), TimeUnit.MILLISECONDS));
        deployments.clear();
        URLClassLoader old = loader;
        loader = null;
        Future<?> stopped = all.isEmpty() ? Future.succeededFuture() : Future.join(all);
        return world.home(stopped.<Void>mapEmpty())
                .transform(_ -> {
                    world.permits().revoke(id);
                    world.left().accept(id);
                    return world.home(world.node().executeBlocking(() -> close(old)));
                })
                .otherwiseEmpty();
    }

    private static @Nullable Void close(@Nullable URLClassLoader old) throws IOException {
        if (old != null) old.close();
        return null;
    }

    private void tell(String type) {
        JsonObject data =
                new JsonObject().put("id", id).put("state", state.name().toLowerCase(Locale.ROOT));
        if (failure != null) data.put("failure", failure);
        world.events().accept(new NodeEvent(type, data));
    }
}
