package mcc.tunnel;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Streams that peers, or connections that local clients, opened and that were not admitted yet, like TCP's half-open
 * connections. Each peer may have a limited number; if all together are too many, the oldest gives way (RFC 4987 section 3.4),
 * because an honest peer says at once what it wants. Pure.
 */
final class HalfOpen<K, T> {
    private final Map<T, K> all = new LinkedHashMap<>();
    private final Map<K, Integer> perPeer = new HashMap<>();
    private final int max;
    private final int peerMax;

    HalfOpen(int max, int peerMax) {
        this.max = max;
        this.peerMax = peerMax;
    }

    /** Whether a peer has as many as it may. */
    boolean isFull(K peer) {
        return perPeer.getOrDefault(peer, 0) >= peerMax;
    }

    /** Adds one; returns the one that gave way, or null. */
    @Nullable
    T add(K peer, T begun) {
        T oldest = null;
        if (all.size() >= max) {
            oldest = all.keySet().iterator().next();
            remove(oldest);
        }
        all.put(begun, peer);
        perPeer.merge(peer, 1, Integer::sum);
        return oldest;
    }

    /** Removes one, if it is still there. */
    void remove(T begun) {
        K peer = all.remove(begun);
        if (peer != null && perPeer.merge(peer, -1, Integer::sum) == 0) perPeer.remove(peer);
    }
}
