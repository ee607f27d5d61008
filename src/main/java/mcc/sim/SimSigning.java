package mcc.sim;

import mcc.core.Bytes;
import mcc.core.Id;
import mcc.dht.Signing;

/**
 * A stand-in for Ed25519 that anybody could forge: a 64-bit hash of writer and message. It tells a changed record from an
 * unchanged one, at a hundredth of the cost. Positions are the words of the ID in another order: IDs are random here, so
 * positions are too, and code that takes one for the other finds nothing.
 */
final class SimSigning implements Signing {
    private final Id self;

    SimSigning(Id self) {
        this.self = self;
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
        return new Id(node.w1(), node.w2(), node.w3(), node.w0());
    }

    private static Bytes signature(Id writer, byte[] message) {
        long hash = Hash.mix(Hash.START, writer.w0() ^ writer.w3());
        for (byte b : message) hash = Hash.mix(hash, b);
        byte[] out = new byte[64];
        new Id(hash, ~hash, hash * 31, hash * 37).write(out, 0);
        return Bytes.owning(out);
    }
}
