/**
 * The promise made to third-party verticles, and to programs in any language.
 *
 * <p>May use {@code node} and, for the shape of failures, {@code api}. Plugins live in a second Vertx instance; this room
 * is the only one that knows it, and beside {@code node.Bus} the only one that touches an event bus: the second one.
 *
 * <p>Read in this order: {@link mcc.plugin.Manifest} (what a jar says of itself), {@link mcc.plugin.Window} (what of this
 * program its classes see), {@link mcc.plugin.PluginVertx} (where they run), {@link mcc.plugin.Plugin} (one plugin's
 * life), {@link mcc.plugin.PluginVerticle} (the folder and the REST interface's questions), {@link mcc.plugin.Permits} (what
 * passes on the second bus), {@link mcc.plugin.Door} (from there to the node), {@link mcc.plugin.GateVerticle} (the addresses
 * {@code mcc.api.*}), {@link mcc.plugin.Watches}, {@link mcc.plugin.Bridge} and {@link mcc.plugin.BridgeClient} (the same
 * addresses for WebSockets).
 *
 * <p>Invariants: a plugin that fails is said to fail and never takes the node down; one that is removed leaves no class, no
 * consumer and no watch behind; what a manifest does not name does not pass; a bridge client never has more rights than the
 * same request by HTTP.
 *
 * <p>Sources: the frames of Vert.x's event-bus bridge (vertx-web, "SockJS event bus bridge"), RFC 6455 (WebSocket),
 * {@code docs/plugins.md}.
 */
@NullMarked
package mcc.plugin;

import org.jspecify.annotations.NullMarked;
