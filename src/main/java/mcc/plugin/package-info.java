/**
 * The promise made to third-party verticles, and to programs in any language.
 *
 * <p>May use {@code node} and, for the shape of failures, {@code api}. Each plugin lives in a Vertx instance of its own, gate
 * and bridge in another one; this room is the only one that knows them, and beside {@code node.Bus} the only one that touches
 * an event bus: the plugins'.
 *
 * <p>Read in this order: {@link mcc.plugin.Manifest} (what a jar says of itself), {@link mcc.plugin.Window} (what of this
 * program its classes see), {@link mcc.plugin.Host} and {@link mcc.plugin.Hosted} (where its verticles run),
 * {@link mcc.plugin.Plugin} (one plugin's life), {@link mcc.plugin.Trials} (which of them may have ended the node),
 * {@link mcc.plugin.PluginVerticle} (the folder and the REST interface's questions), {@link mcc.plugin.Line} (what passes on a
 * plugin's bus), {@link mcc.plugin.Switchboard} (from one bus to another), {@link mcc.plugin.Gate} and {@link mcc.plugin.Door}
 * (the addresses {@code mcc.api.*}), {@link mcc.plugin.Watches}, {@link mcc.plugin.Bridge} and {@link mcc.plugin.BridgeClient}
 * (the same addresses for WebSockets).
 *
 * <p>Invariants: a plugin that fails is said to fail and never takes the node or another plugin down; of one that is removed no
 * class, consumer, server and watch is left, or what is left is told; what a manifest does not name does not pass; whatever
 * waits between two loops is bounded and counted; a bridge client never has more rights than the same request by HTTP.
 *
 * <p>Sources: the frames of Vert.x's event-bus bridge (vertx-web, "SockJS event bus bridge"), RFC 6455 (WebSocket),
 * {@code docs/plugins.md}.
 */
@NullMarked
package mcc.plugin;

import org.jspecify.annotations.NullMarked;
