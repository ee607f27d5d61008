package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import mcc.udp.PacketThread;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the verticles running: one that throws an unexpected exception is undeployed and deployed again, after a pause of a
 * quarter of a second that doubles up to half a minute, and the node reports a problem meanwhile.
 */
final class Supervisor {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
    private static final long FIRST_MS = 250;
    private static final long LAST_MS = 30_000;
    private static final long CALM_NS = 60_000_000_000L;

    private final Vertx vertx;
    private final PacketThread packets;
    private final Context root;
    private final Bus bus;
    private final Status status;
    private final List<Child> children = new ArrayList<>();
    private volatile boolean stopping;

    private final class Child {
        final String name;
        final Supplier<Deployable> make;
        final DeploymentOptions options;
        volatile @Nullable String id;
        long failedNs;
        long backOffMs = FIRST_MS;
        boolean restarting;

        Child(String name, Supplier<Deployable> make, DeploymentOptions options) {
            this.name = name;
            this.make = make;
            this.options = options;
        }

        Future<String> deploy() {
            Deployable verticle = make.get();
            return vertx.deployVerticle(new Watched(verticle, packets, this::failed), options)
                    .onSuccess(made -> id = made);
        }

        synchronized void failed(Throwable cause) {
            if (isMemory(cause)) status.memorySpent("the " + name + " verticle ran out of memory: " + cause);
            LOG.error("verticle {} failed", name, cause);
            if (restarting || stopping) return;
            restarting = true;
            long now = System.nanoTime();
            backOffMs = now - failedNs > CALM_NS ? FIRST_MS : Math.min(LAST_MS, backOffMs * 2);
            failedNs = now;
            status.problem(
                    "verticle-" + name,
                    "error",
                    "the " + name + " verticle failed and is being restarted: " + cause,
                    "if this happens again, report it with the log");
            bus.publish(Bus.EVENTS, new NodeEvent("verticle.failed", new JsonObject().put("verticle", name)));
            // Not on the failed verticle's own context: a verticle deployed there would be its child and end with it.
            root.runOnContext(_ -> vertx.setTimer(backOffMs, _ -> restart()));
        }

        private void restart() {
            String old = id;
            Future<Void> gone = old == null ? Future.succeededFuture() : vertx.undeploy(old);
            gone.transform(_ -> deploy()).onComplete(done -> {
                synchronized (this) {
                    restarting = false;
                }
                if (done.succeeded()) {
                    status.solved("verticle-" + name);
                    bus.publish(
                            Bus.EVENTS, new NodeEvent("verticle.restarted", new JsonObject().put("verticle", name)));
                } else {
                    failed(done.cause());
                }
            });
        }
    }

    /** Whether memory ran out, on the heap or elsewhere: anything may have failed because of it, so nothing is restarted. */
    private static boolean isMemory(Throwable cause) {
        for (Throwable each = cause; each != null; each = each.getCause()) {
            if (each instanceof OutOfMemoryError) return true;
        }
        return false;
    }

    /** Deploys a verticle on its loop, and reports the exceptions of its context. */
    private static final class Watched implements Deployable {
        private final Deployable verticle;
        private final PacketThread packets;
        private final Consumer<Throwable> failed;
        private @Nullable Context own;

        Watched(Deployable verticle, PacketThread packets, Consumer<Throwable> failed) {
            this.verticle = verticle;
            this.packets = packets;
            this.failed = failed;
        }

        @Override
        public Future<?> deploy(Context given) {
            Context own = verticle instanceof Resident ? packets.context(given) : given;
            this.own = own;
            own.exceptionHandler(failed::accept);
            return on(own, verticle::deploy);
        }

        @Override
        public Future<?> undeploy(Context given) {
            return on(own == null ? given : own, verticle::undeploy);
        }

        private interface Step {
            Future<?> take(Context context) throws Exception;
        }

        private static Future<?> on(Context context, Step step) {
            Promise<Object> done = Promise.promise();
            context.runOnContext(_ -> {
                try {
                    step.take(context).onComplete(taken -> {
                        if (taken.succeeded()) done.complete();
                        else done.fail(taken.cause());
                    });
                } catch (Exception | LinkageError e) {
                    done.fail(e);
                }
            });
            return done.future();
        }
    }

    /**
     * To be created outside all verticles.
     *
     * @param packets the loop for {@link Resident} verticles; belongs to the caller
     */
    Supervisor(Vertx vertx, PacketThread packets, Bus bus, Status status) {
        this.vertx = vertx;
        this.packets = packets;
        root = vertx.getOrCreateContext();
        this.bus = bus;
        this.status = status;
    }

    /** Deploys a verticle and keeps it running from then on. */
    Future<String> deploy(String name, Supplier<Deployable> make, DeploymentOptions options) {
        Child child = new Child(name, make, options);
        children.add(child);
        return child.deploy();
    }

    /** Undeploys all, the newest first. */
    Future<Void> stop() {
        stopping = true;
        Promise<Void> done = Promise.promise();
        stop(children.size() - 1, done);
        return done.future();
    }

    private void stop(int index, Promise<Void> done) {
        if (index < 0) {
            done.complete();
            return;
        }
        String id = children.get(index).id;
        Future<Void> gone = id == null ? Future.succeededFuture() : vertx.undeploy(id);
        gone.onComplete(_ -> stop(index - 1, done));
    }
}
