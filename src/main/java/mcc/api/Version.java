package mcc.api;

/** The program's version, as its manifest says. */
final class Version {
    static final String TEXT = read();

    private Version() {}

    private static String read() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
