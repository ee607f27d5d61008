package mcc.node;

import io.vertx.core.json.JsonObject;

/**
 * Something that happened and that an operator or an app may want to know.
 *
 * @param type dotted, room first: {@code service.joined}, {@code tunnel.opened}, {@code peer.up}
 * @param data what it is about, in the words of the REST interface; without secrets
 */
public record NodeEvent(String type, JsonObject data) {}
