package mcc.tunnel;

import java.util.Locale;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/** The DNS forms: {@code name.org.mcc} for a service, {@code endpoint-id.mcc} for one instance. */
final class Names {
    private static final String SUFFIX = ".mcc";

    private Names() {}

    /** Parses a host name; null when it names neither. */
    static @Nullable Target parse(String host) {
        String lower = host.toLowerCase(Locale.ROOT);
        if (lower.endsWith(".")) lower = lower.substring(0, lower.length() - 1);
        if (!lower.endsWith(SUFFIX)) return null;
        String stem = lower.substring(0, lower.length() - SUFFIX.length());
        int dot = stem.indexOf('.');
        if (dot < 0) {
            Id endpoint = Id.parse(stem);
            return endpoint == null ? null : new Target.Instance(endpoint);
        }
        return Target.parse(stem.substring(dot + 1) + "/" + stem.substring(0, dot), null);
    }
}
