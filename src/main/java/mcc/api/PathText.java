package mcc.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import mcc.carrier.CarrierReport;
import mcc.core.Address;
import mcc.core.Id;
import mcc.link.PathReport;
import mcc.link.Peer;
import mcc.nat.NatReport;
import mcc.nat.Reachability;
import mcc.punch.PunchReport;
import mcc.wire.Capabilities;
import mcc.wire.Outside.Allocation;
import org.jspecify.annotations.Nullable;

/** Why the path to a peer is what it is, and which side could change what, in plain words. */
final class PathText {
    /**
     * What is known of a pair.
     *
     * @param link null where there is none
     * @param udp the addresses on which this node listens
     * @param carrier by which relays are reached, as UDP gets nowhere; null where it is not needed
     */
    record Facts(
            Id id,
            @Nullable Peer link,
            PathReport paths,
            PunchReport punch,
            NatReport nat,
            List<String> udp,
            CarrierReport.@Nullable View carrier) {
        String kind() {
            return link == null ? "none" : link.kind();
        }
    }

    private PathText() {}

    /** An address for people: what stands for a carrier at this node means nothing to them. */
    static String at(Address address) {
        return address.isCarrier() ? "TCP" : address.toString();
    }

    /** One sentence or two. */
    static String verdict(Facts facts) {
        Peer link = facts.link();
        return switch (facts.kind()) {
            case "lan" -> "Packets stay in the local network: nothing is better.";
            case "carrier" ->
                "UDP gets nowhere: packets to this relay go through a connection of TCP"
                        + (facts.carrier() == null ? "" : ", " + facts.carrier().url()) + ".";
            case "direct" -> "Packets go straight to the peer" + before(facts.paths()) + ".";
            case "relay" -> {
                Id relay = link == null ? null : link.relay();
                yield "A relay (" + (relay == null ? "?" : relay.shortText()) + ") carries the packets: "
                        + relayed(facts) + ".";
            }
            default -> "There is no path: " + lost(facts) + ".";
        };
    }

    /** How long a relay served before, where it is known. */
    private static String before(PathReport paths) {
        long relayedNs = -1;
        long directNs = -1;
        for (PathReport.Change each : paths.changes()) {
            boolean relay = each.kind().equals("relay");
            if (relay && (relayedNs < 0 || directNs >= 0)) {
                relayedNs = each.atNs();
                directNs = -1;
            }
            if (!relay && !each.kind().equals("none") && relayedNs >= 0 && directNs < 0) directNs = each.atNs();
        }
        if (directNs < 0) return "";
        return ", after a relay carried them for " + seconds(directNs - relayedNs);
    }

    static String seconds(long ns) {
        return Math.round(ns / 1e8) / 10.0 + " s";
    }

    private static String relayed(Facts facts) {
        if (facts.carrier() != null) {
            return "UDP gets nowhere, and the relay is reached through "
                    + facts.carrier().url();
        }
        PunchReport punch = facts.punch();
        if ((facts.paths().capabilities() & Capabilities.PUNCHES) == 0) return "the peer does not punch holes";
        if (punch.attempts().isEmpty()) {
            return punch.leads() ? "a direct path is about to be tried" : "the peer says when to try, and has not yet";
        }
        boolean hard = isDependent(facts.nat().main().mapping());
        if (hard && isDependent(punch.ports())) {
            return "both routers give every destination another port, so that no direct path can be made";
        }
        PunchReport.Attempt last = punch.attempts().getLast();
        return switch (last.outcome()) {
            case ASKED -> "the peer is being asked for its addresses";
            case UNANSWERED -> "the peer did not answer when it was asked for its addresses";
            case DIRECT, ENDED -> "the direct path that was found was lost";
            case TRIED ->
                last.candidates().isEmpty()
                        ? "the peer named no address that could be tried"
                        : punch.attemptsTotal() + (punch.attemptsTotal() == 1 ? " attempt" : " attempts") + " at "
                                + last.candidates().size()
                                + (last.candidates().size() == 1 ? " address" : " addresses")
                                + " brought no answer yet";
        };
    }

    private static boolean isDependent(NatReport.Mapping mapping) {
        return switch (mapping) {
            case UNKNOWN, NONE, ENDPOINT_INDEPENDENT -> false;
            case ENDPOINT_DEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT -> true;
        };
    }

    private static boolean isDependent(Allocation ports) {
        return !ports.isPredictable();
    }

    /** What NAT is before the peer, in the words of {@link NatReport.Mapping}, as far as it tells. */
    static String mapping(Allocation ports) {
        return switch (ports) {
            case UNKNOWN -> "unknown";
            case SHARED -> "endpoint-independent";
            case SEQUENTIAL, BLOCK, RANDOM, PRESERVING -> "endpoint-dependent";
        };
    }

    private static String lost(Facts facts) {
        List<PathReport.Change> changes = facts.paths().changes();
        if (changes.isEmpty()) return "the peer has not answered yet";
        return cause(changes.getLast());
    }

    /** Why a change was made. */
    static String cause(PathReport.Change change) {
        return switch (change.cause()) {
            case HANDSHAKE -> "a handshake went through";
            case SILENCE -> "the path before was silent";
            case FAILED -> "nothing sent by the path before arrived";
            case BETTER ->
                change.kind().equals("relay") ? "it is faster" : "it answers, and is faster or needs no relay";
            case CIRCUIT_ENDED -> "the relay before is gone or gave the circuit up";
            case CARRIER_ENDED -> "the connection of TCP before broke, or was not needed any longer";
            case UNREACHABLE -> "no address answered any longer";
            case CLOSED -> "the peer said goodbye";
            case IDLE -> "nobody needed the link";
            case REFUSED -> "the peer proved another identity, or none";
            case DENIED -> "the policy does not allow it";
            case OVERLOADED -> "a limit of this node was reached";
        };
    }

    /** What each side could change; empty where the path cannot be better. */
    static JsonArray advice(Facts facts) {
        JsonArray out = new JsonArray();
        if (facts.kind().equals("lan") || facts.kind().equals("direct")) return out;
        String port = port(facts.udp());
        return out.add(advice("this", facts.carrier() == null ? here(facts.nat(), port) : blocked(port)))
                .add(advice("peer", there(facts)));
    }

    private static JsonObject advice(String side, String text) {
        return new JsonObject().put("side", side).put("text", text);
    }

    private static String port(List<String> udp) {
        for (String each : udp) {
            Address address = Address.parse(each);
            if (address != null) return "UDP " + address.port();
        }
        return "its UDP port";
    }

    private static String here(NatReport nat, String port) {
        if (nat.udp() == NatReport.Udp.BLOCKED) return blocked(port);
        if (nat.v4().reachable() == Reachability.YES || nat.v6().reachable() == Reachability.YES) {
            return "anybody reaches it: nothing to do";
        }
        return switch (nat.main().mapping()) {
            case UNKNOWN ->
                "what NAT is before it is not known: peers in two other networks have to be up, then: mcc netcheck"
                        + " --again";
            case NONE -> "no NAT, but a firewall may let in only whom this node has called: allow " + port + " there";
            case ENDPOINT_INDEPENDENT ->
                "its NAT shows every peer the same address: nothing to do; mapping " + port
                        + " in the router makes direct paths sure";
            case ENDPOINT_DEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT ->
                "the router gives every destination another port: map " + port
                        + " on it by hand, or allow port mapping";
        };
    }

    private static String blocked(String port) {
        return "a firewall blocks UDP: allow " + port + " out and in";
    }

    private static String there(Facts facts) {
        boolean punches = (facts.paths().capabilities() & Capabilities.PUNCHES) != 0;
        if (facts.paths().linked() && !punches) return "its version does not punch holes: update it";
        return switch (facts.punch().ports()) {
            case UNKNOWN -> "it has not told what NAT is before it: run 'mcc netcheck' there";
            case SHARED -> "its NAT, if it has one, shows every peer the same address: nothing to do there";
            case SEQUENTIAL, BLOCK, RANDOM, PRESERVING ->
                "its router gives every destination another port: map its UDP port there by hand, or allow port mapping"
                        + " there";
        };
    }
}
