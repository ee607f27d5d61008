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

    /** Bits 16 to 31: the port of TCP at which it takes carriers, at each of its IP addresses; 0 where it takes none. */
    private static final int CARRIER_SHIFT = 16;

    private static final long PORT_MASK = 0xffff;

    /** What a node does that takes carriers at that port. */
    public static long carriersAt(int port) {
        return (port & PORT_MASK) << CARRIER_SHIFT;
    }

    /** The port at which a node takes carriers; 0 for none. */
    public static int carrierPort(long capabilities) {
        return (int) (capabilities >>> CARRIER_SHIFT & PORT_MASK);
    }

    private Capabilities() {}
}
