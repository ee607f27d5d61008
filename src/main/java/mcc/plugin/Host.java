package mcc.plugin;

import io.vertx.core.Deployable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The surroundings of one start of a plugin: a Vertx instance with threads of its own, so that blocking code blocks nobody
 * else, and whatever is opened in it is closed with it.
 *
 * <p>All of its threads belong to one thread group. A new thread inherits the group of its creator, so threads that the
 * plugin's code starts are found too, and reported if they do not end.
 */
final class Host {
    private static final int LOOPS = 2;
    private static final int WORKERS = 4;
    private static final int INTERNAL = 2;
    private static final long LOOK_MS = 50;
    private static final int TOLD_MAX = 8;

    private final ThreadGroup group;
    private final Vertx vertx;
    private final List<String> deployments = new ArrayList<>();
    private volatile boolean ending;

    private Host(ThreadGroup group, Vertx vertx) {
        this.group = group;
        this.vertx = vertx;
    }

    /** Starts one; the future is completed on any thread. */
    static Future<Host> start(String id) {
        Promise<Host> made = Promise.promise();
        ThreadGroup group = new ThreadGroup("plugin-" + id);
        // On a thread of its own, to be within the group, and because Vert.x warns about an instance that is made on
        // another instance's context.
        Thread starter = new Thread(group, () -> start(group, made), "plugin-" + id + "-start");
        starter.setDaemon(true);
        starter.start();
        return made.future();
    }

    private static void start(ThreadGroup group, Promise<Host> made) {
        try {
            Vertx vertx = Vertx.vertx(new VertxOptions()
                    .setEventLoopPoolSize(LOOPS)
                    .setWorkerPoolSize(WORKERS)
                    .setInternalBlockingPoolSize(INTERNAL));
            Deployable nothing = _ -> Future.succeededFuture();
            List<Future<?>> loops = new ArrayList<>();
            // A loop's thread is started by its first user; deployments use the loops in turn.
            for (int i = 0; i < LOOPS; i++)
                loops.add(vertx.deployVerticle(nothing).compose(vertx::undeploy));
            Future.all(loops).map(new Host(group, vertx)).onComplete(made);
        } catch (RuntimeException e) {
            made.fail(e);
        }
    }

    Vertx vertx() {
        return vertx;
    }

    /** Notes a verticle that runs here. */
    void deployed(String deployment) {
        deployments.add(deployment);
    }

    /** Whether it is being stopped on purpose; otherwise a verticle that is undeployed ended by itself. */
    boolean isEnding() {
        return ending;
    }

    /** Stops the verticles; completed on the plugins' context when they have stopped or the time is over. */
    Future<Void> undeploy(Plugin.World world) {
        ending = true;
        List<Future<?>> all = new ArrayList<>();
        for (String deployment : deployments) all.add(vertx.undeploy(deployment));
        deployments.clear();
        if (all.isEmpty()) return Future.succeededFuture();
        return world.within(Future.join(all), world.stepMs(), "its stop").transform(done -> {
            if (done.failed() && done.cause() instanceof Plugin.Late) group.interrupt(); // waiting threads may give up
            return Future.succeededFuture();
        });
    }

    /** Closes everything that was opened here; completed when all threads have ended or the time is over. */
    Future<Void> close(Plugin.World world, @Nullable URLClassLoader classes) {
        long looks = 1 + world.graceMs() / LOOK_MS;
        return world.within(vertx.close(), world.graceMs(), "its close")
                .transform(_ -> ended(world, looks))
                .compose(all -> {
                    if (all) return Future.succeededFuture(true);
                    group.interrupt();
                    return ended(world, looks);
                })
                .transform(_ -> world.home(world.node().executeBlocking(() -> close(classes))))
                .otherwiseEmpty();
    }

    private static @Nullable Void close(@Nullable URLClassLoader classes) throws IOException {
        if (classes != null) classes.close();
        return null;
    }

    private Future<Boolean> ended(Plugin.World world, long looks) {
        if (group.activeCount() == 0) return Future.succeededFuture(true);
        if (looks == 0) return Future.succeededFuture(false);
        return world.home(world.node().timer(LOOK_MS, TimeUnit.MILLISECONDS)).compose(_ -> ended(world, looks - 1));
    }

    private List<Thread> threads() {
        Thread[] found = new Thread[group.activeCount() + 16];
        int n = group.enumerate(found, true);
        return Arrays.asList(found).subList(0, n);
    }

    /** Whether none of its threads runs. */
    boolean isGone() {
        return group.activeCount() == 0;
    }

    /**
     * The threads that still run, each with its position in the code; at most {@link #TOLD_MAX} and the number of the others.
     */
    List<String> left() {
        List<String> out = new ArrayList<>();
        List<Thread> all = threads();
        for (Thread thread : all) {
            if (out.size() == TOLD_MAX) {
                out.add("and " + (all.size() - TOLD_MAX) + " more");
                break;
            }
            // Vert.x's own threads end with the instance, which waits for the others.
            if (!thread.getName().startsWith("vertx-")) out.add("thread " + thread.getName() + at(thread));
        }
        return out;
    }

    /** The innermost frame that is not of the JDK, Netty or Vert.x, else the innermost of all. */
    private static String at(Thread thread) {
        StackTraceElement[] stack = thread.getStackTrace();
        for (StackTraceElement frame : stack) {
            String c = frame.getClassName();
            boolean library = c.startsWith("java.")
                    || c.startsWith("jdk.")
                    || c.startsWith("sun.")
                    || c.startsWith("io.netty.")
                    || c.startsWith("io.vertx.");
            if (!library) return " at " + text(frame);
        }
        return stack.length == 0 ? "" : " at " + text(stack[0]);
    }

    private static String text(StackTraceElement frame) {
        return frame.getClassName() + "." + frame.getMethodName() + ":" + frame.getLineNumber();
    }

    /** Whether one of its threads is ending the process. */
    boolean isExiting() {
        for (Thread thread : threads()) {
            for (StackTraceElement frame : thread.getStackTrace()) {
                if (frame.getClassName().equals("java.lang.Shutdown")) return true;
            }
        }
        return false;
    }
}
