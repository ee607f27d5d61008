/**
 * REST, live events, metrics, and the dashboard's server side.
 *
 * <p>May use {@code node} and, to ask it, the queries of {@code tunnel}. The contract is {@code openapi.json}: exactly what it
 * names is served.
 *
 * <p>Read in this order: {@link mcc.api.Contract} and {@link mcc.api.Schema} (the operations and their inputs),
 * {@link mcc.api.Operations} and a class for each resource (what each does, over the bus), {@link mcc.api.RestRoutes} (HTTP
 * around them), {@link mcc.api.EntityTags} and {@link mcc.api.Replays} (conditions and retries), {@link mcc.api.Waiting} (long
 * polling), {@link mcc.api.Guard} (who may use the node), {@link mcc.api.Problems} (errors), {@link mcc.api.EventLog} and
 * {@link mcc.api.EventStream} (events, resumable), {@link mcc.api.Live} (the dashboard's WebSocket), {@link mcc.api.Metrics},
 * {@link mcc.api.Pages} and {@link mcc.api.ClassPathFiles} (the dashboard's files, by build hash); and what guards every
 * connection: {@link mcc.api.Connections} (their number), {@link mcc.api.Edge}, {@link mcc.api.Pipelining} and
 * {@link mcc.api.Pongs} (the time and memory that each may take).
 *
 * <p>Invariants: bad input is a problem with a code below 500 and never a stack trace; a foreign Host or Origin sees nothing;
 * lists are bounded; a slow reader is dropped, not buffered for; a handler that throws costs its connection, never the server.
 *
 * <p>Sources: RFC 9457 (problems), RFC 9110 (HTTP), the HTML standard's server-sent events, RFC 6901 (pointers);
 * {@code docs/rest.md}.
 */
@NullMarked
package mcc.api;

import org.jspecify.annotations.NullMarked;
