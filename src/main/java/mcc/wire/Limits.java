package mcc.wire;

/** The limits that parsers enforce and writers keep. */
public final class Limits {
    /** Largest encoded {@link Rpc}, in bytes. */
    public static final int RPC_BYTES = 1_120;
    /** Most addresses of one {@link Contact}. */
    public static final int CONTACT_ADDRESSES = 4;
    /** Most relays of one {@link Contact}, and most relays behind the first one of a way. */
    public static final int RELAYS = 2;
    /** Most addresses of each of them. */
    public static final int RELAY_ADDRESSES = 2;
    /** Most contacts in one answer. */
    public static final int CONTACTS = 16;
    /** Most records in one answer. */
    public static final int RECORDS = 16;
    /** Largest body of a {@link Record}, in bytes. */
    public static final int BODY_BYTES = 700;
    /** Largest {@code admit} of a {@link Record}, in bytes. */
    public static final int ADMIT_BYTES = 112;
    /** Largest content of a {@link Record}, in bytes. */
    public static final int CONTENT_BYTES = 960;
    /** Length of an Ed25519 signature in bytes. */
    public static final int SIGNATURE_BYTES = 64;
    /** Longest lease of a {@link Record}, in milliseconds. */
    public static final long LEASE_MS = 2 * 3_600_000;

    /** Least padding of a {@link Message.DialBack}, in bytes. */
    public static final int DIAL_BACK_PADDING_BYTES = 64;

    /**
     * What an Rpc needs beside the lists, in bytes: its call number, its body's headers, and either {@code leaf} with a total of
     * up to 2^21 or any total.
     */
    static final int ENVELOPE_BYTES = 32;

    private Limits() {}
}
