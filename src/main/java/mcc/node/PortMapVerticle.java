package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.overlay.Mailbox;
import mcc.overlay.Wiring;
import mcc.portmap.Gateway;
import mcc.portmap.PortMap;
import mcc.portmap.PortMapReport;
import mcc.udp.SideSocket;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hosts {@link PortMap}: tells it the default gateway, and owns the socket and the HTTP client by which routers are asked. */
public final class PortMapVerticle extends VerticleBase {
    /** Queries to this verticle. */
    public sealed interface Query {
        /** Answered by a {@link PortMapReport}. */
        record Report() implements Query, Ask<PortMapReport> {}

        record Counts() implements Query, Ask<List<Counters.Count>> {}
    }

    private static final Logger LOG = LoggerFactory.getLogger(PortMapVerticle.class);
    /** The code of the problem where a router's mapping leads nowhere. */
    static final String USELESS = "port-mapping-dead";

    /** How often the default gateway is looked at. */
    private static final long LOOK_MS = 5_000;

    private static final String MAP = "portmap";
    private static final String NONCE = "nonce";
    /** Where routers announce that they were started again (RFC 6887 section 14.1, RFC 6886 section 3.2.1). */
    private static final int ANNOUNCEMENTS = 5350;

    private static final int FETCH_MS = 5_000;
    private static final int BODY_MAX = 65_536;
    private static final int FETCHES_MAX = 4;
    /** How long the end of this node waits for the router. */
    private static final long GOODBYE_MS = 700;

    private final Bus bus;
    private final Status status;
    private final String inner;
    private final Rng rng;
    private final Counters counters = new Counters();
    private @Nullable PortMap core;
    private @Nullable CoreHost<PortMap.Input, PortMap.Output> host;
    private @Nullable Gateway gateway;
    private @Nullable SideSocket socket;
    private @Nullable SideSocket announcements;
    private @Nullable HttpClient http;
    private int fetching;
    private @Nullable Promise<Void> quiet;

    /** @param inner the name of the virtual interface, through which no router is asked */
    PortMapVerticle(Bus bus, String inner, Rng rng, Status status) {
        this.bus = bus;
        this.inner = inner;
        this.rng = rng;
        this.status = status;
    }

    @Override
    public Future<?> start() {
        return nonce().onSuccess(nonce -> {
            PortMap core = new PortMap(nonce, rng, counters);
            CoreHost<PortMap.Input, PortMap.Output> made =
                    new CoreHost<>(vertx, core, new PortMap.Input.Tick(), this::deliver);
            this.core = core;
            host = made;
            http = vertx.createHttpClient(new HttpClientOptions()
                    .setKeepAlive(false)
                    .setConnectTimeout(FETCH_MS)
                    .setMaxHeaderSize(8_192)
                    .setDecompressionSupported(false));
            bus.on(Bus.PORTMAP_CORE, made::handle);
            bus.serve(Bus.PORTMAP, this::onQuery);
            Deliveries.post(bus, Wiring.started(Mailbox.PORTMAP));
            look();
            vertx.setPeriodic(LOOK_MS, _ -> look());
        });
    }

    /** What routers know this node's mappings by; kept, or a router would take the node for another one after a restart. */
    private Future<Bytes> nonce() {
        return bus.ask(Bus.STORE, new StoreVerticle.Query.All(MAP)).compose(all -> {
            Bytes known = parse(all);
            if (known != null) return Future.succeededFuture(known);
            byte[] drawn = rng.bytes(PortMap.nonceBytes());
            String text = HexFormat.of().formatHex(drawn);
            return bus.ask(Bus.STORE, new StoreVerticle.Query.Put(MAP, NONCE, text))
                    .otherwiseEmpty() // a full disk: then it is another one next time
                    .map(Bytes.copyOf(drawn));
        });
    }

    private static @Nullable Bytes parse(Map<String, String> stored) {
        String text = stored.get(NONCE);
        if (text == null || !text.matches("[0-9a-f]{" + 2 * PortMap.nonceBytes() + "}")) return null;
        return Bytes.copyOf(HexFormat.of().parseHex(text));
    }

    @Override
    public Future<?> stop() {
        CoreHost<PortMap.Input, PortMap.Output> host = this.host;
        if (host == null) return Future.succeededFuture();
        Promise<Void> quiet = Promise.promise();
        this.quiet = quiet;
        host.handle(new PortMap.Input.Stop());
        host.close();
        status.solved(USELESS);
        if (fetching == 0) quiet.tryComplete();
        vertx.setTimer(GOODBYE_MS, _ -> quiet.tryComplete());
        return quiet.future().onComplete(_ -> closeSockets());
    }

    private void closeSockets() {
        if (socket != null) socket.close();
        if (announcements != null) announcements.close();
        socket = null;
        announcements = null;
    }

    // ---- the gateway ------------------------------------------------------------------------------------------------

    private void look() {
        bus.ask(Bus.SESSION, new SessionVerticle.Query.Listening())
                .compose(listening -> vertx.executeBlocking(() -> new Found(Routes.gateway(inner, listening))))
                .onSuccess(found -> found(found.gateway));
    }

    /** Null in a record: a future of null could not be told from none. */
    private record Found(@Nullable Gateway gateway) {}

    private void found(@Nullable Gateway now) {
        if (quiet != null || (now == null ? gateway == null : now.equals(gateway))) return;
        closeSockets();
        if (now != null && !open(now)) return; // the next look tries again
        gateway = now;
        tell(now);
    }

    private boolean open(Gateway now) {
        Address own = now.internal();
        try {
            socket = SideSocket.open(context, new Address(own.high(), own.low(), 0), false, this::arrived);
        } catch (IOException e) {
            LOG.debug("no socket to ask the router: {}", e.getMessage());
            return false;
        }
        try {
            announcements = SideSocket.open(context, Address.v4(0, ANNOUNCEMENTS), true, this::arrived);
        } catch (IOException e) {
            LOG.debug("announcements of routers are not heard: {}", e.getMessage()); // then the next renewal tells
        }
        return true;
    }

    private void tell(@Nullable Gateway now) {
        if (host != null) host.handle(new PortMap.Input.Network(now));
    }

    // ---- what routers are asked, and say ----------------------------------------------------------------------------

    private void arrived(Address from, byte[] bytes) {
        if (host != null) host.handle(new PortMap.Input.Datagram(from, Bytes.owning(bytes)));
    }

    private void deliver(PortMap.Output output) {
        switch (output) {
            case PortMap.Output.Mapped _ -> Deliveries.post(bus, Wiring.route(output));
            case PortMap.Output.Send s -> {
                boolean sent = socket != null && socket.send(s.to(), s.bytes().toArray());
                counters.add(sent ? "portmap.sent" : "portmap.not-sent");
            }
            case PortMap.Output.Fetch f -> fetch(f);
            case PortMap.Output.Changed c -> changed(c.state());
        }
    }

    private void fetch(PortMap.Output.Fetch f) {
        HttpClient http = this.http;
        if (http == null || fetching >= FETCHES_MAX) {
            vertx.runOnContext(_ -> fetched(f.ticket(), 0, ""));
            return;
        }
        counters.add("portmap.fetched");
        fetching++;
        boolean get = f.soapAction().isEmpty();
        RequestOptions options = new RequestOptions()
                .setMethod(get ? HttpMethod.GET : HttpMethod.POST)
                .setHost(f.host().host())
                .setPort(f.host().port())
                .setURI(f.path())
                .setFollowRedirects(false)
                .setTimeout(FETCH_MS);
        if (!get) {
            options.putHeader("Content-Type", "text/xml; charset=\"utf-8\"")
                    .putHeader("SOAPAction", '"' + f.soapAction() + '"');
        }
        http.request(options)
                .compose(request -> get ? request.send() : request.send(f.body()))
                .compose(this::read)
                .onComplete(done -> {
                    fetching--;
                    if (quiet != null && fetching == 0) quiet.tryComplete();
                    Page page = done.result();
                    fetched(f.ticket(), page == null ? 0 : page.status, page == null ? "" : page.body);
                });
    }

    private record Page(int status, String body) {}

    /** Reads a body to its end, {@link #FETCH_MS} at most; one that is too long is none. */
    private Future<Page> read(HttpClientResponse response) {
        Promise<Page> done = Promise.promise();
        Buffer all = Buffer.buffer();
        response.handler(part -> {
            if (all.length() + part.length() <= BODY_MAX) {
                all.appendBuffer(part);
            } else {
                counters.add("portmap.too-long");
                done.tryFail("too long");
                response.request().reset();
            }
        });
        response.exceptionHandler(done::tryFail);
        response.endHandler(
                _ -> done.tryComplete(new Page(response.statusCode(), all.toString(StandardCharsets.UTF_8))));
        long timer = vertx.setTimer(FETCH_MS, _ -> {
            if (done.tryFail("too slow")) response.request().reset();
        });
        return done.future().onComplete(_ -> vertx.cancelTimer(timer));
    }

    private void fetched(long ticket, int status, String body) {
        if (host != null) host.handle(new PortMap.Input.Fetched(ticket, status, body));
    }

    private void changed(PortMapReport.State state) {
        PortMap core = this.core;
        if (core == null) return;
        PortMapReport report = core.report(System.nanoTime());
        Address external = report.external();
        JsonObject data = new JsonObject()
                .put("state", Registrations.lower(state))
                .put("address", external == null ? null : external.toString());
        bus.publish(Bus.EVENTS, new NodeEvent("port-mapping.changed", data));
        if (state == PortMapReport.State.OK && external != null) LOG.info("the router maps {} to this node", external);
        switch (state) {
            case USELESS ->
                status.problem(
                        USELESS,
                        "warning",
                        "the router says that it maps a port to this node, and nothing comes through it",
                        "restart the router, or forward a UDP port by hand; nat.portMapping: false ends this");
            case ASKING, UNCONFIRMED -> {} // it is being tried again
            case NOT_NEEDED, OK, SILENT, REFUSED, SECOND_NAT -> status.solved(USELESS);
        }
    }

    private Ask.Reply onQuery(Query query) {
        PortMap core = this.core;
        if (core == null)
            return Ask.Reply.failed(new Problem("node-not-ready", "port mapping is starting", "try again"));
        return switch (query) {
            case Query.Report q -> q.reply(core.report(System.nanoTime()));
            case Query.Counts q -> q.reply(counters.snapshot());
        };
    }
}
