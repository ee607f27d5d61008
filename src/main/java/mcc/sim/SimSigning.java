package mcc.sim;

import java.util.HashMap;
import java.util.Map;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.crypto.Sha256;
import mcc.dht.Signing;

/**
 * A stand-in for Ed25519 that anybody could forge: a 64-bit hash of writer and message. It tells a changed record from an
 * unchanged one, at a hundredth of the cost. Positions are real SHA-256, computed once per node.
 */
final class SimSigning implements Signing {
    private final Id self;
    private final Map<Id, Id> positions;

    /** {@code positions} is shared by all nodes of a world. */
    SimSigning(Id self, Map<Id, Id> positions) {
        this.self = self;
        this.positions = positions;
    }

    static Map<Id, Id> positions() {
        return new HashMap<>(); // Looked up, never iterated.
    }

    @Override
    public Bytes sign(byte[] message) {
        return signature(self, message);
    }

    @Override
    public boolean verify(Id writer, byte[] message, Bytes signature) {
        return signature(writer, message).equals(signature);
    }

    @Override
    public Id position(Id node) {
        Id position = positions.get(node);
        if (position != null) return position;
        position = Sha256.id(node.toBytes());
        positions.put(node, position);
        return position;
    }

    private static Bytes signature(Id writer, byte[] message) {
        long hash = Hash.mix(Hash.START, writer.w0() ^ writer.w3());
        for (byte b : message) hash = Hash.mix(hash, b);
        byte[] out = new byte[64];
        new Id(hash, ~hash, hash * 31, hash * 37).write(out, 0);
        return Bytes.owning(out);
    }
}
