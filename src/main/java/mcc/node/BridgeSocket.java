package mcc.node;

import io.vertx.core.http.ServerWebSocket;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket that the HTTP server hands to the event-bus bridge: paused, its Host and Origin checked.
 *
 * @param socket belongs to the receiver
 * @param authorization as in HTTP's header; null for none
 */
public record BridgeSocket(ServerWebSocket socket, @Nullable String authorization) {}
