package mcc.tunnel;

import java.util.Locale;
import mcc.registry.ServiceName;
import org.jspecify.annotations.Nullable;

/** The DNS form of service names: {@code name.org.mcc}. */
final class Names {
    private static final String SUFFIX = ".mcc";

    private Names() {}

    /** Parses a host name; null when it names no service. */
    static @Nullable ServiceName parse(String host) {
        String lower = host.toLowerCase(Locale.ROOT);
        if (lower.endsWith(".")) lower = lower.substring(0, lower.length() - 1);
        if (!lower.endsWith(SUFFIX)) return null;
        String stem = lower.substring(0, lower.length() - SUFFIX.length());
        int dot = stem.indexOf('.');
        if (dot < 0) return null;
        return ServiceName.parse(stem.substring(dot + 1) + "/" + stem.substring(0, dot), ServiceName.OPEN);
    }
}
