package mcc.node;

/** A core failed in the midst of a step, so that its state is not to be trusted any more: its verticle is started again. */
final class Broken extends RuntimeException {
    Broken(Throwable cause) {
        super(String.valueOf(cause), cause);
    }
}
