package mcc.dht;

import mcc.wire.Record;

/**
 * A record as a lookup found it, its signature checked.
 *
 * @param beatAgeMs how long ago its writer was last heard by the holder that heard it last
 * @param live whether it is still valid: it has no heartbeats by design, or one came within {@code beatMs}
 */
public record Holding(Record record, long beatAgeMs, boolean live) {}
