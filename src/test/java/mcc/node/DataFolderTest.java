package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataFolderTest {
    @TempDir
    Path temp;

    private DataFolder open() {
        return DataFolder.open(temp.resolve("data"));
    }

    private void read() {
        try (DataFolder data = open()) {
            data.identity(() -> new byte[32]);
            data.adminToken(() -> "mcc_secret");
        }
    }

    @Test
    void whatIsSecretIsMadeForItsOwnerAlone() throws Exception {
        read();
        Path data = temp.resolve("data");
        for (String each : new String[] {"node.key", "admin.token"}) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve(each))))
                    .as(each)
                    .isEqualTo("rw-------");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data)))
                .isEqualTo("rwx------");
    }

    @ParameterizedTest
    @CsvSource({"node.key, key", "admin.token, token"})
    void aSecretThatOthersCanReadIsRefusedUntilItIsTheOwnersAlone(String name, String kind) throws Exception {
        read();
        Path file = temp.resolve("data").resolve(name);
        for (String mode : new String[] {"rw-r--r--", "rw-r-----", "rw--w----"}) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
            assertThatExceptionOfType(Problem.class)
                    .as(mode)
                    .isThrownBy(this::read)
                    .satisfies(p -> assertThat(p.code()).isEqualTo(kind + "-exposed"))
                    .satisfies(p -> assertThat(p.detail()).contains(file.toString()))
                    .satisfies(p -> assertThat(p.hint()).contains("chmod 600 " + file));
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        read();
    }
}
