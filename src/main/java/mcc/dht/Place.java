package mcc.dht;

import mcc.core.Id;

/** Where a record of ours stands: under which key, and which of ours there. */
public record Place(Id key, Id slot) {}
