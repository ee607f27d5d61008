package mcc.overlay;

/** The core at a mailbox was started, for the first time or again: it knows nothing of what others told its predecessor. */
public record Started(Mailbox mailbox) {}
