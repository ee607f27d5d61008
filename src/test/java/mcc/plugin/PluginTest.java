package mcc.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import mcc.node.ApiQuery;
import mcc.node.Bus;
import mcc.node.NodeEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginTest {
    @TempDir
    Path folder;

    private final Vertx node = Vertx.vertx();
    private final Vertx bridging = Vertx.vertx();
    private final Context home = node.getOrCreateContext();
    private final Context there = bridging.getOrCreateContext();
    private final Bus bus = new Bus(node);
    private final Gate gate = new Gate(there, new NodeCalls(bus, home), new Watches(new NodeCalls(bus, home)));
    private final List<Object> published = Collections.synchronizedList(new ArrayList<>());
    private final Switchboard board = new Switchboard(gate, (_, body) -> published.add(String.valueOf(body)));
    private final List<NodeEvent> events = Collections.synchronizedList(new ArrayList<>());
    private final List<String> properties = new ArrayList<>();

    private Plugin.World world(long stepMs, long graceMs) {
        Trials trials = new Trials(folder.resolve("starts.json"), node::executeBlocking);
        return new Plugin.World(node, home, board, trials, events::add, _ -> {}, stepMs, graceMs, 1);
    }

    @AfterEach
    void close() {
        properties.forEach(System::clearProperty);
        await(bridging.close());
        await(node.close());
    }

    /** Sets a property for the length of a test; plugins of tests look for it. */
    private void set(String property) {
        properties.add(property);
        System.setProperty(property, "yes");
    }

    /** Waits for what comes soon. */
    static void until(BooleanSupplier comes) {
        long last = System.nanoTime() + 30_000_000_000L;
        while (!comes.getAsBoolean()) {
            if (System.nanoTime() > last) throw new AssertionError("it did not come");
            Thread.onSpinWait();
        }
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(30, TimeUnit.SECONDS)
                .join();
    }

    /** Runs a step where plugins live. */
    private <T> T at(Supplier<Future<T>> step) {
        Promise<T> done = Promise.promise();
        home.runOnContext(_ -> step.get().onComplete(done));
        return await(done.future());
    }

    private Plugin plugin(String verticle) {
        return plugin("p", verticle, "curious.ask");
    }

    private Plugin plugin(String id, String verticle, String... serves) {
        return plugin(id, verticle, 30_000, 30_000, serves);
    }

    private Plugin plugin(String id, String verticle, long stepMs, long graceMs, String... serves) {
        String manifest = Jars.manifest(id, verticle, List.of(serves), List.of("mcc.api.getNode"))
                .encode();
        Path jar = Jars.put(folder, id, Jars.jar(manifest, verticle));
        return new Plugin(world(stepMs, graceMs), id, jar, _ -> null);
    }

    private static String state(Plugin plugin) {
        return plugin.toJson().getString("state");
    }

    /** Asks a plugin, as a client of the bridge does. */
    private Future<Object> ask(String address, Object body) {
        Promise<Object> answer = Promise.promise();
        Post.to(
                there,
                () -> board.ask(address, body, MultiMap.caseInsensitiveMultiMap(), null, x -> x, there)
                        .onComplete(answer));
        return answer.future();
    }

    /** In a frame of its own: nothing of the plugin may stay on this test's stack. */
    private WeakReference<ClassLoader> cycle() {
        Plugin plugin = plugin("mcc.plugin.sample.Curious");
        at(plugin::start);
        assertThat(state(plugin)).isEqualTo("running");
        WeakReference<ClassLoader> loader = new WeakReference<>(plugin.loader());
        at(plugin::stop);
        assertThat(plugin.isGone()).isTrue();
        assertThat(state(plugin)).isEqualTo("removed");
        return loader;
    }

    @Test
    void pluginsThatCameAndWentLeaveNoClassesBehind() throws Exception {
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        for (int i = 0; i < 4; i++) loaders.add(cycle());
        assertThat(board.isServed("curious.ask")).isFalse();
        // The loop does something else, so that nothing of the last plugin is on its stack.
        for (int i = 0; i < 20; i++) at(Future::succeededFuture);
        for (int i = 0; i < 20 && loaders.stream().anyMatch(l -> l.get() != null); i++) System.gc();
        assertThat(loaders.stream().filter(l -> l.get() != null)).isEmpty();
    }

    @Test
    void aStartThatFailsIsTriedAgainUntilStopped() {
        Plugin plugin = plugin("mcc.plugin.sample.Thrower");
        at(plugin::start);
        assertThat(state(plugin)).isEqualTo("backoff");
        assertThat(plugin.toJson().getString("failure")).contains("thrown in the constructor");
        at(plugin::stop);
        assertThat(plugin.isGone()).isTrue();
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
        assertThat(plugin.isGone()).isTrue();
    }

    /** Starts and stops when properties of this test say so. */
    private Plugin slow(long stepMs) {
        return plugin("slow", "mcc.plugin.sample.Slow", stepMs, 30_000);
    }

    @Test
    void aStartThatTakesTooLongIsAFailureAndLeavesNothing() {
        set("mcc.test.stop");
        Plugin plugin = slow(200);
        at(plugin::start);
        assertThat(state(plugin)).isEqualTo("backoff");
        assertThat(plugin.toJson().getString("failure"))
                .isEqualTo("the start of mcc.plugin.sample.Slow took over 200 ms");
        at(plugin::stop);
        assertThat(plugin.isGone()).isTrue();
    }

    @Test
    void aStopThatTakesTooLongIsNotWaitedFor() {
        set("mcc.test.start");
        Plugin started = slow(500);
        at(started::start);
        assertThat(state(started)).isEqualTo("running");
        at(started::stop);
        assertThat(started.isGone()).isTrue();
    }

    @Test
    void aStopThatBlocksIsBrokenOff() {
        Plugin plugin = plugin("p", "mcc.plugin.sample.Stubborn", 500, 30_000);
        at(plugin::start);
        at(plugin::stop);
        assertThat(state(plugin)).isEqualTo("removed");
        assertThat(plugin.isGone()).isTrue();
    }

    @Test
    void whatNothingEndsIsToldAndTheOthersGoOn() {
        set("mcc.test.stubborn");
        Plugin plugin = plugin("p", "mcc.plugin.sample.Stubborn", 200, 100);
        at(plugin::start);
        at(plugin::stop);
        assertThat(state(plugin)).isEqualTo("stuck");
        assertThat(plugin.isGone()).isFalse();
        assertThat(plugin.toJson().getJsonArray("left").encode()).contains("mcc.plugin.sample.Stubborn.stop");
        assertThat(plugin.toJson().getString("failure")).contains("only a restart of the node ends them");
        Plugin other = plugin("q", "mcc.plugin.sample.Chatty", "chatty.large");
        at(other::start);
        assertThat(await(ask("chatty.large", 3))).isEqualTo("xxx");
        at(plugin::replace);
        assertThat(state(plugin)).as("a better jar runs beside what is left").isEqualTo("running");
        assertThat(plugin.toJson().getJsonArray("left").encode()).contains("Stubborn.stop");
        set("mcc.test.release");
        at(plugin::stop);
        at(other::stop);
        until(() -> at(() -> Future.succeededFuture(plugin.isGone())));
        assertThat(plugin.left()).isEmpty();
    }

    @Test
    void oneThatLeavesThreadsEachTimeIsNotStartedForEver() {
        set("mcc.test.leak");
        Plugin plugin = plugin("p", "mcc.plugin.sample.Leaker", 30_000, 100);
        at(plugin::start);
        for (int i = 0; i < Plugin.LEFT_MAX - 1; i++) {
            at(plugin::restart);
            assertThat(state(plugin)).isEqualTo("running");
        }
        assertThat(plugin.toJson().getJsonArray("left").encode()).contains("thread leaker at mcc.plugin.sample.Leaker");
        at(plugin::restart);
        assertThat(state(plugin)).isEqualTo("stuck");
        set("mcc.test.release");
        until(() -> at(() -> Future.succeededFuture(plugin.left().isEmpty())));
        at(plugin::restart);
        assertThat(state(plugin)).isEqualTo("running");
        at(plugin::stop);
    }

    @Test
    void aServerThatNoVerticleOwnsIsClosedWithItsPlugin() throws Exception {
        Plugin plugin = plugin("p", "mcc.plugin.sample.Leaker");
        at(plugin::start);
        int port = Integer.getInteger("mcc.test.port");
        try (Socket socket = new Socket("127.0.0.1", port)) {
            assertThat(socket.getInputStream().read()).isEqualTo('s');
        }
        at(plugin::stop);
        assertThatThrownBy(() -> new Socket("127.0.0.1", port).close()).isInstanceOf(ConnectException.class);
    }

    @Test
    void oneThatClosesItsVertxIsStartedAgainAndNobodyElseNotices() {
        Plugin other = plugin("q", "mcc.plugin.sample.Chatty", "chatty.large");
        Plugin plugin = plugin("p", "mcc.plugin.sample.Closer", "closer.close");
        at(other::start);
        at(plugin::start);
        Future<Object> lost = ask("closer.close", "now");
        until(() -> List.copyOf(events).stream().anyMatch(e -> e.type().equals("plugin.restarted")));
        assertThat(events.stream().map(NodeEvent::data).map(JsonObject::encode))
                .anyMatch(said -> said.contains("it closed its Vert.x instance"));
        assertThat(state(plugin)).isEqualTo("running");
        assertThat(await(ask("chatty.large", 1))).isEqualTo("x");
        at(plugin::stop);
        at(other::stop);
        assertThat(lost.succeeded()).isFalse();
    }

    @Test
    void oneThatIsBlockedHoldsNobodyElseAndTakesABoundedNumberOfMessages() {
        Plugin other = plugin("q", "mcc.plugin.sample.Chatty", "chatty.large");
        Plugin plugin = plugin("p", "mcc.plugin.sample.Blocked", 200, 30_000, "blocked.ask");
        at(other::start);
        at(plugin::start);
        List<Future<Object>> asked = new ArrayList<>();
        for (int i = 0; i < Line.WAITING_MAX + 100; i++) asked.add(ask("blocked.ask", "x"));
        assertThat(await(ask("chatty.large", 2))).isEqualTo("xx");
        assertThat(asked.stream().filter(Future::failed).count())
                .as("at least these, whatever was seen before it blocked")
                .isGreaterThanOrEqualTo(90);
        assertThat(asked.stream().filter(Future::failed).map(Future::cause))
                .allMatch(e -> e instanceof Refused r && r.status() == 503);
        at(plugin::stop);
        assertThat(plugin.isGone()).isTrue();
        at(other::stop);
    }

    @Test
    void callsOfOnePluginAtATimeAreBounded() {
        List<Promise<ApiQuery.Answer>> open = new ArrayList<>();
        bus.serve(Bus.API, query -> {
            Promise<ApiQuery.Answer> answer = Promise.promise();
            open.add(answer);
            if (open.size() == Line.CALLS_MAX) {
                open.forEach(each -> each.complete(new ApiQuery.Answer(200, new JsonObject())));
            }
            return ((ApiQuery.Call) query).replyOnce(answer.future());
        });
        Plugin plugin = plugin("p", "mcc.plugin.sample.Chatty", "chatty.ask");
        at(plugin::start);
        assertThat(await(ask("chatty.ask", Line.CALLS_MAX + 7))).isEqualTo(7);
        at(plugin::stop);
    }

    @Test
    void aJarOfNoUseIsSaidToBeSoAndStartsOnceItIsMended() {
        Path jar = Jars.put(folder, "p", Jars.jar(null));
        Plugin plugin = new Plugin(world(30_000, 30_000), "p", jar, _ -> null);
        at(plugin::start);
        assertThat(state(plugin)).isEqualTo("failed");
        plugin("mcc.plugin.sample.Curious");
        at(plugin::restart);
        assertThat(state(plugin)).isEqualTo("running");
        assertThat(plugin.toJson().getValue("failure")).isNull();
        at(plugin::stop);
    }

    @Test
    void twoThatServeOneAddressDoNotRunTogether() {
        String manifest = Jars.manifest("p", "mcc.plugin.sample.Curious", List.of("x"), List.of())
                .encode();
        Path jar = Jars.put(folder, "p", Jars.jar(manifest, "mcc.plugin.sample.Curious"));
        Plugin plugin = new Plugin(world(30_000, 30_000), "p", jar, m -> "taken: " + m.serves());
        at(plugin::start);
        assertThat(plugin.toJson().getString("failure")).isEqualTo("taken: [x]");
        assertThat(plugin.isUp()).isFalse();
    }

    @Test
    void aJarThatWasOnTrialWhenTheNodeEndedThreeTimesIsLeftOutUntilSomebodyAsks() {
        for (int i = 0; i < Trials.EXITS_MAX; i++) {
            Trials trials = new Trials(folder.resolve("starts.json"), node::executeBlocking);
            at(trials::load);
            at(() -> trials.begin("p", stamp())); // and no more
        }
        Trials trials = new Trials(folder.resolve("starts.json"), node::executeBlocking);
        at(trials::load);
        Plugin.World w = new Plugin.World(node, home, board, trials, events::add, _ -> {}, 30_000, 30_000, 1);
        Plugin plugin = new Plugin(w, "p", jar(), _ -> null);
        at(plugin::start);
        assertThat(state(plugin)).isEqualTo("quarantined");
        assertThat(plugin.toJson().getString("failure")).contains("ended 3 times");
        at(plugin::restart);
        assertThat(state(plugin)).isEqualTo("running");
        at(plugin::tried);
        assertThat(trials.exits("p", stamp())).isZero();
        at(plugin::stop);
    }

    private Path jar() {
        Path jar = folder.resolve("p.jar");
        return Files.exists(jar) ? jar : plugin("mcc.plugin.sample.Curious").jar();
    }

    private String stamp() {
        try {
            return Plugin.stamp(jar());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
