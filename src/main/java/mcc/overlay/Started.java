package mcc.overlay;

/** The core at a desk was started, for the first time or again: it knows nothing of what others told its predecessor. */
public record Started(Desk desk) {}
