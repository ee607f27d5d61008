package mcc.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.function.Function;
import mcc.core.Bytes;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * A signed envelope for everything that nodes store for others. Always well-formed; holders and readers must check the
 * signature over {@link #signedBytes}.
 *
 * <p>The signature covers {@code "mcc/record/1"}, the network's name after its length in two bytes, and the content's bytes
 * exactly as they were received, so re-encoding cannot change what was signed.
 */
@SuppressWarnings("JavaLangClash") // The field's own word; java.lang.Record is never named in this program.
public final class Record {
    private static final byte[] KIND = Bytes.utf8("mcc/record/1").toArray();
    private static final int VERSION = 1;

    /**
     * The content of a record.
     *
     * @param key where it is stored
     * @param writer the Ed25519 public key that signs
     * @param slot tells a writer's instances under one key apart; {@link Id#ZERO} for the only one
     * @param seq grows with every version of (key, writer, slot); at least 0
     * @param issuedAtMs milliseconds since 1970; at least 0
     * @param leaseMs how long to keep it, 0 (withdrawn) to {@link Limits#LEASE_MS}
     * @param beatMs the record counts as live while its writer sends a heartbeat at least this often; 0 (no heartbeats) to
     *     {@link Limits#LEASE_MS}
     * @param admit why the writer may write here, opaque, at most {@link Limits#ADMIT_BYTES}
     * @param body opaque, at most {@link Limits#BODY_BYTES}
     */
    public record Content(
            Id key, Id writer, Id slot, long seq, long issuedAtMs, long leaseMs, long beatMs, Bytes admit, Bytes body) {
        /** Refuses values that are out of range. */
        public Content {
            String wrong = wrong(seq, issuedAtMs, leaseMs, beatMs, admit.size(), body.size());
            if (wrong != null) throw new IllegalArgumentException(wrong);
        }

        private static @Nullable String wrong(
                long seq, long issuedAtMs, long leaseMs, long beatMs, int admit, int body) {
            if (seq < 0 || issuedAtMs < 0) return "seq and issuedAtMs are at least 0";
            if (leaseMs < 0 || leaseMs > Limits.LEASE_MS) return "leaseMs is 0 to " + Limits.LEASE_MS;
            if (beatMs < 0 || beatMs > Limits.LEASE_MS) return "beatMs is 0 to " + Limits.LEASE_MS;
            if (admit > Limits.ADMIT_BYTES) return "admit has at most " + Limits.ADMIT_BYTES + " bytes";
            return body > Limits.BODY_BYTES ? "a body has at most " + Limits.BODY_BYTES + " bytes" : null;
        }
    }

    private final Content content;
    private final Bytes raw;
    private final Bytes signature;

    private Record(Content content, Bytes raw, Bytes signature) {
        this.content = content;
        this.raw = raw;
        this.signature = signature;
    }

    /** Makes a record; {@code sign} returns the writer's signature over the given bytes, 64 bytes long. */
    public static Record sign(Content content, Bytes network, Function<byte[], Bytes> sign) {
        Bytes raw = encode(content);
        Bytes signature = sign.apply(signedBytes(network, raw));
        if (signature.size() != Limits.SIGNATURE_BYTES) throw new IllegalArgumentException("a signature has 64 bytes");
        return new Record(content, raw, signature);
    }

    /** Parses an envelope; null if it is malformed. The signature is not checked. */
    public static @Nullable Record parse(Bytes raw, Bytes signature) {
        if (raw.size() > Limits.CONTENT_BYTES || signature.size() != Limits.SIGNATURE_BYTES) return null;
        try {
            Content content = content(mcc.wire.pb.RecordContent.parseFrom(raw.toArray()));
            return content == null ? null : new Record(content, raw, signature);
        } catch (InvalidProtocolBufferException _) {
            return null; // Not protobuf: the caller counts it.
        }
    }

    /** Returns the parsed content. */
    public Content content() {
        return content;
    }

    /** Returns the content's bytes, as they were signed. */
    public Bytes raw() {
        return raw;
    }

    /** Returns the writer's signature, 64 bytes. */
    public Bytes signature() {
        return signature;
    }

    /** Returns the bytes that the signature covers in {@code network}. */
    public byte[] signedBytes(Bytes network) {
        return signedBytes(network, raw);
    }

    private static byte[] signedBytes(Bytes network, Bytes raw) {
        int n = KIND.length;
        byte[] out = new byte[n + 2 + network.size() + raw.size()];
        System.arraycopy(KIND, 0, out, 0, n);
        out[n] = (byte) (network.size() >>> 8);
        out[n + 1] = (byte) network.size();
        network.write(out, n + 2);
        raw.write(out, n + 2 + network.size());
        return out;
    }

    private static Bytes encode(Content c) {
        var out = mcc.wire.pb.RecordContent.newBuilder()
                .setVersion(VERSION)
                .setKey(Fields.bytes(c.key))
                .setWriter(Fields.bytes(c.writer))
                .setSeq(c.seq)
                .setIssuedAtMs(c.issuedAtMs)
                .setLeaseMs(c.leaseMs)
                .setBeatMs(c.beatMs)
                .setAdmit(Fields.bytes(c.admit))
                .setBody(Fields.bytes(c.body));
        if (!c.slot.equals(Id.ZERO)) out.setSlot(Fields.bytes(c.slot));
        return Bytes.owning(out.build().toByteArray());
    }

    private static @Nullable Content content(mcc.wire.pb.RecordContent pb) {
        Id key = Fields.id(pb.getKey());
        Id writer = Fields.id(pb.getWriter());
        Id slot = pb.getSlot().isEmpty() ? Id.ZERO : Fields.id(pb.getSlot());
        if (pb.getVersion() != VERSION || key == null || writer == null || slot == null) return null;
        long seq = pb.getSeq();
        long issued = pb.getIssuedAtMs();
        long lease = pb.getLeaseMs();
        long beat = pb.getBeatMs();
        int admit = pb.getAdmit().size();
        if (Content.wrong(seq, issued, lease, beat, admit, pb.getBody().size()) != null) return null;
        return new Content(
                key, writer, slot, seq, issued, lease, beat, Fields.bytes(pb.getAdmit()), Fields.bytes(pb.getBody()));
    }

    /** Returns the size as a field of another message, in bytes. */
    int wireBytes() {
        int n = field(raw.size()) + field(signature.size());
        return field(n);
    }

    static int field(int bytes) {
        return bytes + (bytes < 128 ? 2 : 3);
    }

    mcc.wire.pb.Record toProto() {
        return mcc.wire.pb.Record.newBuilder()
                .setContent(Fields.bytes(raw))
                .setSignature(Fields.bytes(signature))
                .build();
    }

    static @Nullable Record of(mcc.wire.pb.Record pb) {
        return parse(Fields.bytes(pb.getContent()), Fields.bytes(pb.getSignature()));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Record r && raw.equals(r.raw) && signature.equals(r.signature);
    }

    @Override
    public int hashCode() {
        return 31 * raw.hashCode() + signature.hashCode();
    }

    @Override
    public String toString() {
        return "Record[key=" + content.key.shortText() + ", writer=" + content.writer.shortText() + ", seq="
                + content.seq + ", leaseMs=" + content.leaseMs + "]";
    }
}
