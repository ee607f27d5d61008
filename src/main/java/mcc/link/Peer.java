package mcc.link;

import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * One link as the views of other rooms show it, at one moment.
 *
 * @param at the address to which packets go; null while none is known, or where a relay carries them
 * @param relay the relay that carries the packets; null where none does
 * @param established whether there are keys
 * @param suite the cipher's name; empty without keys
 * @param rttNs the smoothed round-trip time; 0 while unknown
 * @param leastRttNs the smallest of the recent round-trip times, to which busy hosts and queues added least; 0 while unknown
 * @param lossPpm recent loss of what this side sent, in parts per million
 * @param sinceNs monotonic time at which the link was made
 * @param heardNs monotonic time of the newest authentic packet
 */
public record Peer(
        Id id,
        @Nullable Address at,
        @Nullable Id relay,
        boolean established,
        String suite,
        long rttNs,
        long leastRttNs,
        long lossPpm,
        long txBytes,
        long rxBytes,
        int streams,
        long sinceNs,
        long heardNs) {
    /** How it is reached: {@code lan}, {@code direct}, {@code carrier}, {@code relay}, or {@code none} without a session. */
    public String kind() {
        if (established && relay != null) return "relay";
        if (!established || at == null) return "none";
        if (at.isCarrier()) return "carrier";
        return at.isLocal() ? "lan" : "direct";
    }
}
