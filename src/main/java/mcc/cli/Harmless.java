package mcc.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * A stream of text that no word of another machine can steer a terminal by, whatever verb prints it. It lets ESC pass, by which
 * this program's own colours begin: verbs take that from others' words themselves, by {@link Text#clean} and
 * {@link Cli#printJson}.
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
