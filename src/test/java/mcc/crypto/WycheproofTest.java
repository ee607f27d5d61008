package mcc.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** The primitives against Wycheproof: every vector of the sizes that MCC uses. */
class WycheproofTest {
    @Test
    void x25519AgreesAndRefusesZero() {
        int run = 0;
        for (Vectors.Case c : Vectors.wycheproof("wycheproof-x25519.json")) {
            byte[] shared = X25519.agree(c.bytes("private"), c.bytes("public"));
            byte[] expected = c.bytes("shared");
            if (Arrays.equals(expected, new byte[32]))
                assertThat(shared).as(c.toString()).isNull();
            else if (c.is("valid")) assertThat(shared).as(c.toString()).isEqualTo(expected);
            run++;
        }
        assertThat(run).isGreaterThan(500);
    }

    @Test
    void ed25519AcceptsTheValidAndNothingElse() {
        int run = 0;
        for (Vectors.Case c : Vectors.wycheproof("wycheproof-ed25519.json")) {
            Id key = Id.of(Vectors.hex(c.group().get("publicKey").get("pk").asText()));
            boolean ok = Ed25519.verify(key, c.bytes("msg"), Bytes.copyOf(c.bytes("sig")));
            assertThat(ok).as(c.toString()).isEqualTo(c.is("valid"));
            run++;
        }
        assertThat(run).isGreaterThan(100);
    }

    @Test
    void hkdfDerives() {
        int run = 0;
        for (Vectors.Case c : Vectors.wycheproof("wycheproof-hkdf_sha256.json")) {
            if (!c.is("valid")) continue;
            int size = c.test().get("size").asInt();
            assertThat(Hkdf.derive(c.bytes("salt"), c.bytes("ikm"), c.bytes("info"), size))
                    .as(c.toString())
                    .isEqualTo(c.bytes("okm"));
            run++;
        }
        assertThat(run).isGreaterThan(50);
    }

    @Test
    void theCiphersSealAndOpen() {
        assertThat(aead("wycheproof-chacha20_poly1305.json", Aead.Suite.CHACHA20_POLY1305))
                .isGreaterThan(100);
        assertThat(aead("wycheproof-aes_gcm.json", Aead.Suite.AES_256_GCM)).isGreaterThan(20);
    }

    private static int aead(String file, Aead.Suite suite) {
        int run = 0;
        for (Vectors.Case c : Vectors.wycheproof(file)) {
            byte[] key = c.bytes("key");
            byte[] nonce = c.bytes("iv");
            byte[] tag = c.bytes("tag");
            if (key.length != 32 || nonce.length != 12 || tag.length != 16) continue;
            byte[] message = c.bytes("msg");
            byte[] ct = c.bytes("ct");
            byte[] box = Arrays.copyOf(ct, ct.length + 16);
            System.arraycopy(tag, 0, box, ct.length, 16);
            byte[] out = new byte[box.length];
            int n = new Aead(suite, key).open(nonce, c.bytes("aad"), box, 0, box.length, out, 0);
            if (c.is("invalid")) {
                assertThat(n).as(c.toString()).isEqualTo(Aead.FORGED);
            } else {
                assertThat(Arrays.copyOf(out, n)).as(c.toString()).isEqualTo(message);
                byte[] sealed = new byte[box.length];
                new Aead(suite, key).seal(nonce, c.bytes("aad"), message, 0, message.length, sealed, 0);
                assertThat(sealed).as(c.toString()).isEqualTo(box);
            }
            run++;
        }
        return run;
    }

    @Test
    void theIdAloneYieldsTheAgreementKey() {
        Rng rng = Rng.seeded(3);
        for (int i = 0; i < 200; i++) {
            Identity identity = Identity.fromSeed(rng.bytes(32));
            assertThat(Ed25519.toX25519(identity.id())).isEqualTo(identity.agreementPublic());
            assertThat(X25519.publicKey(identity.agreementPrivate())).isEqualTo(identity.agreementPublic());
            byte[] message = rng.bytes(i);
            Bytes signature = identity.sign(message);
            assertThat(Ed25519.verify(identity.id(), message, signature)).isTrue();
            assertThat(identity.toString())
                    .doesNotContain("seed")
                    .contains(identity.id().toString());
        }
    }

    @Test
    void unsoundPublicKeysHaveNoAgreementKey() {
        byte[] smallOrder = new byte[32];
        smallOrder[0] = 1; // the neutral element
        assertThat(Ed25519.toX25519(Id.of(smallOrder))).isNull();
        byte[] unreduced = new byte[32];
        Arrays.fill(unreduced, (byte) 0xff); // y ≥ p is not canonical
        unreduced[31] = 0x7f;
        assertThat(Ed25519.toX25519(Id.of(unreduced))).isNull();
        assertThat(Ed25519.toX25519(Id.ZERO)).as("order 4").isNull();
    }
}
