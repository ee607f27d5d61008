package mcc.link;

import java.nio.charset.StandardCharsets;
import java.util.List;
import mcc.crypto.Aead;
import mcc.stream.StreamConfig;
import org.jspecify.annotations.Nullable;

/**
 * What differs between nodes and networks.
 *
 * @param network the network's name; nodes of different networks never understand each other
 * @param suites the ciphers that this node supports, best first
 * @param linksMax the most links at a time
 * @param connection the limits of each link's streams
 */
public record LinkConfig(String network, List<Aead.Suite> suites, int linksMax, StreamConfig connection) {
    public LinkConfig {
        suites = List.copyOf(suites);
    }

    byte[] prologue() {
        return ("mcc/1/" + network).getBytes(StandardCharsets.UTF_8);
    }

    Aead.@Nullable Suite suite(int code) {
        for (Aead.Suite suite : suites) if (suite.code() == code) return suite;
        return null;
    }
}
