package mcc.node;

import io.vertx.core.json.JsonObject;

/**
 * Something that happened and that an operator or an app may want to know.
 *
 * @param type dotted, room first: {@code service.joined}, {@code tunnel.opened}, {@code peer.up}
 * @param data details, with the names that the REST interface uses; without secrets
 */
public record NodeEvent(String type, JsonObject data) {}
