package mcc.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AeadTest {
    private static final byte[] NONE = {};

    @ParameterizedTest
    @EnumSource
    void theNextNonceMayComeInTheSameArrayButNotTheSameNonceTwice(Aead.Suite suite) {
        Aead seals = new Aead(suite, new byte[Aead.KEY_BYTES]);
        Aead opens = new Aead(suite, new byte[Aead.KEY_BYTES]);
        byte[] nonce = new byte[Aead.NONCE_BYTES];
        byte[] clear = {1, 2, 3};
        byte[] sealed = new byte[clear.length + Aead.TAG_BYTES];
        byte[] opened = new byte[sealed.length];
        for (byte i = 1; i <= 3; i++) {
            nonce[4] = i;
            seals.seal(nonce, NONE, clear, 0, clear.length, sealed, 0);
            assertThat(opens.open(nonce, NONE, sealed, 0, sealed.length, opened, 0))
                    .isEqualTo(clear.length);
            assertThat(opened).startsWith(clear);
        }
        assertThatThrownBy(() -> seals.seal(nonce, NONE, clear, 0, clear.length, sealed, 0))
                .isInstanceOf(IllegalStateException.class);
    }
}
