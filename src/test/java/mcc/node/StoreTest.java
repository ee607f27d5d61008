package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.TreeMap;
import mcc.core.Rng;
import mcc.it.Needs;
import org.h2.mvstore.MVStore;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the store acknowledged is there after the next start, or its loss is told; and no file is taken from its owner. */
class StoreTest {
    private static final String MAP = "registrations";

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve(Store.FILE);
    }

    private Map<String, String> fill(int from, int to) {
        try (Store store = Store.open(folder)) {
            for (int i = from; i < to; i++) store.put(MAP, "r" + i, "value " + i + " of some length, as JSON has");
            return store.all(MAP);
        }
    }

    private Map<String, String> read() {
        try (Store store = Store.open(folder)) {
            return store.all(MAP);
        }
    }

    private Problem refused() {
        try (Store store = Store.open(folder)) {
            throw new AssertionError("opened, with " + store.all(MAP).size());
        } catch (Problem p) {
            return p;
        }
    }

    @Test
    void whatWasPutAndRemovedIsSoAfterTheNextStart() {
        Map<String, String> all = new TreeMap<>(fill(0, 20));
        try (Store store = Store.open(folder)) {
            store.remove(MAP, "r3");
            store.put("other", "r3", "another map");
        }
        all.remove("r3");
        assertThat(read()).isEqualTo(all).hasSize(19);
        assertThat(Store.losses(folder)).isEmpty();
    }

    @Test
    void aCorruptionLosesNothingOrIsTold() throws Exception {
        Map<String, String> all = fill(0, 45);
        byte[] good = Files.readAllBytes(file);
        Rng rng = Rng.seeded(7);
        int told = 0;
        int whole = 0;
        for (int round = 0; round < 120; round++) {
            byte[] bad = good.clone();
            int at = rng.below(bad.length);
            switch (round % 3) {
                case 0 -> bad[at] ^= (byte) (1 << rng.below(8));
                case 1 -> System.arraycopy(rng.bytes(64), 0, bad, Math.min(at, bad.length - 64), 64);
                default -> bad = java.util.Arrays.copyOf(bad, at);
            }
            Files.write(file, bad);
            Map<String, String> now = read();
            boolean isTold = !Store.losses(folder).isEmpty();
            assertThat(now.entrySet())
                    .as("round " + round + ": nothing is invented")
                    .isSubsetOf(all.entrySet());
            if (!now.equals(all)) assertThat(isTold).as("round " + round).isTrue();
            if (isTold) told++;
            else whole++;
            for (Path loss : Store.losses(folder)) Files.delete(loss);
            Files.write(folder.resolve(Store.GENERATION), "000000000000000045\n".getBytes());
        }
        assertThat(told).isPositive();
        assertThat(whole).isPositive();
    }

    @Test
    void aStoreThatBecameOlderIsToldUntilSomebodyTookNote() throws Exception {
        fill(0, 5);
        Path old = Files.copy(file, folder.resolve("backup"));
        fill(5, 8);
        Files.copy(old, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(read()).hasSize(5);
        assertThat(Store.losses(folder)).hasSize(1);
        fill(8, 9);
        assertThat(read()).hasSize(6);
        assertThat(Store.losses(folder)).as("told once, and still").hasSize(1);
        Files.delete(Store.losses(folder).getFirst());
        assertThat(read()).hasSize(6);
        assertThat(Store.losses(folder)).isEmpty();
    }

    @Test
    void aStoreThatIsGoneOrEmptyIsTold() throws Exception {
        fill(0, 3);
        Files.delete(file);
        assertThat(read()).isEmpty();
        assertThat(Store.losses(folder)).hasSize(1);
        Files.delete(Store.losses(folder).getFirst());
        assertThat(read()).isEmpty();
        assertThat(Store.losses(folder)).as("told once").isEmpty();
        Files.write(file, new byte[0]);
        assertThat(read()).isEmpty();
        assertThat(Store.losses(folder)).hasSize(1);
    }

    @Test
    void keptFilesDoNotFillTheDisk() throws Exception {
        for (int i = 0; i < 9; i++) {
            fill(0, 1);
            Files.write(file, Rng.seeded(i).bytes(20_000));
        }
        read();
        assertThat(Store.losses(folder)).hasSize(5);
    }

    @Test
    void aStoreInUseIsLeftToItsUser() throws Exception {
        Map<String, String> all = fill(0, 3);
        try (Store running = Store.open(folder)) {
            assertThat(refused().code()).isEqualTo("data-in-use");
            running.put(MAP, "r9", "acknowledged");
        }
        assertThat(read()).containsAllEntriesOf(all).containsKey("r9");
        try (FileChannel backup = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                FileLock lock = backup.lock()) {
            assertThat(lock.isValid()).isTrue();
            assertThat(refused().code()).isEqualTo("data-in-use");
        }
        assertThat(read()).hasSize(4);
        assertThat(Store.losses(folder)).isEmpty();
    }

    @Test
    void aStoreThatOthersCanWriteOrThatIsNoFileIsRefused() throws Exception {
        fill(0, 3);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
        assertThat(refused().hint()).contains("chmod go-w " + file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(read()).hasSize(3);
        Files.delete(file);
        Files.createDirectory(file);
        assertThat(refused().code()).isEqualTo("store-unusable");
    }

    @Test
    void aStoreOfAnotherUserIsRefusedAndStaysWhereItIs() throws Exception {
        Needs.root(); // to give a file away
        fill(0, 3);
        Files.setAttribute(file, "unix:uid", 65_534);
        assertThat(refused().code()).isEqualTo("store-foreign");
        Files.setAttribute(file, "unix:uid", 0);
        assertThat(read()).hasSize(3);
    }

    @Test
    void aStoreOfTheFirstVersionIsReadAndOneOfALaterVersionIsNot() throws Exception {
        MVStore first = MVStore.open(file.toString());
        first.openMap(MAP).put("r1", "{\"id\":\"r1\"}");
        first.openMap("contacts").put("table", "abc 127.0.0.1:1\n");
        first.close();
        assertThat(read()).containsExactly(Map.entry("r1", "{\"id\":\"r1\"}"));
        assertThat(read()).as("and again").hasSize(1);
        try (Store store = Store.open(folder)) {
            assertThat(store.all("contacts")).containsEntry("table", "abc 127.0.0.1:1\n");
            store.put("mcc", "format", "3");
        }
        byte[] later = Files.readAllBytes(file);
        assertThat(refused().code()).isEqualTo("store-newer");
        assertThat(refused().hint()).contains("run the newer version");
        assertThat(Files.readAllBytes(file)).as("left as it is").isEqualTo(later);
        assertThat(Store.losses(folder)).isEmpty();
    }

    @Test
    void whatIsMadeIsForItsOwnerAlone() throws Exception {
        fill(0, 1);
        for (Path each : new Path[] {file, folder.resolve(Store.GENERATION)}) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
                    .as(each.toString())
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void anAbandonedWriteIsNoLoss() throws Exception {
        fill(0, 2);
        Store store = Store.open(folder);
        store.put(MAP, "r2", "acknowledged");
        store.abandon();
        assertThat(read()).hasSize(3);
        assertThat(Store.losses(folder)).isEmpty();
        assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> store.put(MAP, "r3", "closed"));
        try (RandomAccessFile garbage =
                new RandomAccessFile(folder.resolve(Store.GENERATION).toFile(), "rw")) {
            garbage.write("no number".getBytes());
        }
        assertThat(read()).as("a count that cannot be read alarms nobody").hasSize(3);
        assertThat(Store.losses(folder)).isEmpty();
    }
}
