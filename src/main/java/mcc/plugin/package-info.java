/**
 * The API for third-party verticles, and for programs in any language.
 *
 * <p>May use {@code node} and, for the shape of failures, {@code api}. Each plugin lives in a Vertx instance of its own, gate
 * and bridge in another one; no other room knows these, and beside {@code node.Bus} only this room touches event buses: the
 * plugins'.
 *
 * <p>Read in this order: {@link mcc.plugin.Manifest} (what a jar declares), {@link mcc.plugin.ParentLoader} (what its classes
 * see of this program), {@link mcc.plugin.Host} and {@link mcc.plugin.Hosted} (the surroundings of its verticles),
 * {@link mcc.plugin.Plugin} (one plugin's life), {@link mcc.plugin.Trials} (which of them may have ended the node),
 * {@link mcc.plugin.PluginVerticle} (the folder and the REST interface's queries), {@link mcc.plugin.Line} (what passes to and
 * from a plugin's bus), {@link mcc.plugin.Switchboard} (from one bus to another), {@link mcc.plugin.Gate} and
 * {@link mcc.plugin.NodeCalls} (the addresses {@code mcc.api.*}), {@link mcc.plugin.Watches}, {@link mcc.plugin.Bridge} and
 * {@link mcc.plugin.BridgeClient} (the same addresses for WebSockets).
 *
 * <p>Invariants: a failing plugin is reported and takes neither the node nor another plugin down; a removed plugin leaves no
 * class, consumer, server or watch behind, or what it leaves is reported; only what a manifest names passes; whatever waits
 * between two loops is limited and counted; a bridge client never has more rights than the same request by HTTP.
 *
 * <p>Sources: the frames of Vert.x's event-bus bridge (vertx-web, "SockJS event bus bridge"), RFC 6455 (WebSocket),
 * {@code docs/plugins.md}.
 */
@NullMarked
package mcc.plugin;

import org.jspecify.annotations.NullMarked;
