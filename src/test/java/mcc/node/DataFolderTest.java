package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import mcc.it.Needs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataFolderTest {
    @TempDir
    Path temp;

    private DataFolder open() {
        return DataFolder.open(temp.resolve("data"));
    }

    private void read() {
        try (DataFolder data = open()) {
            data.identity(() -> new byte[32]);
            data.adminToken(() -> "mcc_a-secret-of-some-length");
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

    @Test
    void aKeyThatDoesNotAgreeWithItsIdIsRefusedAndNotShown() throws Exception {
        read();
        Path key = temp.resolve("data/node.key");
        String good = Files.readString(key);
        Files.writeString(key, good.replaceFirst("seed .", "seed " + (good.contains("seed a") ? 'b' : 'a')));
        Problem p = refused();
        assertThat(p.code()).isEqualTo("key-corrupt");
        assertThat(p.detail() + p.hint()).contains("backup").doesNotContain(good.split("\n")[1].substring(8));
    }

    private Problem refused() {
        try {
            read();
        } catch (Problem p) {
            assertThat(p.hint()).isNotBlank();
            return p;
        }
        throw new AssertionError("opened");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n", "  \n", "short", "two words of some length", "with\u0000zero-and-some-length"})
    void aTokenThatAnybodyCouldSayIsRefusedWithTheWayOut(String token) throws Exception {
        read();
        Path file = temp.resolve("data/admin.token");
        Files.writeString(file, token);
        Problem p = refused();
        assertThat(p.code()).isEqualTo("token-unusable");
        assertThat(p.detail()).contains(file.toString());
        if (!token.isBlank()) assertThat(p.detail()).doesNotContain(token);
        Files.delete(file);
        read();
    }

    @Test
    void aFileOfAnotherKindUnderItsNameIsRefused() throws Exception {
        read();
        for (String name : new String[] {"node.key", "admin.token", "format"}) {
            Path file = temp.resolve("data").resolve(name);
            byte[] good = Files.readAllBytes(file);
            Files.write(file, new byte[1 << 20]);
            assertThat(refused().detail()).as(name).contains(file.toString());
            Files.write(file, good);
        }
        read();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwxrwx", "rwxrwx---", "rwx-wx-wx"})
    void aFolderThatOthersCanWriteIsRefusedUntilItIsTheOwnersAlone(String mode) throws Exception {
        Path data = Files.createDirectory(temp.resolve("data"));
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString(mode));
        Problem p = refused();
        assertThat(p.code()).isEqualTo("data-exposed");
        assertThat(p.hint()).contains("chmod go-w " + data);
        assertThat(data).as("nothing is left there").isEmptyDirectory();
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
        read();
    }

    @Test
    void aFolderThatSomebodyElseMadeIsRefused() throws Exception {
        Needs.root(); // to give a folder away
        Path data = Files.createDirectory(temp.resolve("data"));
        Files.setAttribute(data, "unix:uid", 65_534);
        assertThat(refused().detail()).contains("belongs to ", "runs as ");
        Path own = Files.createDirectory(temp.resolve("own"));
        Files.delete(data);
        Files.createSymbolicLink(data, own);
        Files.setAttribute(data, "unix:uid", 65_534, LinkOption.NOFOLLOW_LINKS);
        assertThat(refused().detail()).as("a link of another's").contains("belongs to ");
    }

    @Test
    void aFolderOfALaterVersionIsRefusedAndOneOfTheFirstIsTaken() throws Exception {
        read();
        Path format = temp.resolve("data/format");
        assertThat(format).content().isEqualTo("2\n");
        Files.delete(format);
        read();
        assertThat(format).content().isEqualTo("2\n");
        Files.writeString(format, "3\n");
        Problem p = refused();
        assertThat(p.code()).isEqualTo("data-newer");
        assertThat(p.detail()).contains("format '3'");
    }

    @Test
    void nothingOfALaterVersionIsTouched() throws Exception {
        read();
        Path data = temp.resolve("data");
        try (Store store = Store.open(data)) {
            store.put("registrations", "r", "{}");
            store.put("contacts", "table", "");
        }
        Files.writeString(data.resolve("plugin-starts.json"), "{\"later\":1}");
        Files.createDirectories(data.resolve("cache/node"));
        Files.writeString(data.resolve("cache/node/file"), "x");
        Files.writeString(data.resolve("format"), "3\n");
        Map<Path, String> before = contents(data);
        assertThat(before).hasSizeGreaterThan(6);
        Problem p = refused();
        assertThat(p.code()).isEqualTo("data-newer");
        assertThat(p.hint()).contains("run the newer version");
        assertThat(contents(data)).isEqualTo(before);
    }

    @Test
    void aKeyOfALaterKindIsRefusedAndKept() throws Exception {
        read();
        Path key = temp.resolve("data/node.key");
        String later = "mcc ed25519 and ml-dsa key, keep it secret\nseed x\n";
        Files.writeString(key, later);
        Problem p = refused();
        assertThat(p.code()).isEqualTo("key-newer");
        assertThat(p.detail()).contains(key.toString()).doesNotContain("seed");
        assertThat(p.hint()).contains("run the newer version");
        assertThat(key).content().isEqualTo(later);
    }

    private static Map<Path, String> contents(Path folder) throws Exception {
        Map<Path, String> out = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.filter(Files::isRegularFile).toList()) {
                out.put(each, HexFormat.of().formatHex(Files.readAllBytes(each)));
            }
        }
        return out;
    }

    @Test
    void whatAKilledNodeUnpackedIsRemovedAndNothingOutsideIt() throws Exception {
        read();
        Path outside = Files.writeString(temp.resolve("outside"), "x");
        Path cache = Files.createDirectories(temp.resolve("data/cache/node/deep"));
        Files.createSymbolicLink(cache.resolve("link"), temp);
        try (DataFolder data = open()) {
            assertThat(temp.resolve("data/cache")).doesNotExist();
            assertThat(data.unpacking("node").getFileCacheDir()).startsWith(temp.toString());
        }
        assertThat(outside).exists();
        assertThat(temp.resolve("data/cache")).doesNotExist();
    }

    @Test
    void aSecondNodeInTheFolderIsRefused() {
        try (DataFolder first = open()) {
            assertThat(refused().code()).as(first.path().toString()).isEqualTo("data-in-use");
        }
        read();
    }
}
