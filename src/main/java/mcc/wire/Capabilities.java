package mcc.wire;

/** What a node does beyond what every node does, a bit for each; unknown ones are ignored. */
public final class Capabilities {
    /** It takes echoes and dial-backs for no paths. */
    public static final long PROBES = 1;
    /** It relays for others. */
    public static final long RELAYS = 2;
    /** It punches holes. */
    public static final long PUNCHES = 4;
    /** What every node of this version does. */
    public static final long ALWAYS = PROBES | PUNCHES;

    private Capabilities() {}
}
