package mcc.dht;

import mcc.core.Bytes;
import mcc.core.Id;
import mcc.crypto.Ed25519;
import mcc.crypto.Identity;
import mcc.crypto.Sha256;

/** The cryptography that the DHT needs. Real nodes use {@link #of}; the simulator has a cheap stand-in. */
public interface Signing {
    /** Returns our own signature over {@code message}, 64 bytes. */
    Bytes sign(byte[] message);

    /** Returns whether {@code signature} is that of {@code writer} over {@code message}. */
    boolean verify(Id writer, byte[] message, Bytes signature);

    /** Returns a node's position in the key space. */
    Id position(Id node);

    /** Ed25519, with positions by SHA-256 of the node's ID. */
    static Signing of(Identity identity) {
        return new Signing() {
            @Override
            public Bytes sign(byte[] message) {
                return identity.sign(message);
            }

            @Override
            public boolean verify(Id writer, byte[] message, Bytes signature) {
                return Ed25519.verify(writer, message, signature);
            }

            @Override
            public Id position(Id node) {
                return Sha256.id(node.toBytes());
            }
        };
    }
}
