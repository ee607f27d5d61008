package mcc.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * A print stream that keeps text of other machines from controlling the terminal. It passes ESC, with which this program's own
 * colours begin: verbs remove it from others' text by {@link Text#clean} and {@link Cli#printJson}.
 */
final class Harmless extends PrintStream {
    private static final char ESCAPE = 0x1b;

    Harmless(PrintStream to) {
        super(to, true, StandardCharsets.UTF_8);
    }

    @Override
    public void print(String text) {
        super.print(Text.escaped(String.valueOf(text), ESCAPE));
    }
}
