package mcc.api;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mcc.crypto.Sha256;
import org.jspecify.annotations.Nullable;

/** Entity tags (RFC 9110 section 8.8.3) and the conditions that use them (sections 13.1.1 and 13.1.2). */
final class EntityTags {
    private static final Pattern TAG = Pattern.compile("(?:W/)?(\"[\\x21\\x23-\\x7e\\x80-\\xff]*\")");
    /** Fields that change with the clock only and leave an answer the same. */
    private static final List<String> CLOCKS = List.of("asOf", "uptimeMs");

    private EntityTags() {}

    /** The tag of an answer; weak if fields of the clock were left out, as the bytes may then differ. */
    static String of(JsonObject body) {
        JsonObject stable = body.copy();
        boolean weak = false;
        for (String clock : CLOCKS) weak |= stable.remove(clock) != null;
        return (weak ? "W/" : "") + of(stable.encode());
    }

    /** The strong tag of a text. */
    static String of(String text) {
        return '"' + hash(text).substring(0, 16) + '"';
    }

    /** SHA-256 in hexadecimal. */
    static String hash(String text) {
        return HexFormat.of().formatHex(Sha256.of(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The conditions of a request, null where absent; checked by whoever makes the change. */
    record Conditions(@Nullable String ifMatch, @Nullable String ifNoneMatch) {
        static Conditions of(HttpServerRequest request) {
            return new Conditions(header(request, "If-Match"), header(request, "If-None-Match"));
        }

        boolean any() {
            return ifMatch != null || ifNoneMatch != null;
        }

        /**
         * Whether they allow a change.
         *
         * @param now the tag of what is there now; null if nothing is
         */
        boolean pass(@Nullable String now) {
            boolean matches = ifMatch == null
                    || now != null && (isAny(ifMatch) || !now.startsWith("W/") && names(ifMatch, now, 0));
            return matches && passesNone(ifNoneMatch, now);
        }
    }

    /** Whether {@code If-None-Match} lets a request pass; otherwise the reader has this answer already. */
    static boolean passesIfNoneMatch(HttpServerRequest request, String now) {
        return passesNone(header(request, "If-None-Match"), now);
    }

    private static boolean passesNone(@Nullable String header, @Nullable String now) {
        if (header == null || now == null) return true;
        return !isAny(header) && !names(header, now.substring(now.indexOf('"')), 1);
    }

    private static boolean isAny(String header) {
        return header.strip().equals("*");
    }

    /** @param group of the pattern: 0 compares strongly, 1 weakly */
    private static boolean names(String header, String tag, int group) {
        Matcher each = TAG.matcher(header);
        while (each.find()) if (each.group(group).equals(tag)) return true;
        return false;
    }

    /** A header's list may be split over several lines (RFC 9110 section 5.3). */
    private static @Nullable String header(HttpServerRequest request, String name) {
        List<String> lines = request.headers().getAll(name);
        return lines.isEmpty() ? null : String.join(",", lines);
    }
}
