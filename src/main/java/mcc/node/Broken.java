package mcc.node;

/** A core threw in the middle of a step, so its state is not to be trusted: its verticle must be started again. */
final class Broken extends RuntimeException {
    Broken(Throwable cause) {
        super(String.valueOf(cause), cause);
    }
}
