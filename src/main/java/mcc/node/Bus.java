package mcc.node;

import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageCodec;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import mcc.carrier.Carriers;
import mcc.consortium.PolicyEpoch;
import mcc.dht.Dht;
import mcc.link.LinkInput;
import mcc.link.LinkOutput;
import mcc.nat.Nat;
import mcc.overlay.Started;
import mcc.portmap.PortMap;
import mcc.punch.Punch;
import mcc.registry.Registry;
import mcc.relay.Relay;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All traffic between verticles, and the only class that touches the event bus.
 *
 * <p>Bodies are records of this program, passed by reference. Requests have time-outs; a failure is a {@link Problem}.
 * Datagrams, frames and stream bytes never travel on the bus.
 */
public final class Bus {
    /** An address with one kind of reader, and the type of its messages; messages that are answered are {@link Ask}s. */
    public record Address<Q>(String name) {}

    /** Inputs for the links, from other cores. */
    public static final Address<LinkInput> LINKS = new Address<>("mcc.session");
    /** Queries to the session verticle. */
    public static final Address<SessionVerticle.Query> SESSION = new Address<>("mcc.session.ask");
    /** Inputs for the DHT, from other cores. */
    public static final Address<Dht.Input> DHT_CORE = new Address<>("mcc.dht");
    /** The results of the DHT verticle's dials. */
    public static final Address<LinkOutput> DHT_HOST = new Address<>("mcc.dht.dialled");
    /** Queries to the DHT verticle. */
    public static final Address<DhtVerticle.Query> DHT = new Address<>("mcc.dht.ask");
    /** Inputs for the registry, from other cores. */
    public static final Address<Registry.Input> REGISTRY_CORE = new Address<>("mcc.registry");
    /** Queries to the registry verticle. */
    public static final Address<RegistryVerticle.Query> REGISTRY = new Address<>("mcc.registry.ask");
    /** Inputs for NAT detection, from other cores. */
    public static final Address<Nat.Input> NAT_CORE = new Address<>("mcc.nat");
    /** Queries to the NAT verticle. */
    public static final Address<NatVerticle.Query> NAT = new Address<>("mcc.nat.ask");
    /** Inputs for relays, from other cores. */
    public static final Address<Relay.Input> RELAY_CORE = new Address<>("mcc.relay");
    /** Queries to the relay verticle. */
    public static final Address<RelayVerticle.Query> RELAY = new Address<>("mcc.relay.ask");
    /** Inputs for hole punching, from other cores. */
    public static final Address<Punch.Input> PUNCH_CORE = new Address<>("mcc.punch");
    /** Queries to the verticle of hole punching. */
    public static final Address<PunchVerticle.Query> PUNCH = new Address<>("mcc.punch.ask");
    /** Inputs for port mapping, from other cores. */
    public static final Address<PortMap.Input> PORTMAP_CORE = new Address<>("mcc.portmap");
    /** Queries to the verticle of port mapping. */
    public static final Address<PortMapVerticle.Query> PORTMAP = new Address<>("mcc.portmap.ask");
    /** Inputs for carriers, from other cores. */
    public static final Address<Carriers.Input> CARRIERS_CORE = new Address<>("mcc.carriers");
    /** Queries to the verticle of carriers. */
    public static final Address<CarrierVerticle.Query> CARRIERS = new Address<>("mcc.carriers.ask");
    /** Addresses on this host's links where nodes of the network were heard. */
    public static final Address<mcc.core.Address> NEIGHBOURS = new Address<>("mcc.lan.heard");
    /** Queries to the verticle of discovery on the link. */
    public static final Address<LanVerticle.Query> LAN = new Address<>("mcc.lan.ask");
    /** Queries about the policy in force. */
    public static final Address<Policies.Query> POLICY = new Address<>("mcc.policy.ask");
    /** New epochs of the policy, published. */
    public static final Address<PolicyEpoch> EPOCHS = new Address<>("mcc.policy");
    /** Queries to the store. */
    public static final Address<StoreVerticle.Query> STORE = new Address<>("mcc.store");
    /** Streams that peers opened. */
    public static final Address<StreamPort> INCOMING = new Address<>("mcc.tunnel.incoming");
    /** This node's registrations, published whenever they change. */
    public static final Address<RegistryVerticle.Offers> OFFERS = new Address<>("mcc.registry.offers");
    /** A core was started, for the first time or again; published so that those who told it something tell it again. */
    public static final Address<Started> STARTED = new Address<>("mcc.started");
    /** Where the node listens for its endpoints, published repeatedly. */
    public static final Address<SessionVerticle.Listeners> LISTENERS = new Address<>("mcc.tunnel.listeners");
    /** Operations of the REST interface, for callers that do not use HTTP. */
    public static final Address<ApiQuery> API = new Address<>("mcc.rest.ask");
    /** Queries to the plugins. */
    public static final Address<PluginQuery> PLUGINS = new Address<>("mcc.plugins.ask");
    /** Clients of the event-bus bridge. */
    public static final Address<PluginQuery.Client> BRIDGE = new Address<>("mcc.bridge");
    /** Events, numbered and in the form of the REST interface, published. Readers must not change them. */
    public static final Address<JsonObject> NUMBERED_EVENTS = new Address<>("mcc.events.numbered");
    /** Events, published. */
    public static final Address<NodeEvent> EVENTS = new Address<>("mcc.events");

    /** Messages that may wait at one address before {@link #offer} refuses more. */
    public static final int CREDIT = 1_024;

    private static final Logger LOG = LoggerFactory.getLogger(Bus.class);
    /** How long a query's answer may take once the node has started. */
    static final long ANSWER_MS = 15_000;

    private static final String CODEC = "mcc";

    private final EventBus bus;
    private final Map<String, Credit> credits = new ConcurrentHashMap<>();
    private volatile long answerMs = ANSWER_MS;

    /** Counts the messages that wait for the one reader of an address. */
    private static final class Credit {
        private final AtomicInteger waiting = new AtomicInteger();

        void take() {
            waiting.incrementAndGet();
        }

        boolean offer() {
            return waiting.getAndUpdate(n -> n < CREDIT ? n + 1 : n) < CREDIT;
        }

        void give() {
            waiting.decrementAndGet();
        }
    }

    /** Wraps the bus of a Vertx instance; registers the codec. */
    public Bus(Vertx vertx) {
        bus = vertx.eventBus();
        bus.registerCodec(new ByReference());
        bus.codecSelector(body -> body.getClass().getName().startsWith("mcc.") ? CODEC : null);
    }

    /** Sets how long an answer may take from now on, in milliseconds. */
    void answerWithin(long ms) {
        answerMs = ms;
    }

    long answerMs() {
        return answerMs;
    }

    /** Sends a message without waiting for an answer. */
    public <Q> void send(Address<Q> to, Q body) {
        Credit credit = credits.get(to.name());
        if (credit != null) credit.take();
        post(to, body);
    }

    /**
     * Sends a message caused by peers, unless {@link #CREDIT} messages already wait there; returns whether it did. The bus
     * itself would queue without limit; what peers send may get lost here just as on its way.
     */
    public <Q> boolean offer(Address<Q> to, Q body) {
        Credit credit = credits.get(to.name());
        if (credit != null && !credit.offer()) return false;
        post(to, body);
        return true;
    }

    private void post(Address<?> to, Object body) {
        bus.send(to.name(), body, new DeliveryOptions().setCodecName(CODEC));
    }

    /** Sends a query and waits for its answer; fails with a {@link Problem}. */
    public <A, Q extends Ask<A>> Future<A> ask(Address<? super Q> to, Q question) {
        DeliveryOptions options = new DeliveryOptions().setCodecName(CODEC).setSendTimeout(answerMs);
        return bus.<Answer<A>>request(to.name(), question, options)
                .compose(reply -> {
                    Answer<A> answer = reply.body();
                    Throwable failure = answer.failure();
                    return failure == null ? Future.succeededFuture(answer.value()) : Future.failedFuture(failure);
                })
                .recover(e -> Future.failedFuture(problem(to, e)));
    }

    /** Sends a message to all readers of an address. */
    public <Q> void publish(Address<Q> to, Q body) {
        bus.publish(to.name(), body, new DeliveryOptions().setCodecName(CODEC));
    }

    /** Reads the messages of an address, on the caller's context. */
    public <Q> MessageConsumer<Q> on(Address<Q> address, Consumer<Q> handler) {
        Credit credit = new Credit(); // for a new reader: what its predecessor left unread is gone
        credits.put(address.name(), credit);
        return bus.localConsumer(address.name(), (Message<Q> message) -> {
            credit.give();
            handler.accept(message.body());
        });
    }

    /**
     * Answers the queries at an address, on the caller's context. A handler that throws is assumed to have changed nothing:
     * the failure is the answer and all goes on, unless a core broke, in which case the exception is thrown on after the
     * answer.
     */
    public <Q> MessageConsumer<Q> serve(Address<Q> address, Function<Q, Ask.Reply> handler) {
        return bus.localConsumer(address.name(), (Message<Q> message) -> answer(handler, message));
    }

    private static <Q> void answer(Function<Q, Ask.Reply> handler, Message<Q> message) {
        Ask.Reply reply;
        try {
            reply = handler.apply(message.body());
        } catch (Problem p) {
            reply = Ask.Reply.failed(p);
        } catch (RuntimeException e) {
            LOG.error("a query at {} could not be answered", message.address(), e);
            reply(message, Future.failedFuture(unforeseen(e)));
            if (e instanceof Broken) throw e;
            return;
        }
        reply.answer().onComplete(done -> reply(message, done));
    }

    private static Problem unforeseen(Throwable e) {
        String what = "the node failed to do this: " + e.getClass().getSimpleName();
        return new Problem("overloaded", what, "see the node's log, and report it");
    }

    private static void reply(Message<?> message, AsyncResult<?> done) {
        message.reply(new Answer<>(done.result(), done.cause()), new DeliveryOptions().setCodecName(CODEC));
    }

    private record Answer<A>(@Nullable A value, @Nullable Throwable failure) {}

    private static Throwable problem(Address<?> to, Throwable e) {
        if (e instanceof ReplyException r && r.failureType() == ReplyFailure.NO_HANDLERS) {
            return new Problem("node-not-ready", to.name() + " is not running now", "try again in a second");
        }
        if (e instanceof ReplyException r && r.failureType() == ReplyFailure.TIMEOUT) {
            return new Problem("overloaded", to.name() + " did not answer in time", "try again");
        }
        return e;
    }

    /** Passes records of this program by reference. */
    private static final class ByReference implements MessageCodec<Object, Object> {
        @Override
        public void encodeToWire(Buffer buffer, Object body) {
            throw new IllegalStateException("MCC's bus does not leave its process");
        }

        @Override
        public Object decodeFromWire(int pos, Buffer buffer) {
            throw new IllegalStateException("MCC's bus does not leave its process");
        }

        @Override
        public Object transform(Object body) {
            return body;
        }

        @Override
        public String name() {
            return CODEC;
        }

        @Override
        public byte systemCodecID() {
            return -1;
        }
    }
}
