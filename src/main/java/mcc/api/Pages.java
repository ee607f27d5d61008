package mcc.api;

import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.StaticHandler;

/** The dashboard's files, and the readable form of the contract. */
final class Pages {
    private Pages() {}

    static void mount(Router router) {
        router.get("/")
                .handler(StaticHandler.create("webroot")
                        .setIndexPage("index.html")
                        .setCachingEnabled(false));
        router.get("/ui/*").handler(StaticHandler.create("webroot").setCachingEnabled(false));
    }
}
