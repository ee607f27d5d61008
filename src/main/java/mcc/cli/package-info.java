/**
 * The {@code mcc} command: verbs that speak REST to a node, and a demo that runs nodes of its own.
 *
 * <p>May use the JDK, picocli for the command line, jackson-core for JSON, and {@code mcc.node.Settings} to check a
 * configuration. No Vert.x, no {@code java.net.http}, no jackson-databind: each costs more at the start than a verb
 * takes as a whole, and a command shall feel instant.
 *
 * <p>Read in this order: {@link mcc.cli.Cli} (the options every verb has, and how a failure becomes an exit code),
 * {@link mcc.cli.Rest} (the node's REST interface), {@link mcc.cli.Http} (HTTP/1.1 over one socket),
 * {@link mcc.cli.Json} (reading answers), {@link mcc.cli.Table} and {@link mcc.cli.Text} (what people see), then the
 * verbs: {@code NodeVerbs}, {@code PeerVerbs}, {@code ServiceVerbs}, {@code TunnelVerbs}, {@code PluginVerbs},
 * {@code EventVerbs}, {@code Doctor}, {@code Completion}, {@code Demo}.
 *
 * <p>Invariants: standard output carries the answer and nothing else; whatever went wrong goes to standard error as title,
 * detail and hint, and into the exit code ({@link mcc.cli.Failure}). With {@code --json} the node's answer is printed as
 * it came. Text that other machines chose never reaches the terminal with control characters in it.
 *
 * <p>Sources: HTTP/1.1 is RFC 9112; problems are RFC 9457; event streams are the HTML standard's section 9.2.
 */
@NullMarked
package mcc.cli;

import org.jspecify.annotations.NullMarked;
