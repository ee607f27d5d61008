package mcc.dht;

import mcc.core.Id;

/** What identifies a record of ours: its key, and its slot under that key. */
public record Place(Id key, Id slot) {}
