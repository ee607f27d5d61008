package mcc.node;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.LayoutBase;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The text format of the log: {@code TIME LEVEL CLASS message}, then the stack trace of an exception. Text from others, a
 * plugin or a peer, stays on its line and cannot control a terminal: whatever ends a line, moves the cursor or changes the
 * text's direction is written as an escape.
 */
public final class LogText extends LayoutBase<ILoggingEvent> {
    /** The longest message; of a longer one the number of further characters is given. */
    static final int LINE_CHARS = 8_192;

    private static final int FRAMES = 200;
    private static final int CAUSES = 10;
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSX", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    @Override
    public String doLayout(ILoggingEvent event) {
        StringBuilder out = new StringBuilder(128);
        TIME.formatTo(Instant.ofEpochMilli(event.getTimeStamp()), out);
        String level = event.getLevel().toString();
        out.append(' ')
                .append(level)
                .append(" ".repeat(Math.max(0, 5 - level.length())))
                .append(' ');
        String logger = event.getLoggerName();
        out.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(' ');
        append(out, event.getFormattedMessage());
        out.append('\n');
        IThrowableProxy thrown = event.getThrowableProxy();
        for (int i = 0; thrown != null && i < CAUSES; i++) {
            if (i > 0) out.append("Caused by: ");
            append(out, thrown);
            thrown = thrown.getCause();
        }
        return out.toString();
    }

    private static void append(StringBuilder out, IThrowableProxy thrown) {
        out.append(thrown.getClassName()).append(": ");
        append(out, thrown.getMessage());
        out.append('\n');
        StackTraceElementProxy[] frames = thrown.getStackTraceElementProxyArray();
        int shown = Math.min(FRAMES, frames.length - thrown.getCommonFrames());
        for (int i = 0; i < shown; i++) {
            out.append('\t');
            append(out, frames[i].toString());
            out.append('\n');
        }
        if (shown < frames.length)
            out.append("\t... ").append(frames.length - shown).append(" more\n");
    }

    private static void append(StringBuilder out, @Nullable String text) {
        if (text == null) return;
        int end = Math.min(text.length(), LINE_CHARS);
        plain(out, text, end);
        if (end < text.length()) out.append("... ").append(text.length() - end).append(" more");
    }

    /** Makes a foreign text safe for a line of a terminal. */
    public static String plain(String text) {
        StringBuilder out = new StringBuilder(text.length());
        plain(out, text, text.length());
        return out.toString();
    }

    private static void plain(StringBuilder out, String text, int end) {
        for (int i = 0; i < end; ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (isPlain(c)) out.appendCodePoint(c);
            else if (c == '\n') out.append("\\n");
            else if (c == '\t') out.append("\\t");
            else out.append(String.format(c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
        }
    }

    private static boolean isPlain(int c) {
        if (c >= 0x20 && c < 0x7f) return true;
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
