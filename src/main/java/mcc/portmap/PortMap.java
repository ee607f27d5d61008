package mcc.portmap;

import java.util.ArrayDeque;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.portmap.PortMapReport.Protocol;
import mcc.portmap.PortMapReport.State;
import org.jspecify.annotations.Nullable;

/**
 * When the router is asked for a port, and what becomes of it.
 *
 * <p>A round asks by PCP, then by NAT-PMP, then by UPnP, until one grants a mapping. NOT_NEEDED → ASKING → UNCONFIRMED → OK,
 * once a peer came through the mapping; or → SILENT, REFUSED, SECOND_NAT or USELESS, after which a pause begins. A mapping is
 * renewed at half of its life, and again at half of what is left where that is not answered; when it is over, a round begins. A
 * new gateway, or another own address, begins everything anew.
 */
public final class PortMap implements Core<PortMap.Input, PortMap.Output> {
    private static final long SECOND_NS = 1_000_000_000L;
    /** Pauses after rounds that came to nothing, the last one repeatedly. */
    static final long[] PAUSES_NS = {600 * SECOND_NS, 600 * SECOND_NS, 3_600 * SECOND_NS};
    /** From the beginning of one round to the next, whatever happens to the network. */
    static final long GAP_NS = 10 * SECOND_NS;
    /** A mapping of a shorter life is none. */
    static final long LIFETIME_MIN_S = 20;
    /** A renewal that was not answered is repeated no sooner. */
    static final long AGAIN_MIN_NS = 5 * SECOND_NS;
    /** After the router was started again, all its clients ask; not all at once. */
    private static final long SPREAD_NS = 5 * SECOND_NS;
    /** External ports are drawn from the dynamic ones (RFC 6335). */
    private static final int PORT_FIRST = 49_152;

    private static final int PORTS = 16_384;

    /** What peers found out about the mapping. */
    public enum Finding {
        /** One came through it. */
        WORKS,
        /** None did lately, as there was nobody to send anything. */
        UNPROVED,
        /** Several sent to it, and nothing came. */
        DEAD,
        /** They see this node at another IP address. */
        ELSEWHERE
    }

    /** Inputs. */
    public sealed interface Input {
        /** The way out of this host's network; null where there is none. */
        record Network(@Nullable Gateway gateway) implements Input {}

        /** A datagram came to the socket from which {@link Output.Send} is sent, or to the port for announcements. */
        record Datagram(Address from, Bytes bytes) implements Input {}

        /** The answer to {@link Output.Fetch}; status 0 where there was none. */
        record Fetched(long ticket, int status, String body) implements Input {}

        /** What became of {@link Output.Mapped}. */
        record Found(Address external, Finding finding) implements Input {}

        /** The core that tries mappings was started again. */
        record Tell() implements Input {}

        /** This node ends: so does the mapping. */
        record Stop() implements Input {}

        /** Time has passed. */
        record Tick() implements Input {}
    }

    /** Outputs. */
    public sealed interface Output {
        /** Send a datagram. */
        record Send(Address to, Bytes bytes) implements Output {}

        /**
         * Ask by HTTP: GET where {@code soapAction} is empty, else POST. Answered by {@link Input.Fetched}; nobody waits for the
         * answer to ticket 0.
         */
        record Fetch(long ticket, Address host, String path, String soapAction, String body) implements Output {}

        /** There is a mapping, to be tried by peers; null: there is none any longer. */
        record Mapped(@Nullable Address external) implements Output {}

        /** Things stand otherwise now. */
        record Changed(State state) implements Output {}
    }

    private final Bytes nonce;
    private final Rng rng;
    private final Counters counters;
    private final ArrayDeque<Output> outputs = new ArrayDeque<>();
    private final Epoch epoch = new Epoch();
    private State state = State.NOT_NEEDED;
    private @Nullable Gateway gateway;
    private int port;
    private @Nullable Talk talk;
    private boolean renewing;
    /** What the round under way came to so far. */
    private Talk.Failure worst = Talk.Failure.SILENT;

    private Talk.@Nullable Grant grant;
    private long endsNs = NEVER;
    /** When the mapping is renewed, or a round begins. */
    private long nextNs = NEVER;

    private long roundNs = Long.MIN_VALUE;
    private int rounds;
    private boolean remade;
    private boolean stopped;
    private long tickets;

    /** @param nonce what this node's mappings are known by, for ever: 12 secret bytes ({@link #nonceBytes}) */
    public PortMap(Bytes nonce, Rng rng, Counters counters) {
        if (nonce.size() != Pcp.NONCE_BYTES) throw new IllegalArgumentException("a nonce has 12 bytes");
        this.nonce = nonce;
        this.rng = rng;
        this.counters = counters;
        port = PORT_FIRST + (nonce.at(0) & 0x3f) * 256 + (nonce.at(1) & 0xff);
    }

    /** The length of the nonce. */
    public static int nonceBytes() {
        return Pcp.NONCE_BYTES;
    }

    static int drawPort(Rng rng) {
        return PORT_FIRST + rng.below(PORTS);
    }

    static Address port(Address ip, int port) {
        return new Address(ip.high(), ip.low(), port);
    }

    /** What is known now. */
    public PortMapReport report(long nowNs) {
        Talk.Grant grant = this.grant;
        if (grant == null) return new PortMapReport(state, null, null, 0);
        return new PortMapReport(state, grant.protocol(), grant.external(), Math.max(0, endsNs - nowNs) / 1_000_000);
    }

    @Override
    public @Nullable Output poll() {
        return outputs.poll();
    }

    @Override
    public long deadlineNs() {
        Talk talk = this.talk;
        return talk == null ? nextNs : talk.deadlineNs();
    }

    @Override
    public void handle(long nowNs, Input input) {
        if (stopped) return;
        switch (input) {
            case Input.Network n -> network(nowNs, n.gateway());
            case Input.Datagram d -> datagram(nowNs, d.from(), d.bytes().toArray());
            case Input.Fetched f -> {
                if (talk != null) talk.fetched(nowNs, f.ticket(), f.status(), f.body());
            }
            case Input.Found f -> found(nowNs, f);
            case Input.Tell _ -> {
                if (grant != null) outputs.add(new Output.Mapped(grant.external()));
            }
            case Input.Stop _ -> {
                forget(true);
                nextNs = NEVER;
                stopped = true;
            }
            case Input.Tick _ -> {}
        }
        settle(nowNs);
        if (!stopped) tick(nowNs);
        settle(nowNs);
    }

    // ---- the network ------------------------------------------------------------------------------------------------

    private void network(long nowNs, @Nullable Gateway now) {
        Gateway before = gateway;
        if (now == null ? before == null : now.equals(before)) return;
        // What the same router has for another port of this host is of no use any longer; another router cannot be
        // told.
        forget(before != null && now != null && before.router().equals(now.router()));
        gateway = now;
        epoch.forget();
        rounds = 0;
        remade = false;
        boolean wanted =
                now != null && now.internal().isLocal() && !now.internal().isLoopback();
        nextNs = wanted ? Math.max(nowNs, roundNs == Long.MIN_VALUE ? nowNs : roundNs + GAP_NS) : NEVER;
        state(wanted ? State.ASKING : State.NOT_NEEDED);
    }

    private void datagram(long nowNs, Address from, byte[] bytes) {
        Gateway gateway = this.gateway;
        if (gateway == null || !from.sameIp(gateway.router())) {
            counters.add("portmap.stranger");
            return;
        }
        if (from.port() == Pcp.PORT) watch(nowNs, gateway, bytes);
        if (talk != null) talk.datagram(nowNs, from, bytes);
    }

    /** Sees whether the router was started again, which ends its mappings. */
    private void watch(long nowNs, Gateway gateway, byte[] bytes) {
        Pcp.Response pcp = Pcp.response(bytes, nonce, gateway.internal());
        NatPmp.Response pmp = pcp == null ? NatPmp.response(bytes) : null;
        if (pcp == null && pmp == null) return;
        Talk.Grant grant = this.grant;
        boolean isNew = epoch.isNew(nowNs, pcp != null ? pcp.epochS() : pmp == null ? 0 : pmp.epochS());
        Address said = pmp == null ? null : pmp.external();
        boolean moved = said != null && grant != null && !said.sameIp(grant.external());
        if (!isNew && !moved) return;
        counters.add("portmap.restarted");
        if (grant != null && talk == null) nextNs = Math.min(nextNs, nowNs + 1 + rng.below(SPREAD_NS));
    }

    // ---- rounds and renewals ----------------------------------------------------------------------------------------

    private void tick(long nowNs) {
        if (talk != null) {
            talk.tick(nowNs);
            return;
        }
        if (nowNs < nextNs) return;
        nextNs = NEVER;
        Talk.Grant grant = this.grant;
        if (grant != null && nowNs < endsNs) {
            renewing = true;
            begin(nowNs, grant.protocol());
        } else {
            forget(false);
            round(nowNs);
        }
    }

    private void round(long nowNs) {
        counters.add("portmap.rounds");
        roundNs = nowNs;
        renewing = false;
        worst = Talk.Failure.SILENT;
        if (rounds == 0) state(State.ASKING);
        begin(nowNs, Protocol.PCP);
    }

    private void begin(long nowNs, Protocol protocol) {
        Gateway gateway = this.gateway;
        if (gateway == null) return;
        Talk.Grant grant = this.grant;
        Address wished = grant == null ? Address.v4(0, port) : grant.external();
        Talk.Wish wish = new Talk.Wish(gateway, nonce, wished);
        talk = switch (protocol) {
            case PCP -> new PcpTalk(nowNs, wish, counters, outputs::add);
            case NAT_PMP -> new NatPmpTalk(nowNs, wish, counters, outputs::add);
            case UPNP -> {
                Upnp.Service known = grant == null ? null : grant.service();
                yield new UpnpTalk(nowNs, wish, known, rng, () -> ++tickets, counters, outputs::add);
            }
        };
    }

    /** Takes the outcome of an attempt, if there is one. */
    private void settle(long nowNs) {
        Talk talk = this.talk;
        Talk.Outcome outcome = talk == null ? null : talk.outcome();
        if (talk == null || outcome == null) return;
        this.talk = null;
        switch (outcome) {
            case Talk.Outcome.Granted g -> granted(nowNs, g.grant());
            case Talk.Outcome.Failed f -> failed(nowNs, talk.protocol(), f.why());
        }
    }

    private void granted(long nowNs, Talk.Grant now) {
        Talk.Grant before = grant;
        grant = now;
        if (now.external().isLocal()) {
            secondNat(nowNs);
            return;
        }
        counters.add(renewing ? "portmap.renewed" : "portmap.granted");
        long lifeNs = now.lifetimeS() * SECOND_NS;
        endsNs = nowNs + lifeNs;
        nextNs = nowNs + lifeNs / 2;
        if (before != null && before.external().equals(now.external())) return;
        state(State.UNCONFIRMED);
        outputs.add(new Output.Mapped(now.external()));
    }

    private void failed(long nowNs, Protocol protocol, Talk.Failure why) {
        if (renewing) {
            counters.add("portmap.renewals.failed");
            long left = (endsNs - nowNs) / 2;
            nextNs = why == Talk.Failure.SILENT && left >= AGAIN_MIN_NS ? nowNs + left : Math.max(endsNs, nowNs + 1);
            if (why != Talk.Failure.SILENT) endsNs = nextNs = nowNs + 1; // it is not there any longer
            return;
        }
        if (why.compareTo(worst) > 0) worst = why;
        Protocol next = switch (protocol) {
            case PCP -> Protocol.NAT_PMP;
            case NAT_PMP -> Protocol.UPNP;
            case UPNP -> null;
        };
        if (why != Talk.Failure.SECOND_NAT && next != null) {
            begin(nowNs, next);
            return;
        }
        pause(
                nowNs,
                switch (worst) {
                    case SILENT -> State.SILENT;
                    case REFUSED -> State.REFUSED;
                    case SECOND_NAT -> State.SECOND_NAT;
                });
    }

    private void pause(long nowNs, State why) {
        counters.add("portmap.failed");
        long pauseNs = PAUSES_NS[Math.min(rounds, PAUSES_NS.length - 1)];
        rounds++;
        nextNs = nowNs + pauseNs + rng.below(pauseNs / 8);
        state(why);
    }

    // ---- the mapping ------------------------------------------------------------------------------------------------

    private void found(long nowNs, Input.Found f) {
        Talk.Grant grant = this.grant;
        if (grant == null || !grant.external().equals(f.external())) return; // of one that is gone
        switch (f.finding()) {
            case WORKS -> {
                rounds = 0;
                remade = false;
                state(State.OK);
            }
            case UNPROVED -> state(State.UNCONFIRMED);
            case ELSEWHERE -> secondNat(nowNs);
            case DEAD -> {
                counters.add("portmap.dead");
                forget(true);
                port = drawPort(rng);
                if (remade) {
                    rounds = PAUSES_NS.length; // nothing will have changed in ten minutes
                    pause(nowNs, State.USELESS);
                } else {
                    remade = true;
                    nextNs = Math.max(nowNs + 1, roundNs + GAP_NS);
                    state(State.ASKING);
                }
            }
        }
    }

    private void secondNat(long nowNs) {
        counters.add("portmap.second-nat");
        forget(true);
        pause(nowNs, State.SECOND_NAT);
    }

    /** Ends what is under way and what there is. */
    private void forget(boolean tellRouter) {
        talk = null;
        renewing = false;
        Talk.Grant grant = this.grant;
        if (grant == null) return;
        this.grant = null;
        endsNs = NEVER;
        outputs.add(new Output.Mapped(null));
        if (tellRouter) delete(grant);
    }

    /** Tells the router that the mapping is over; nobody waits for the answer. */
    private void delete(Talk.Grant grant) {
        Gateway gateway = this.gateway;
        if (gateway == null) return;
        counters.add("portmap.deleted");
        Address router = port(gateway.router(), Pcp.PORT);
        switch (grant.protocol()) {
            case PCP ->
                outputs.add(
                        new Output.Send(router, Bytes.owning(Pcp.map(nonce, gateway.internal(), grant.external(), 0))));
            case NAT_PMP ->
                outputs.add(new Output.Send(
                        router, Bytes.owning(NatPmp.map(gateway.internal().port(), 0, 0))));
            case UPNP -> {
                Upnp.Service service = grant.service();
                if (service == null) return;
                String port = String.valueOf(grant.external().port());
                String body = Upnp.call(
                        service,
                        "DeletePortMapping",
                        "NewRemoteHost",
                        "",
                        "NewExternalPort",
                        port,
                        "NewProtocol",
                        "UDP");
                outputs.add(new Output.Fetch(
                        0,
                        service.control().host(),
                        service.control().path(),
                        service.type() + "#DeletePortMapping",
                        body));
            }
        }
    }

    private void state(State now) {
        if (now == state) return;
        state = now;
        outputs.add(new Output.Changed(now));
    }
}
