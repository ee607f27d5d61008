package mcc.plugin;

import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.Future;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.util.function.Consumer;
import mcc.node.Problem;
import org.jspecify.annotations.Nullable;

/** One verticle of a plugin: created and run in its {@link Host}, and reported when it throws or ends by itself. */
final class Hosted implements Deployable {
    private final Host host;
    private final String name;
    private final ClassLoader classes;
    private final Consumer<Throwable> failed;
    private @Nullable Deployable made;

    /** @param name of its class */
    Hosted(Host host, String name, ClassLoader classes, Consumer<Throwable> failed) {
        this.host = host;
        this.name = name;
        this.classes = classes;
        this.failed = failed;
    }

    /** Creates the verticle on its own context, as its class and constructor are the plugin's code too. */
    @Override
    public Future<?> deploy(Context context) throws Exception {
        context.exceptionHandler(failed::accept);
        try {
            Deployable verticle = constructor().newInstance();
            made = verticle;
            return verticle.deploy(context);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exception inner) throw inner;
            throw e;
        } catch (LinkageError e) {
            throw new Problem(
                    "unprocessable",
                    "class " + name + " cannot be loaded: " + e,
                    "pack what it needs into the jar, except Vert.x, slf4j and jspecify");
        }
    }

    private Constructor<? extends Deployable> constructor() {
        try {
            Class<?> c = Class.forName(name, false, classes);
            if (!Deployable.class.isAssignableFrom(c)) {
                throw new Problem("unprocessable", name + " is not a Vert.x verticle", "extend VerticleBase");
            }
            return c.asSubclass(Deployable.class).getConstructor();
        } catch (ClassNotFoundException e) {
            throw new Problem(
                    "unprocessable", "the jar has no class " + e.getMessage(), "correct 'verticles' of its manifest");
        } catch (NoSuchMethodException _) {
            throw new Problem("unprocessable", name + " has no public constructor without parameters", "add one");
        }
    }

    @Override
    public Future<?> undeploy(Context context) throws Exception {
        if (!host.isEnding()) {
            failed.accept(new IllegalStateException("it closed its Vert.x instance, or undeployed its own verticle"));
        }
        return made == null ? Future.succeededFuture() : made.undeploy(context);
    }
}
