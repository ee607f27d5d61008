package mcc.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import mcc.core.Rng;
import mcc.crypto.Aead;
import mcc.crypto.Vectors;
import org.junit.jupiter.api.Test;

/** The handshake against the cacophony vectors: IK and XX over 25519 and SHA-256, both ciphers. */
class NoiseVectorsTest {
    @Test
    void bothSidesSayWhatTheVectorsSay() {
        int run = 0;
        for (JsonNode v : Vectors.read("noise-cacophony.json").get("vectors")) {
            String[] name = v.get("protocol_name").asText().split("_");
            if (!name[4].equals("SHA256") || !(name[1].equals("IK") || name[1].equals("XX"))) continue;
            Aead.Suite suite = name[3].equals("AESGCM") ? Aead.Suite.AES_256_GCM : Aead.Suite.CHACHA20_POLY1305;
            check(v, Handshake.Pattern.valueOf(name[1]), suite);
            run++;
        }
        assertThat(run).isEqualTo(4);
    }

    private static void check(JsonNode v, Handshake.Pattern pattern, Aead.Suite suite) {
        byte[] known = v.has("init_remote_static") ? hex(v, "init_remote_static") : null;
        Handshake i = new Handshake(
                suite, pattern, true, hex(v, "init_prologue"), hex(v, "init_static"), known, hex(v, "init_ephemeral"));
        Handshake r = new Handshake(
                suite, pattern, false, hex(v, "resp_prologue"), hex(v, "resp_static"), null, hex(v, "resp_ephemeral"));
        JsonNode messages = v.get("messages");
        int at = 0;
        for (; !i.done(); at++) {
            Handshake from = at % 2 == 0 ? i : r;
            Handshake to = at % 2 == 0 ? r : i;
            byte[] payload = hex(messages.get(at), "payload");
            byte[] message = from.write(payload);
            assertThat(message).isEqualTo(hex(messages.get(at), "ciphertext"));
            assertThat(to.read(message)).isEqualTo(payload);
        }
        assertThat(i.hash()).isEqualTo(r.hash()).isEqualTo(hex(v, "handshake_hash"));
        byte[][] keys = i.split();
        assertThat(r.split()).isDeepEqualTo(keys);
        long[] n = new long[2];
        for (; at < messages.size(); at++) {
            int direction = at % 2;
            byte[] payload = hex(messages.get(at), "payload");
            byte[] out = new byte[payload.length + 16];
            byte[] nonce = new byte[12];
            nonce[suite == Aead.Suite.AES_256_GCM ? 11 : 4] = (byte) n[direction]++;
            new Aead(suite, keys[direction]).seal(nonce, new byte[0], payload, 0, payload.length, out, 0);
            assertThat(out).isEqualTo(hex(messages.get(at), "ciphertext"));
        }
    }

    @Test
    void aFlippedBitAnywhereEndsTheHandshake() {
        Rng rng = Rng.seeded(5);
        byte[] rPrivate = rng.bytes(32);
        byte[] rPublic = mcc.crypto.X25519.publicKey(rPrivate);
        Handshake i = new Handshake(Handshake.Pattern.IK, true, new byte[0], rng.bytes(32), rPublic, rng.bytes(32));
        byte[] message = i.write(new byte[] {1, 2, 3});
        for (int bit = 0; bit < 8 * message.length; bit++) {
            byte[] bad = message.clone();
            bad[bit / 8] ^= (byte) (1 << bit % 8);
            Handshake r = new Handshake(Handshake.Pattern.IK, false, new byte[0], rPrivate, null, rng.bytes(32));
            // X25519 ignores the top bit of a public key, but the hash does not.
            assertThat(r.read(bad)).as("bit " + bit).isNull();
        }
        for (int length = 0; length < message.length; length++) {
            Handshake r = new Handshake(Handshake.Pattern.IK, false, new byte[0], rPrivate, null, rng.bytes(32));
            assertThat(r.read(java.util.Arrays.copyOf(message, length))).isNull();
        }
        Handshake other = new Handshake(Handshake.Pattern.IK, false, new byte[] {9}, rPrivate, null, rng.bytes(32));
        assertThat(other.read(message)).as("another prologue").isNull();
    }

    private static byte[] hex(JsonNode node, String field) {
        return Vectors.hex(node.get(field).asText());
    }
}
