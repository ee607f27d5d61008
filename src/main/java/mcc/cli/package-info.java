/**
 * The {@code mcc} command: verbs that speak REST to a node, and a demo that runs nodes of its own.
 *
 * <p>May use the JDK, picocli for the command line, jackson-core for JSON, and {@code mcc.node.Settings} to check a
 * configuration; {@code DemoNetwork} also addresses of {@code core}, the NATs of {@code sim} and the header of
 * {@code mcc.udp.Detour}. No Vert.x, no {@code java.net.http}, no jackson-databind: loading any of them takes longer than a
 * whole verb, and a command should feel instant.
 *
 * <p>Read in this order: {@link mcc.cli.Cli} (the options of every verb, and how a failure becomes an exit code),
 * {@link mcc.cli.Rest} (the node's REST interface), {@link mcc.cli.Http} (HTTP/1.1 over one socket), {@link mcc.cli.Json}
 * (reading answers), {@link mcc.cli.Table} and {@link mcc.cli.Text} (output for people), then the verbs: {@code NodeVerbs},
 * {@code PeerVerbs}, {@code PathVerbs}, {@code ServiceVerbs}, {@code TunnelVerbs}, {@code PluginVerbs}, {@code Doctor},
 * {@code Completion}, {@code Demo} (with {@code DemoNats} and {@code DemoNetwork}), {@code Sim}.
 *
 * <p>Invariants: standard output carries the answer and nothing else; errors go to standard error, as title, detail and hint,
 * and determine the exit code ({@link mcc.cli.Failure}). With {@code --json} the node's answer is printed as it came. Text
 * that other machines chose is printed without control characters.
 *
 * <p>Sources: HTTP/1.1 is RFC 9112; problems are RFC 9457; event streams are the HTML standard's section 9.2.
 */
@NullMarked
package mcc.cli;

import org.jspecify.annotations.NullMarked;
