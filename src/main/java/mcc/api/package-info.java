/**
 * REST, live events, metrics, and the dashboard's server side.
 *
 * <p>May use {@code node} and, to ask it, the queries of {@code tunnel}. The contract is {@code openapi.json}: what it does
 * not name does not exist, and what it names is served.
 *
 * <p>Read in this order: {@link mcc.api.Contract} and {@link mcc.api.Schema} (the operations and what they take),
 * {@link mcc.api.Operations} and a class for each resource (what each does, over the bus), {@link mcc.api.RestRoutes} (HTTP
 * around them),
 * {@link mcc.api.EntityTags} and {@link mcc.api.Replays} (its conditions and retries), {@link mcc.api.Waiting} (those who
 * wait for a change), {@link mcc.api.Guard} (who may), {@link mcc.api.Problems} (how errors look),
 * {@link mcc.api.EventLog} and {@link mcc.api.EventStream} (what happened, resumable), {@link mcc.api.Live} (the
 * dashboard's one WebSocket), {@link mcc.api.Metrics}, {@link mcc.api.Pages} and {@link mcc.api.ClassPathFiles} (the
 * dashboard's files, by build hash); and what stands before all of them: {@link mcc.api.Connections} (how many),
 * {@link mcc.api.Edge}, {@link mcc.api.Pipelining} and {@link mcc.api.Pongs} (what each may take of time and memory).
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
