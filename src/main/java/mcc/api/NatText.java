package mcc.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import mcc.carrier.CarrierReport;
import mcc.core.Address;
import mcc.nat.NatReport;
import mcc.nat.Reachability;
import mcc.portmap.PortMapReport;
import org.jspecify.annotations.Nullable;

/** What is known of the NAT, in the words of the REST interface and in plain ones. */
final class NatText {
    private NatText() {}

    static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static JsonObject side(NatReport.Side side) {
        JsonArray pool = new JsonArray();
        for (Address ip : side.pool()) pool.add(ip.host());
        return new JsonObject()
                .put("address", text(side.address()))
                .put("mapping", lower(side.mapping()))
                .put("ports", ports(side.ports()))
                .put("voices", side.voices())
                .put("publicAddresses", pool)
                .put("filtering", lower(side.filtering()))
                .put("reachable", lower(side.reachable()))
                .put("checkedAgoMs", side.checkedAgoMs() < 0 ? null : side.checkedAgoMs());
    }

    private static @Nullable String text(@Nullable Address address) {
        return address == null ? null : address.toString();
    }

    private static String ports(NatReport.Ports ports) {
        return switch (ports.kind()) {
            case UNKNOWN, PRESERVING, RANDOM -> lower(ports.kind());
            case SEQUENTIAL -> "sequential " + (ports.delta() > 0 ? "+" : "") + ports.delta();
            case PORT_BLOCK -> "port-block " + ports.min() + ".." + ports.max();
        };
    }

    /** @param report null where the node does not ask the router */
    static JsonObject portMapping(@Nullable PortMapReport report) {
        if (report == null) {
            return new JsonObject()
                    .put("state", "off")
                    .put("protocol", null)
                    .put("address", null)
                    .put("lifetimeMs", null)
                    .put("verdict", "no port mapping: switched off");
        }
        PortMapReport.Protocol by = report.protocol();
        return new JsonObject()
                .put("state", lower(report.state()))
                .put("protocol", by == null ? null : lower(by))
                .put("address", text(report.external()))
                .put("lifetimeMs", by == null ? null : report.lifetimeMs())
                .put("verdict", plain(report.state(), by == null ? "the router" : by.text));
    }

    private static String plain(PortMapReport.State state, String by) {
        return switch (state) {
            case NOT_NEEDED -> "no port mapping: no router with a NAT is known";
            case ASKING -> "asking the router for a port";
            case UNCONFIRMED -> by + " granted a port; no peer has come through it yet";
            case OK -> by + " ok";
            case SILENT -> "no port mapping: nothing answered";
            case REFUSED -> "no port mapping: the router refuses";
            case SECOND_NAT -> "no port mapping: a second NAT is in the way";
            case USELESS -> "no port mapping: the router grants a port, and nothing comes through it";
        };
    }

    /** Where relays take connections, and how far those of this node are. */
    static JsonArray carriers(CarrierReport carriers) {
        JsonArray out = new JsonArray();
        for (CarrierReport.View each : carriers.gates()) {
            out.add(new JsonObject()
                    .put("url", each.url())
                    .put("state", lower(each.state()))
                    .put("relay", each.relay() == null ? null : each.relay().toString())
                    .put("trouble", each.trouble().isEmpty() ? null : each.trouble()));
        }
        return out;
    }

    static String verdict(NatReport nat, CarrierReport carriers) {
        CarrierReport.View linked = carriers.linked();
        if (linked != null) {
            return "UDP is blocked; all goes through " + linked.url()
                    + " to a relay, sealed end to end. Allow UDP for direct" + " paths.";
        }
        if (nat.udp() == NatReport.Udp.BLOCKED) {
            return "Nobody answers over UDP: a firewall blocks it, or all that this node called are down.";
        }
        boolean open = nat.v4().reachable() == Reachability.YES || nat.v6().reachable() == Reachability.YES;
        if (open) return "Anybody reaches this node: nothing to do.";
        NatReport.Side side = nat.main();
        return switch (side.mapping()) {
            case UNKNOWN ->
                "Not known yet: too few peers in different networks have reported the address at which they see this node.";
            case NONE ->
                side.filtering() == NatReport.Filtering.UNKNOWN
                        ? "No NAT: peers see an address of this machine itself. Whether a firewall keeps strangers out is"
                                + " not known."
                        : "No NAT, but a firewall lets in only whom this node has called: allow its UDP port there.";
            case ENDPOINT_INDEPENDENT ->
                side.filtering() == NatReport.Filtering.UNKNOWN
                        ? "Behind a NAT that shows every peer the same address: direct paths are likely."
                        : "Behind a NAT that shows every peer the same address and lets in only whom this node has called:"
                                + " direct paths are likely, a fixed UDP port in the router makes them sure.";
            case ENDPOINT_DEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT ->
                "Behind a NAT that shows each peer a different address: peers reach this node only after it has contacted"
                        + " them.";
        };
    }
}
