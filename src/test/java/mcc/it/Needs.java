package mcc.it;

import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;

/** What a test needs of the machine: skips with a word where it is missing, fails under {@code MCC_REQUIRE_ALL=1}. */
public final class Needs {
    private Needs() {}

    /** A program on PATH or in the usual places; returns its path. */
    public static String program(String name, String debianPackage) {
        String path = System.getenv("PATH") + ":/usr/sbin:/sbin:/usr/local/sbin";
        for (String folder : path.split(":")) {
            Path file = Path.of(folder, name);
            if (Files.isExecutable(file)) return file.toString();
        }
        missing("program '" + name + "' is missing: install Debian's package " + debianPackage);
        return name;
    }

    /** The right to make network namespaces. */
    public static void root() {
        if (!"root".equals(System.getProperty("user.name"))) missing("this test needs root, for network namespaces");
    }

    public static void missing(String what) {
        if ("1".equals(System.getenv("MCC_REQUIRE_ALL"))) throw new AssertionError(what);
        abort(what);
    }
}
