package mcc.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import mcc.node.NodeEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginTest {
    @TempDir
    Path folder;

    private final Vertx node = Vertx.vertx();
    private final Vertx second = await(PluginVertx.start());
    private final Context home = node.getOrCreateContext();
    private final Permits permits = new Permits((_, _) -> {});
    private final List<NodeEvent> events = java.util.Collections.synchronizedList(new ArrayList<>());
    private final Plugin.World world = world(30_000);

    private Plugin.World world(long stepMs) {
        return new Plugin.World(node, home, second, permits, events::add, _ -> {}, stepMs);
    }

    @AfterEach
    void close() {
        await(second.close());
        await(node.close());
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(30, TimeUnit.SECONDS)
                .join();
    }

    /** Runs a step where plugins live. */
    private <T> T at(Supplier<Future<T>> step) {
        io.vertx.core.Promise<T> done = io.vertx.core.Promise.promise();
        home.runOnContext(_ -> step.get().onComplete(done));
        return await(done.future());
    }

    private Plugin plugin(String verticle) {
        String manifest =
                Jars.manifest("p", verticle, List.of("curious.ask"), List.of()).encode();
        Path jar = Jars.put(folder, "p", Jars.jar(manifest, verticle));
        return new Plugin(world, "p", jar, _ -> null);
    }

    /** In a frame of its own: nothing of the plugin may stay on this test's stack. */
    private WeakReference<ClassLoader> cycle() {
        Plugin plugin = plugin("mcc.plugin.sample.Curious");
        at(plugin::start);
        assertThat(plugin.toJson().getString("state")).isEqualTo("running");
        WeakReference<ClassLoader> loader = new WeakReference<>(plugin.loader());
        at(plugin::stop);
        return loader;
    }

    @Test
    void fiftyPluginsThatCameAndWentLeaveNoClassesBehind() throws Exception {
        permits.watch(second);
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        for (int i = 0; i < 50; i++) loaders.add(cycle());
        assertThat(second.deploymentIDs()).isEmpty();
        assertThat(permits.isServed("curious.ask")).isFalse();
        // Both loops do something else, so that nothing of the last plugin is on their stacks.
        for (int i = 0; i < 20; i++) {
            CountDownLatch done = new CountDownLatch(2);
            second.runOnContext(_ -> done.countDown());
            node.runOnContext(_ -> done.countDown());
            assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        }
        for (int i = 0; i < 20 && loaders.stream().anyMatch(l -> l.get() != null); i++) System.gc();
        assertThat(loaders.stream().filter(l -> l.get() != null)).isEmpty();
    }

    @Test
    void aStartThatFailsIsTriedAgainUntilStopped() {
        Plugin plugin = plugin("mcc.plugin.sample.Thrower");
        at(plugin::start);
        assertThat(plugin.toJson().getString("state")).isEqualTo("backoff");
        assertThat(plugin.toJson().getString("failure")).contains("thrown in the constructor");
        at(plugin::stop);
        assertThat(second.deploymentIDs()).isEmpty();
        assertThat(events).extracting(NodeEvent::type).containsOnly("plugin.failed");
    }

    @Test
    void whatIsBeingRemovedIsNotStartedAgain() {
        Plugin plugin = plugin("mcc.plugin.sample.Curious");
        at(plugin::start);
        String refused = at(() -> {
            Future<Void> stopped = plugin.stop();
            Future<String> restarted = plugin.restart().map("started").otherwise(Throwable::getMessage);
            return stopped.compose(_ -> restarted);
        });
        assertThat(refused).contains("'p' is being removed");
        assertThat(second.deploymentIDs()).isEmpty();
    }

    /** Starts and stops when properties of this test say so. */
    private Plugin slow(long stepMs) {
        String manifest = Jars.manifest("slow", "mcc.plugin.sample.Slow", List.of(), List.of())
                .encode();
        Path jar = Jars.put(folder, "slow", Jars.jar(manifest, "mcc.plugin.sample.Slow"));
        return new Plugin(world(stepMs), "slow", jar, _ -> null);
    }

    @Test
    void aStartThatTakesTooLongIsAFailureAndLeavesNothingWhenItEndsAtLast() throws Exception {
        try {
            Plugin plugin = slow(20);
            at(plugin::start);
            assertThat(plugin.toJson().getString("state")).isEqualTo("backoff");
            assertThat(plugin.toJson().getString("failure")).contains("Timeout");
            at(plugin::stop);
            System.setProperty("mcc.test.start", "now");
            System.setProperty("mcc.test.stop", "now");
            awaitNothingDeployed();
        } finally {
            System.clearProperty("mcc.test.start");
            System.clearProperty("mcc.test.stop");
        }
    }

    @Test
    void aStopThatTakesTooLongIsNotWaitedFor() throws Exception {
        try {
            System.setProperty("mcc.test.start", "now");
            Plugin started = slow(5_000);
            at(started::start);
            assertThat(started.toJson().getString("state")).isEqualTo("running");
            at(started::stop);
            System.setProperty("mcc.test.stop", "now");
            awaitNothingDeployed();
        } finally {
            System.clearProperty("mcc.test.start");
            System.clearProperty("mcc.test.stop");
        }
    }

    private void awaitNothingDeployed() throws InterruptedException {
        CountDownLatch empty = new CountDownLatch(1);
        second.setPeriodic(5, _ -> {
            if (second.deploymentIDs().isEmpty()) empty.countDown();
        });
        assertThat(empty.await(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aJarOfNoUseIsSaidToBeSoAndStartsOnceItIsMended() {
        Path jar = Jars.put(folder, "p", Jars.jar(null));
        Plugin plugin = new Plugin(world, "p", jar, _ -> null);
        at(plugin::start);
        assertThat(plugin.toJson().getString("state")).isEqualTo("failed");
        plugin("mcc.plugin.sample.Curious");
        at(plugin::restart);
        assertThat(plugin.toJson().getString("state")).isEqualTo("running");
        assertThat(plugin.toJson().getValue("failure")).isNull();
        at(plugin::stop);
    }

    @Test
    void twoThatServeOneAddressDoNotRunTogether() {
        String manifest = Jars.manifest("p", "mcc.plugin.sample.Curious", List.of("x"), List.of())
                .encode();
        Path jar = Jars.put(folder, "p", Jars.jar(manifest, "mcc.plugin.sample.Curious"));
        Plugin plugin = new Plugin(world, "p", jar, m -> "taken: " + m.serves());
        at(plugin::start);
        assertThat(plugin.toJson().getString("failure")).isEqualTo("taken: [x]");
        assertThat(plugin.isUp()).isFalse();
    }
}
