package mcc.portmap;

import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/**
 * What came of asking the router.
 *
 * @param protocol by which there is a mapping; null without one
 * @param external where it is; null without one
 * @param lifetimeMs how long it lasts unless it is renewed; 0 without one
 */
public record PortMapReport(
        State state, @Nullable Protocol protocol, @Nullable Address external, long lifetimeMs) {
    /** The protocols, in the order in which they are tried. */
    public enum Protocol {
        /** RFC 6887. */
        PCP("PCP"),
        /** RFC 6886. */
        NAT_PMP("NAT-PMP"),
        /** UPnP's Internet Gateway Device, 1 or 2. */
        UPNP("UPnP");

        /** The name that people know. */
        public final String text;

        Protocol(String text) {
            this.text = text;
        }
    }

    /** How things stand. */
    public enum State {
        /** There is no gateway, or no address that needs one. */
        NOT_NEEDED,
        /** A router is being asked. */
        ASKING,
        /** There is a mapping, and no peer has come through it yet. */
        UNCONFIRMED,
        /** A peer came through the mapping lately. */
        OK,
        /** Nothing answered. */
        SILENT,
        /** The router does not want to. */
        REFUSED,
        /** The router's own external address is private, or not the one that peers see. */
        SECOND_NAT,
        /** The router says that there is a mapping, and nothing comes through it, also after it was made anew. */
        USELESS
    }
}
