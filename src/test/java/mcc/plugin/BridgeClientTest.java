package mcc.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.node.ApiQuery;
import mcc.node.Ask;
import mcc.node.Bus;
import mcc.node.RegistryVerticle;
import mcc.node.RegistryVerticle.Query.Watching;
import mcc.registry.ServiceName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BridgeClientTest {
    private final Vertx vertx = Vertx.vertx();
    private final Vertx node = Vertx.vertx();
    private final Context home = vertx.getOrCreateContext();
    private final Bus bus = new Bus(node);
    private final NodeCalls calls = new NodeCalls(bus, node.getOrCreateContext());
    private final Watches watches = new Watches(calls);
    private final Gate gate = new Gate(home, calls, watches);
    private final Switchboard board = new Switchboard(gate, (_, _) -> {});
    private final Bridge bridge = new Bridge(gate, watches, board);
    private final List<JsonObject> out = Collections.synchronizedList(new ArrayList<>());
    private final BridgeClient client = new BridgeClient(
            "bridge/1",
            "Bearer socket",
            new BridgeClient.World(bridge, gate, board),
            text -> out.add(new JsonObject(text)));

    @AfterEach
    void close() throws Exception {
        await(vertx.close());
        await(node.close());
    }

    private static void await(Future<?> future) throws Exception {
        future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static Ask.Reply done(RegistryVerticle.Query query) {
        return ((Watching) query).reply(List.of());
    }

    private static Ask.Reply never(ApiQuery query) {
        return switch (query) {
            case ApiQuery.Call q ->
                q.replyOnce(Promise.<ApiQuery.Answer>promise().future());
        };
    }

    private JsonObject last() {
        return out.getLast();
    }

    @Test
    void aClientListensToABoundedNumberOfAddresses() {
        for (int i = 0; i < BridgeClient.ADDRESSES_MAX; i++) {
            client.onText("{\"type\":\"register\",\"address\":\"mcc.api.events.a" + i + "\"}");
        }
        assertThat(out).isEmpty();
        client.onText("{\"type\":\"register\",\"address\":\"mcc.api.events.b\"}");
        assertThat(last().getString("body")).isEqualTo("max_handlers_reached");
        client.onText("{\"type\":\"unregister\",\"address\":\"mcc.api.events.a0\"}");
        assertThat(client.addresses()).doesNotContain("mcc.api.events.a0");
        client.onText("{\"type\":\"register\",\"address\":\"mcc.api.events.b\"}");
        assertThat(client.addresses()).contains("mcc.api.events.b");
    }

    @Test
    void aClientWatchesABoundedNumberOfServices() throws Exception {
        bus.serve(Bus.REGISTRY, BridgeClientTest::done);
        for (int i = 0; i <= Watches.MAX; i++) {
            watch("s" + i);
            await(answered(i + 1));
        }
        assertThat(out.getFirst().getJsonObject("body").getString("service")).isEqualTo("open/s0");
        assertThat(last().getInteger("failureCode")).isEqualTo(429);
        assertThat(last().getString("message")).contains("watched already");
    }

    @Test
    void aWatchThatTheNodeRefusesIsToldAndNeverEnded() throws Exception {
        List<Object> asked = Collections.synchronizedList(new ArrayList<>());
        bus.serve(Bus.REGISTRY, query -> {
            asked.add(query);
            Watching watching = (Watching) query;
            return watching.reply(watching.services());
        });
        watch("web");
        await(answered(1));
        assertThat(last().getInteger("failureCode")).isEqualTo(503);
        home.runOnContext(_ -> watches.left("bridge/1"));
        watch("web");
        await(answered(2));
        var web = List.of(new ServiceName("open", "web"));
        var asks = new Watching("plugins", web);
        assertThat(asked).containsExactly(new Watching("plugins", List.of()), asks, asks);
    }

    @Test
    void aWatchIsEndedOnceAndOnlyByWhoHoldsIt() throws Exception {
        List<Object> asked = Collections.synchronizedList(new ArrayList<>());
        bus.serve(Bus.REGISTRY, query -> {
            asked.add(query);
            return done(query);
        });
        send("mcc.api.unwatch", "web");
        await(answered(1));
        send("mcc.api.watch", "web");
        await(answered(2));
        send("mcc.api.unwatch", "web");
        await(answered(3));
        send("mcc.api.unwatch", "web");
        await(answered(4));
        home.runOnContext(_ -> watches.left("bridge/1"));
        send("mcc.api.watch", "db");
        await(answered(5));
        var none = new Watching("plugins", List.of());
        assertThat(asked)
                .containsExactly(
                        none,
                        new Watching("plugins", List.of(new ServiceName("open", "web"))),
                        none,
                        new Watching("plugins", List.of(new ServiceName("open", "db"))));
    }

    private void watch(String service) {
        send("mcc.api.watch", service);
    }

    private void send(String address, String service) {
        home.runOnContext(_ -> client.onText("{\"type\":\"send\",\"address\":\"" + address
                + "\",\"replyAddress\":\"r\","
                + "\"body\":{\"service\":\"" + service + "\"}}"));
    }

    /** Ends once so many frames were sent to the client. */
    private Future<?> answered(int frames) {
        Promise<Void> promise = Promise.promise();
        // From the context on which the timer fires: else it may fire before it can be cancelled, and Vert.x throws.
        home.runOnContext(_ -> vertx.setPeriodic(1, id -> {
            if (out.size() < frames) return;
            vertx.cancelTimer(id);
            promise.tryComplete();
        }));
        return promise.future();
    }

    @Test
    void aClientWaitsForABoundedNumberOfAnswers() {
        bus.serve(Bus.API, BridgeClientTest::never);
        for (int i = 0; i <= BridgeClient.REQUESTS_MAX; i++) {
            client.onText("{\"type\":\"send\",\"address\":\"mcc.api.getNode\",\"replyAddress\":\"r" + i + "\"}");
        }
        assertThat(out).hasSize(1);
        assertThat(last().getInteger("failureCode")).isEqualTo(429);
    }

    @Test
    void theTokenOfAFrameBeatsThatOfTheSocket() throws Exception {
        List<String> tokens = new ArrayList<>();
        Promise<Void> both = Promise.promise();
        bus.serve(Bus.API, query -> {
            ApiQuery.Call call = (ApiQuery.Call) query;
            assertThat(call.trusted()).isFalse();
            tokens.add(call.authorization());
            if (tokens.size() == 2) both.complete();
            return call.reply(new ApiQuery.Answer(200, new JsonObject()));
        });
        client.onText("{\"type\":\"send\",\"address\":\"mcc.api.x\"}");
        client.onText("{\"type\":\"send\",\"address\":\"mcc.api.x\",\"headers\":{\"token\":\"t\"}}");
        await(both.future());
        assertThat(tokens).containsExactly("Bearer socket", "Bearer t");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                             | type_required",
                "{'type':null}                  | type_required",
                "{'type':'ping','address':null} | pong",
                "{'type':'send','address':null} | address_required",
                "{'type':'send','address':'mcc.api.watch','headers':null} | failed",
                "{'type':'publish','address':'a','headers':null} | access_denied",
                "{'type':'send','address':'a','body':123456789012345678901234567890} | failed",
                "{'address':'a'}                | type_required",
                "{'type':'send'}                | address_required",
                "{'type':'nap','address':'a'}   | unknown_type",
                "{'type':'send','address':'a'}  | access_denied",
                "{'type':'send','address':'mcc.api.watch'} | failed"
            })
    void aFrameThatIsNotTakenIsAnsweredByWhatItLacks(String frame, String says) {
        client.onText(frame.replace('\'', '"'));
        boolean pong = says.equals("pong");
        assertThat(last()).isEqualTo(pong ? JsonObject.of("type", "pong") : JsonObject.of("type", "err", "body", says));
    }

    @Test
    void whatWaitsForAnAnswerIsBoundedInBytesToo() {
        bus.serve(Bus.API, BridgeClientTest::never);
        String body = "x".repeat(BridgeClient.ASKED_CHARACTERS / 4);
        for (int i = 0; i < 4; i++) {
            client.onText("{\"type\":\"send\",\"address\":\"mcc.api.getNode\",\"replyAddress\":\"r\","
                    + "\"body\":{\"a\":\"" + body + "\"}}");
        }
        assertThat(out).hasSize(1);
        assertThat(last().getInteger("failureCode")).isEqualTo(429);
    }

    @Test
    void noAddressIsLongerThanAnAddressIs() {
        client.onText("{\"type\":\"register\",\"address\":\"mcc.api.events." + "x".repeat(300) + "\"}");
        assertThat(last().getString("body")).isEqualTo("access_denied");
        assertThat(client.addresses()).isEmpty();
    }

    /** The gate's loop does not come to tell any of them: what is published meanwhile is bounded. */
    @Test
    void whatWaitsToBeToldIsBounded() {
        bridge.listen("news", client);
        CountDownLatch busy = new CountDownLatch(1);
        home.runOnContext(_ -> {
            try {
                busy.await();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
        for (int i = 0; i < Bridge.WAITING_MAX + 5; i++) bridge.publish("news", "small");
        busy.countDown();
        PluginTest.until(() -> out.size() == Bridge.WAITING_MAX);
        assertThat(bridge.counts()).contains(new Counters.Count("bridge.publications.dropped", 5));
        bridge.publish("news", "y".repeat(Bridge.FRAME_MAX));
        PluginTest.until(() -> out.size() == Bridge.WAITING_MAX + 1);
        assertThat(last()).isEqualTo(JsonObject.of("type", "err", "address", "news", "body", "too_large"));
    }

    /** Whatever comes, the client is told or not, and nothing is thrown. */
    @Test
    void framesOfAnyShapeAreTakenInStride() {
        Rng rng = Rng.seeded(new byte[32]);
        String[] good = {
            "{\"type\":\"send\",\"address\":\"mcc.api.watch\",\"replyAddress\":\"r\",\"headers\":{\"token\":\"t\"},\"body\":{\"service\":\"s\"}}",
            "{\"type\":\"register\",\"address\":\"mcc.api.events.x\"}",
            "{\"type\":\"publish\",\"address\":\"a\",\"body\":[1,2]}"
        };
        for (int i = 0; i < 3_000; i++) {
            byte[] bytes = good[i % good.length].getBytes(StandardCharsets.UTF_8);
            bytes[rng.below(bytes.length)] = (byte) (32 + rng.below(95));
            bytes[rng.below(bytes.length)] ^= (byte) (1 << rng.below(8));
            int length = i % 7 == 0 ? rng.below(bytes.length) : bytes.length;
            client.onText(new String(bytes, 0, length, StandardCharsets.UTF_8));
        }
        for (String odd :
                List.of("[]", "null", "{\"type\":\"send\",\"address\":\"mcc.api.x\",\"headers\":[]}", "7", "")) {
            client.onText(odd);
            assertThat(last().getString("body")).as(odd).isEqualTo("invalid_json");
        }
        assertThat(out.size()).isGreaterThan(1_000);
    }
}
