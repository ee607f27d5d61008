package mcc.portmap;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.portmap.PortMapReport.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * Asks by {@link Upnp}: search → description → external address → mapping. Only the default gateway is believed, about itself:
 * through another router the answers to what comes in would leave by another way than they must.
 */
final class UpnpTalk extends Talk {
    private static final long PATIENCE_NS = 6_000_000_000L;
    /** Calls for the mapping, each for another reason. */
    private static final int ADDS_MAX = 5;

    private enum Step {
        SEARCH,
        DESCRIPTION,
        ADDRESS,
        ADD
    }

    private final Rng rng;
    private final LongSupplier tickets;
    private Step step = Step.SEARCH;
    private long ticket;
    private Upnp.@Nullable Place description;
    private List<Upnp.Service> services = List.of();
    private int next;
    private @Nullable Address external;
    private int port;
    private long leaseS = LIFETIME_S;
    private String action = "";
    private int adds;

    /** @param known where an earlier mapping was made, to be renewed; null to search */
    UpnpTalk(
            long nowNs,
            Wish wish,
            Upnp.@Nullable Service known,
            Rng rng,
            LongSupplier tickets,
            Counters counters,
            Consumer<PortMap.Output> out) {
        super(wish, counters, out);
        this.rng = rng;
        this.tickets = tickets;
        port = wish.external().port();
        action = known == null ? "AddAnyPortMapping" : "AddPortMapping";
        if (known == null) {
            ask(nowNs);
        } else {
            services = List.of(known);
            address(nowNs);
        }
    }

    @Override
    Protocol protocol() {
        return Protocol.UPNP;
    }

    @Override
    void send() {
        out.accept(new PortMap.Output.Send(Upnp.SSDP, Upnp.search()));
    }

    @Override
    void datagram(long nowNs, Address from, byte[] bytes) {
        if (step != Step.SEARCH) return;
        Upnp.Place at = Upnp.location(bytes);
        if (at == null || !at.host().sameIp(from)) {
            counters.add(at == null ? "portmap.malformed" : "portmap.stranger");
            return;
        }
        description = at;
        step = Step.DESCRIPTION;
        fetch(nowNs, at, "", "");
    }

    private void fetch(long nowNs, Upnp.Place at, String soapAction, String body) {
        ticket = tickets.getAsLong();
        out.accept(new PortMap.Output.Fetch(ticket, at.host(), at.path(), soapAction, body));
        await(nowNs, PATIENCE_NS);
    }

    private void call(long nowNs, Upnp.Service service, String what, String... arguments) {
        fetch(nowNs, service.control(), service.type() + "#" + what, Upnp.call(service, what, arguments));
    }

    @Override
    void fetched(long nowNs, long answered, int status, String body) {
        if (answered != ticket || outcome() != null) return;
        switch (step) {
            case SEARCH -> {}
            case DESCRIPTION -> {
                Upnp.Place at = description;
                services = at == null || status != 200 ? List.of() : Upnp.services(at, body);
                address(nowNs);
            }
            case ADDRESS -> {
                Upnp.Result r = Upnp.result(status, body, "GetExternalIPAddress", "NewExternalIPAddress");
                Address said = Address.parse(r.value() + ":0");
                if (r.error() != 0 || said == null || !said.isV4() || said.isUnspecified()) {
                    next++;
                    address(nowNs);
                } else if (said.isLocal()) {
                    fail(Failure.SECOND_NAT);
                } else {
                    external = said;
                    add(nowNs);
                }
            }
            case ADD -> added(nowNs, Upnp.result(status, body, action, "NewReservedPort"));
        }
    }

    private void address(long nowNs) {
        if (next >= services.size()) {
            fail(services.isEmpty() ? Failure.SILENT : Failure.REFUSED);
            return;
        }
        step = Step.ADDRESS;
        call(nowNs, services.get(next), "GetExternalIPAddress");
    }

    private void add(long nowNs) {
        if (++adds > ADDS_MAX) {
            fail(Failure.REFUSED);
            return;
        }
        step = Step.ADD;
        Upnp.Service service = services.get(next);
        if (!service.choosesPorts()) action = "AddPortMapping";
        Address internal = wish.gateway().internal();
        call(
                nowNs,
                service,
                action,
                "NewRemoteHost",
                "",
                "NewExternalPort",
                String.valueOf(port),
                "NewProtocol",
                "UDP",
                "NewInternalPort",
                String.valueOf(internal.port()),
                "NewInternalClient",
                internal.host(),
                "NewEnabled",
                "1",
                "NewPortMappingDescription",
                "MCC",
                "NewLeaseDuration",
                String.valueOf(leaseS));
    }

    private void added(long nowNs, Upnp.Result r) {
        Address known = external;
        if (known == null) return;
        switch (r.error()) {
            case 0 -> {
                boolean chosen = r.value().matches("[1-9][0-9]{0,4}") && Integer.parseInt(r.value()) <= 0xffff;
                grant(PortMap.port(known, chosen ? Integer.parseInt(r.value()) : port), LIFETIME_S, services.get(next));
            }
            case Upnp.INVALID_ACTION -> {
                if (action.equals("AddPortMapping")) {
                    fail(Failure.REFUSED);
                } else {
                    action = "AddPortMapping";
                    add(nowNs);
                }
            }
            case Upnp.CONFLICT, Upnp.CONFLICT_OTHER -> {
                port = PortMap.drawPort(rng);
                add(nowNs);
            }
            case Upnp.SAME_PORT_REQUIRED -> {
                port = wish.gateway().internal().port();
                add(nowNs);
            }
            case Upnp.PERMANENT_ONLY -> {
                leaseS = 0;
                add(nowNs);
            }
            default -> fail(Failure.REFUSED);
        }
    }
}
