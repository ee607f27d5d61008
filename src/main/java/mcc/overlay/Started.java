package mcc.overlay;

/** The core at a desk has begun, for the first time or anew: it knows nothing of what others told its predecessor. */
public record Started(Desk desk) {}
