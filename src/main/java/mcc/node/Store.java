package mcc.node;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Named maps of text in one file of the data folder, {@code store.mv}. Blocks; not thread-safe.
 *
 * <p>Losses are detected and reported. Each value has a checksum of its own, because the file's pages have none. Each change
 * increases a count in the file and, once it was forced to disk, in {@code store.generation} beside it: a file with a lower
 * count is older than what was acknowledged, even if its library finds nothing wrong. A corrupt file is moved aside, one with
 * damaged or missing values is copied, and the node reports a problem while such a file is there. Anything else that keeps the
 * file from being opened stops the start and leaves the file as it is: it may belong to another user, be in use by a backup,
 * or be newer than this program.
 *
 * <p>Format 1 (0.1.0) had neither checksums nor a count; it becomes format 2 when it is opened.
 */
final class Store implements AutoCloseable {
    static final String FILE = "store.mv";
    /** Contains the count of acknowledged changes, as text of a fixed length. */
    static final String GENERATION = "store.generation";

    private static final Logger LOG = LoggerFactory.getLogger(Store.class);
    private static final String OWN = "mcc";
    private static final String FORMAT_KEY = "format";
    private static final String GENERATION_KEY = "generation";
    private static final int FORMAT = 2;
    private static final int KEPT = 5;
    private static final int SUM = 9;

    private final Path folder;
    private final MVStore store;
    private final MVMap<String, String> own;
    private final @Nullable FileChannel counter;
    private long generation;
    private boolean isAfresh;

    private Store(Path folder, MVStore store, @Nullable FileChannel counter) {
        this.folder = folder;
        this.store = store;
        this.counter = counter;
        own = store.openMap(OWN);
    }

    /**
     * Opens the store of a data folder, or creates it.
     *
     * @throws Problem if it is in use, another user's, unreadable, or of a newer version
     */
    static Store open(Path folder) {
        Path file = folder.resolve(FILE);
        long acknowledged = acknowledged(folder);
        try {
            boolean made = !Files.exists(file, LinkOption.NOFOLLOW_LINKS);
            if (made) Files.createFile(file, Ownership.FILE);
            checkOwner(file);
            boolean empty = Files.size(file) == 0;
            Store opened = at(folder, file);
            if (empty && acknowledged > 0) opened.tellGone(made, acknowledged);
            else if (!empty && !opened.isAfresh) opened.check(file, acknowledged);
            opened.settle(acknowledged);
            return opened;
        } catch (IOException e) {
            throw unusable(file, Problem.text(e), "correct its owner and mode, or repair the disk");
        }
    }

    private static void checkOwner(Path file) throws IOException {
        if (!Files.isRegularFile(file)) throw unusable(file, "it is not a file", "move it away");
        if (!Ownership.isOwn(file)) {
            throw new Problem(
                    "store-foreign",
                    "the store " + file + " belongs to " + Ownership.name(file) + ", but this node runs as "
                            + Ownership.who(),
                    "run: chown " + Ownership.who() + " " + file + " — or run the node as its owner");
        }
        String fault = Ownership.fault(file);
        if (fault != null) {
            throw new Problem("store-exposed", "the store " + file + " " + fault, "run: chmod go-w " + file);
        }
        if (!Files.isReadable(file) || !Files.isWritable(file)) {
            throw unusable(file, "it may not be read and written", "run: chmod u+rw " + file);
        }
    }

    private static Store at(Path folder, Path file) throws IOException {
        try {
            return read(folder, file);
        } catch (MVStoreException e) {
            if (!isCorrupt(e)) throw refusal(file, e);
            Path aside = aside(folder);
            Files.move(file, aside);
            prune(folder);
            LOG.error(
                    "the store {} is corrupt ({}); it was moved to {} and the node starts with an empty one:"
                            + " registrations and forwards have to be made again",
                    file,
                    e.getMessage(),
                    aside);
            Files.createFile(file, Ownership.FILE);
            Store afresh = read(folder, file);
            afresh.isAfresh = true;
            return afresh;
        }
    }

    /** Opens the file and reads all of it once, so that corruption shows now and not later. */
    private static Store read(Path folder, Path file) throws IOException {
        MVStore opened = new MVStore.Builder().fileName(file.toString()).open();
        FileChannel counter = counter(folder);
        try {
            Store out = new Store(folder, opened, counter);
            String format = out.own(FORMAT_KEY);
            if (format != null && !format.equals(String.valueOf(FORMAT))) {
                throw new Problem(
                        "store-newer",
                        "the store " + file + " has format " + format + ", and this version knows " + FORMAT
                                + " and older ones",
                        "run the newer version of MCC, or move the file away and make registrations and forwards again");
            }
            if (format == null) out.migrate();
            String count = out.own(GENERATION_KEY);
            out.generation = count == null ? 0 : Long.parseLong(count);
            for (String map : out.maps()) out.<Object>map(map).forEach((_, _) -> {});
            return out;
        } catch (RuntimeException e) {
            opened.closeImmediately();
            if (counter != null) counter.close();
            if (e instanceof MVStoreException || e instanceof Problem) throw e;
            throw DataUtils.newMVStoreException(
                    DataUtils.ERROR_FILE_CORRUPT, "{0}", e); // whatever a broken page led to
        }
    }

    private void migrate() {
        for (String map : maps()) {
            MVMap<String, String> values = map(map);
            for (Map.Entry<String, String> e : new TreeMap<>(values).entrySet()) {
                boolean done =
                        text(map, e.getKey(), e.getValue()) != null; // by an earlier attempt that was interrupted
                if (!done) values.put(e.getKey(), sealed(map, e.getKey(), e.getValue()));
            }
        }
        own.put(FORMAT_KEY, sealed(OWN, FORMAT_KEY, String.valueOf(FORMAT)));
        store.commit();
    }

    /** A value of this class's own; null if there is none. */
    private @Nullable String own(String key) {
        String sealed = own.get(key);
        String text = text(OWN, key, sealed);
        if (sealed != null && text == null) {
            throw DataUtils.newMVStoreException(DataUtils.ERROR_FILE_CORRUPT, "{0} is damaged", key);
        }
        return text;
    }

    private List<String> maps() {
        List<String> out = new ArrayList<>(store.getMapNames());
        out.remove(OWN);
        Collections.sort(out);
        return out;
    }

    private <V> MVMap<String, V> map(String name) {
        return store.openMap(name);
    }

    // ---- what was lost ----------------------------------------------------------------------------------------------

    private void tellGone(boolean isMissing, long acknowledged) {
        LOG.error(
                "the store {} {}, and {} changes were saved in it: registrations and forwards have to be made again",
                folder.resolve(FILE),
                isMissing ? "is gone" : "is empty",
                acknowledged);
        try {
            Files.createFile(aside(folder), Ownership.FILE); // nothing is left to keep, but the loss must be reported
            prune(folder);
        } catch (IOException e) {
            LOG.error("the loss cannot be noted in {}: {}", folder, Problem.text(e));
        }
    }

    /** Removes damaged values; keeps a copy of the file if there are any, or if acknowledged changes are missing. */
    private void check(Path file, long acknowledged) throws IOException {
        Map<String, List<String>> damaged = new TreeMap<>();
        int count = 0;
        for (String map : maps()) {
            for (Map.Entry<String, String> e : new TreeMap<>(this.<String>map(map)).entrySet()) {
                if (text(map, e.getKey(), e.getValue()) != null) continue;
                damaged.computeIfAbsent(map, _ -> new ArrayList<>()).add(e.getKey());
                count++;
            }
        }
        long missing = acknowledged - generation;
        if (count == 0 && missing <= 0) return;
        Path aside = aside(folder);
        Files.copy(file, aside);
        prune(folder);
        damaged.forEach((map, keys) -> keys.forEach(key -> map(map).remove(key)));
        store.commit();
        if (count > 0) LOG.error("{} values of the store {} are damaged and were left out", count, file);
        if (missing > 0) LOG.error("the store {} is older than it was: the last {} changes are missing", file, missing);
        LOG.error("a copy of the store is kept in {}", aside);
    }

    /** The files that were kept after losses, newest first; each has what the store contained then. */
    static List<Path> losses(Path folder) {
        List<Path> out = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, FILE + ".corrupt-*")) {
            files.forEach(out::add);
        } catch (IOException e) {
            LOG.warn("cannot read {}: {}", folder, Problem.text(e));
        }
        out.sort(Collections.reverseOrder());
        return out;
    }

    private static Path aside(Path folder) {
        long ms = System.currentTimeMillis();
        while (Files.exists(folder.resolve(FILE + ".corrupt-" + ms))) ms++;
        return folder.resolve(FILE + ".corrupt-" + ms);
    }

    private static void prune(Path folder) throws IOException {
        List<Path> all = losses(folder);
        for (Path old : all.subList(Math.min(KEPT, all.size()), all.size())) Files.deleteIfExists(old);
    }

    // ---- errors -----------------------------------------------------------------------------------------------------

    private static boolean isCorrupt(MVStoreException e) {
        return switch (e.getErrorCode()) {
            case DataUtils.ERROR_FILE_CORRUPT,
                    DataUtils.ERROR_INTERNAL,
                    DataUtils.ERROR_SERIALIZATION,
                    DataUtils.ERROR_CHUNK_NOT_FOUND,
                    DataUtils.ERROR_BLOCK_NOT_FOUND,
                    DataUtils.ERROR_UNKNOWN_DATA_TYPE -> true;
            case DataUtils.ERROR_READING_FAILED ->
                !(cause(e) instanceof IOException io) || io instanceof java.io.EOFException;
            default -> false;
        };
    }

    private static Throwable cause(Throwable e) {
        Throwable deepest = e;
        while (deepest.getCause() != null) deepest = deepest.getCause();
        return deepest;
    }

    private static Problem refusal(Path file, MVStoreException e) {
        return switch (e.getErrorCode()) {
            case DataUtils.ERROR_FILE_LOCKED ->
                new Problem(
                        "data-in-use",
                        "the store " + file + " is locked by another process",
                        "stop the other node, or wait until the backup that reads it is done; or choose another folder"
                                + " with --data DIR");
            case DataUtils.ERROR_UNSUPPORTED_FORMAT ->
                new Problem(
                        "store-newer",
                        "the store " + file + " was written by a newer version: " + e.getMessage(),
                        "run the newer version of MCC, or move the file away");
            default -> unusable(file, reason(e), "correct its owner and mode, or repair the disk");
        };
    }

    private static Problem unusable(Path file, String why, String hint) {
        return new Problem("store-unusable", "the store " + file + " cannot be opened: " + why, hint);
    }

    /** The system's message, without what the library wraps around it. */
    static String reason(Throwable e) {
        Throwable deepest = cause(e);
        return deepest instanceof IOException ? Problem.text(deepest) : "the store cannot save it";
    }

    // ---- use --------------------------------------------------------------------------------------------------------

    /** Stores a value; returns when it is on disk. */
    void put(String map, String key, String value) {
        this.<String>map(map).put(key, sealed(map, key, value));
        force();
    }

    /** Removes a value; returns when that is on disk. */
    void remove(String map, String key) {
        map(map).remove(key);
        force();
    }

    /** All values of a map, sorted by key. */
    Map<String, String> all(String map) {
        Map<String, String> out = new TreeMap<>();
        this.<String>map(map).forEach((key, kept) -> {
            String value = text(map, key, kept);
            if (value != null) out.put(key, value);
        });
        return out;
    }

    private void force() {
        count(generation + 1);
        acknowledge();
    }

    private void count(long to) {
        own.put(GENERATION_KEY, sealed(OWN, GENERATION_KEY, String.valueOf(to)));
        store.commit();
        store.sync();
        generation = to;
    }

    /** Raises the count to what was acknowledged, so that a reported loss is not reported again. */
    private void settle(long acknowledged) {
        if (generation >= acknowledged) return;
        try {
            count(acknowledged);
        } catch (MVStoreException e) {
            LOG.warn("the store cannot be written: {}", reason(e));
            generation = acknowledged;
        }
    }

    boolean isClosed() {
        return store.isClosed();
    }

    /** Closes the file as it is; a failed write stays undone. */
    void abandon() {
        store.closeImmediately();
        closeCounter();
    }

    /** All changes are in the file already. If it cannot be compacted, as a damaged one cannot, it stays as it is. */
    @Override
    public void close() {
        try {
            store.close(1000);
        } catch (MVStoreException e) {
            LOG.warn("the store was closed without being compacted: {}", reason(e));
            store.closeImmediately();
        } finally {
            closeCounter();
        }
    }

    // ---- checksums and the count ------------------------------------------------------------------------------------

    private static String sealed(String map, String key, String value) {
        return sum(map, key, value) + ' ' + value;
    }

    /** The value in a sealed text; null if value or key are not what was sealed. */
    private static @Nullable String text(String map, String key, @Nullable Object sealed) {
        if (!(sealed instanceof String text) || text.length() < SUM) return null;
        String value = text.substring(SUM);
        return text.startsWith(sum(map, key, value) + ' ') ? value : null;
    }

    private static String sum(String map, String key, String value) {
        CRC32C crc = new CRC32C();
        crc.update((map + '\0' + key + '\0' + value).getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }

    /** The count in the file beside the store; 0 if there is none. */
    private static long acknowledged(Path folder) {
        try {
            String text = Files.readString(folder.resolve(GENERATION)).strip();
            return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
        } catch (IOException _) {
            return 0;
        }
    }

    private static @Nullable FileChannel counter(Path folder) {
        Path file = folder.resolve(GENERATION);
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) Files.createFile(file, Ownership.FILE);
            return FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            LOG.warn("cannot write {}, so a store that becomes older will not be noticed: {}", file, Problem.text(e));
            return null;
        }
    }

    /**
     * Writes the count, without forcing it to disk: after a power loss it may be too low, which can hide a loss but never
     * invents one.
     */
    private void acknowledge() {
        if (counter == null) return;
        try {
            counter.write(ByteBuffer.wrap(String.format("%018d%n", generation).getBytes(StandardCharsets.US_ASCII)), 0);
        } catch (IOException e) {
            LOG.debug("cannot count the change: {}", Problem.text(e));
        }
    }

    private void closeCounter() {
        try {
            if (counter != null) counter.close();
        } catch (IOException _) {
            // it was written before
        }
    }
}
