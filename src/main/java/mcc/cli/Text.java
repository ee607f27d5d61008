package mcc.cli;

import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Formats durations, sizes, IDs and foreign text for people. */
final class Text {
    private static final int SHORT_ID = 8;
    private static final int ID_LENGTH = 52;

    private Text() {}

    /** Replaces control characters: text that another machine chose must not control this terminal. */
    static String clean(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (isControl(text.charAt(i))) {
                StringBuilder out = new StringBuilder(text);
                for (int j = i; j < out.length(); j++) if (isControl(out.charAt(j))) out.setCharAt(j, '?');
                return out.toString();
            }
        }
        return text;
    }

    /** C0 and C1 (Unicode chapter 23.1), line separators, and characters that change the text's direction (UAX 9 section 2). */
    private static boolean isControl(char c) {
        return c < ' '
                || c >= 0x7f && c < 0xa0
                || c == 0x061c
                || c == 0x200e
                || c == 0x200f
                || c >= 0x2028 && c <= 0x202e
                || c >= 0x2066 && c <= 0x2069;
    }

    /** Writes what {@link #clean} replaces as JSON escapes, except line feeds and tabs. */
    static String escaped(String text) {
        return escaped(text, '\n');
    }

    /** @param also one more character that stays */
    static String escaped(String text, char also) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isControl(c) || c == '\n' || c == '\t' || c == also) out.append(c);
            else out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
        }
        return out.toString();
    }

    /** Whether it is a complete ID, of a node or an endpoint. */
    static boolean isId(String text) {
        return text.length() == ID_LENGTH && text.matches("[a-z2-7]+");
    }

    /** The first eight characters of an ID, which every command accepts. */
    static String shortId(String id) {
        return id.length() <= SHORT_ID ? id : id.substring(0, SHORT_ID);
    }

    /** A rate, such as {@code 3.31 Gbit/s} or {@code 86.0 Mbit/s}. */
    static String rate(double bitsPerSecond) {
        if (bitsPerSecond >= 1e9) return String.format(Locale.ROOT, "%.2f Gbit/s", bitsPerSecond / 1e9);
        return String.format(Locale.ROOT, "%.1f Mbit/s", bitsPerSecond / 1e6);
    }

    /** A latency, such as {@code 0.4 ms} or {@code 38 ms}; a dash if it is unknown. */
    static String latency(Json ms) {
        double value = ms.number(-1);
        if (value < 0) return "-";
        return value < 10 ? String.format(Locale.ROOT, "%.1f ms", value) : Math.round(value) + " ms";
    }

    /** A duration in its two largest units, such as {@code 3d4h}, {@code 12m5s} or {@code 22s}. */
    static String span(Json ms) {
        double value = ms.number(-1);
        if (value < 0) return "-";
        Duration d = Duration.ofMillis((long) value);
        if (d.toDays() > 0) return d.toDays() + "d" + d.toHoursPart() + "h";
        if (d.toHours() > 0) return d.toHours() + "h" + d.toMinutesPart() + "m";
        if (d.toMinutes() > 0) return d.toMinutes() + "m" + d.toSecondsPart() + "s";
        return d.toSeconds() > 0 ? d.toSeconds() + "s" : d.toMillis() + "ms";
    }

    /** A size in powers of a thousand, such as {@code 812 B} or {@code 1.2 MB}. */
    static String size(Json bytes) {
        double value = bytes.number(-1);
        if (value < 0) return "-";
        if (value < 1000) return Math.round(value) + " B";
        String units = "kMGTP";
        int unit = -1;
        while (value >= 999.95 && unit < units.length() - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %cB", value, units.charAt(unit));
    }

    /**
     * Parses a duration as people write it, such as {@code 500ms}, {@code 5s} or {@code 1h}; milliseconds, or null if it is
     * none.
     */
    static @Nullable Long parseMs(String text) {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') digits++;
        if (digits == 0 || digits > 9) return null;
        long amount = Long.parseLong(text.substring(0, digits));
        return switch (text.substring(digits)) {
            case "ms" -> amount;
            case "s" -> amount * 1_000;
            case "m" -> amount * 60_000;
            case "h" -> amount * 3_600_000;
            case "d" -> amount * 86_400_000;
            default -> null;
        };
    }
}
