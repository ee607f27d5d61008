package mcc.overlay;

/**
 * One message on its way from a core.
 *
 * @param content an input of the core at that desk; for {@link Desk#HOST} the output itself
 */
public record Letter(Desk to, Object content) {}
