package mcc.api;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.file.AsyncFile;
import io.vertx.core.file.OpenOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.nio.file.Path;
import java.util.UUID;
import mcc.node.Bus;
import mcc.node.Node;
import mcc.node.PluginQuery;
import mcc.node.Problem;

/** {@code POST /plugins}: streams a jar into the plugins folder and has it deployed; must be enabled in the settings. */
final class Uploads {
    /** The longest jar, in bytes. */
    static final long JAR_BYTES = 32L << 20;

    private static final int AT_A_TIME = 4;

    private final Vertx vertx;
    private final Node.Parts parts;
    private final Guard guard;
    private int running;

    Uploads(Vertx vertx, Node.Parts parts, Guard guard) {
        this.vertx = vertx;
        this.parts = parts;
        this.guard = guard;
    }

    void mount(Router router) {
        router.post("/api/v1/plugins").handler(this::take);
    }

    private void take(RoutingContext rc) {
        HttpServerRequest request = rc.request();
        try {
            check(request);
        } catch (Problem p) {
            refuse(rc, p);
            return;
        }
        request.pause();
        running++;
        Path folder = parts.data().resolve("plugins");
        Path file = folder.resolve("upload-" + UUID.randomUUID() + ".part");
        vertx.fileSystem()
                .mkdirs(folder.toString(), "rwx------")
                .compose(_ -> vertx.fileSystem()
                        .open(
                                file.toString(),
                                new OpenOptions().setCreateNew(true).setPerms("rw-------")))
                .compose(to -> receive(request, to))
                .compose(_ -> parts.bus().ask(Bus.PLUGINS, new PluginQuery.Deploy(file)))
                .onComplete(_ -> {
                    running--;
                    vertx.fileSystem().delete(file.toString()); // gone already if it became a plugin
                })
                .onComplete(RestRoutes.contained(
                        request,
                        plugin -> rc.response()
                                .setStatusCode(201)
                                .putHeader("Content-Type", "application/json")
                                .end(plugin.toBuffer()),
                        e -> refuse(rc, e)));
    }

    private void check(HttpServerRequest request) {
        guard.checkScope("plugins", request.getHeader("Authorization"));
        if (!parts.settings().flag("plugins.upload")) {
            throw new Problem(
                    "policy-denied",
                    "this node accepts no plugins by REST",
                    "start it with --plugins-upload, or put the jar into DATA/plugins");
        }
        String type = request.getHeader("Content-Type");
        if (!"application/java-archive".equals(type)) {
            throw new Problem(
                    "unsupported-media-type",
                    "the request is " + type,
                    "send the jar itself, with Content-Type: application/java-archive");
        }
        String length = request.getHeader("Content-Length");
        if (length != null && length.matches("[0-9]{1,18}") && Long.parseLong(length) > JAR_BYTES) throw tooLarge();
        if (running >= AT_A_TIME) throw new Problem("overloaded", running + " uploads are under way", "try again");
    }

    private static Problem tooLarge() {
        return new Problem("too-large", "a plugin's jar is at most " + JAR_BYTES + " bytes", "pack less into it");
    }

    /** Writes the body to the file; fails as soon as it is too long. */
    private static Future<Void> receive(HttpServerRequest request, AsyncFile to) {
        Promise<Void> done = Promise.promise();
        long[] bytes = {0};
        request.exceptionHandler(done::tryFail);
        to.exceptionHandler(done::tryFail);
        to.drainHandler(_ -> request.resume());
        request.handler(part -> {
            bytes[0] += part.length();
            if (bytes[0] > JAR_BYTES) {
                request.pause();
                done.tryFail(tooLarge());
                return;
            }
            to.write(part);
            if (to.writeQueueFull()) request.pause();
        });
        request.endHandler(_ -> done.tryComplete());
        request.resume();
        return done.future().eventually(to::close);
    }

    /** Answers, and closes the connection if more of the body would come. */
    private static void refuse(RoutingContext rc, Problem problem) {
        if (!rc.request().isEnded()) rc.response().putHeader("Connection", "close");
        RestRoutes.fail(rc, problem);
    }
}
