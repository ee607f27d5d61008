package mcc.node;

import io.vertx.core.file.FileSystemOptions;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mcc.core.Id;
import mcc.crypto.Identity;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder with what makes a node the same after a restart: its key, its store, the administrator's token. Locked while in
 * use.
 *
 * <p>{@code node.key} holds the Ed25519 seed and the ID that follows from it, as text with mode 0600; the two must agree. A
 * folder that another user could have written is refused. {@code format} contains the version of the folder's format.
 */
public final class DataFolder implements AutoCloseable {
    private static final String KEY_FILE = "node.key";
    private static final String TOKEN_FILE = "admin.token";
    private static final Logger LOG = LoggerFactory.getLogger(DataFolder.class);
    private static final String CACHE = "cache";
    private static final String FORMAT_FILE = "format";
    private static final int FORMAT = 2;
    private static final int SMALL_BYTES = 4096;
    private static final int TOKEN_MIN = 16;
    private static final int TOKEN_MAX = 512;
    /** A key of a later format would have this prefix too, and another continuation. */
    private static final String KIND = "mcc ";

    private static final String HEADER = "mcc ed25519 key, keep it secret";

    private final Path path;
    private final FileChannel channel;
    private final FileLock lock;

    private DataFolder(Path path, FileChannel channel, FileLock lock) {
        this.path = path;
        this.channel = channel;
        this.lock = lock;
    }

    /** The default folder: for root {@code /var/lib/mcc}, else below the user's state folder. */
    public static Path byDefault() {
        if ("root".equals(System.getProperty("user.name"))) return Path.of("/var/lib/mcc");
        String state = System.getenv("XDG_STATE_HOME");
        if (state != null && !state.isBlank()) return Path.of(state, "mcc");
        String home = System.getProperty("user.home", "");
        if (home.startsWith("/")) return Path.of(home, ".local", "state", "mcc");
        throw new Problem("config", "this user has no home folder for the node's data", "name a folder: --data DIR");
    }

    /**
     * Creates the folder if it is missing (mode 0700) and locks it.
     *
     * @throws Problem if another process uses it, or it cannot be created or written
     */
    public static DataFolder open(Path path) {
        try {
            if (!Files.isDirectory(path)) {
                Path parent = path.toAbsolutePath().getParent();
                if (parent != null) Files.createDirectories(parent);
                Files.createDirectory(path, Ownership.FOLDER);
            }
            checkFolder(path);
            FileChannel channel = FileChannel.open(
                    path.resolve("lock"),
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                    Ownership.FILE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new Problem(
                        "data-in-use",
                        "data folder " + path + " is in use by another node",
                        "stop that node, or give this one its own folder with --data DIR");
            }
            DataFolder data = new DataFolder(path, channel, lock);
            try {
                data.checkFormat();
                data.clear();
            } catch (IOException | RuntimeException e) {
                data.unlock(); // and nothing else: its content may be another version's
                throw e;
            }
            return data;
        } catch (IOException e) {
            throw cannot("use data folder " + path, e, "choose another with --data DIR, or correct its owner and mode");
        }
    }

    /** Whoever may write to the folder could put a key, a token or a plugin there. */
    private static void checkFolder(Path path) throws IOException {
        String fault = Ownership.fault(path);
        if (fault == null) return;
        throw new Problem(
                "data-exposed",
                "data folder " + path + " " + fault,
                "find out who wrote what is in it, then run: chmod go-w " + path
                        + " — or give the node a folder of its own with --data DIR");
    }

    /** Checks the folder's format: a newer version's folder is left alone; an older one has no format file and gets one. */
    private void checkFormat() throws IOException {
        Path file = path.resolve(FORMAT_FILE);
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            String text = readSmall("format", file).strip();
            if (text.equals(String.valueOf(FORMAT))) return;
            throw new Problem(
                    "data-newer",
                    "data folder " + path + " has format '" + text + "', and this version knows " + FORMAT
                            + " and older ones",
                    "run the newer version of MCC, or give this node another folder with --data DIR");
        }
        write(file, FORMAT + "\n");
    }

    /** Removes what a killed node left in the cache. */
    private void clear() throws IOException {
        Path cache = path.resolve(CACHE);
        if (!Files.exists(cache, LinkOption.NOFOLLOW_LINKS)) return;
        try (Stream<Path> all = Files.walk(cache)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(each);
        }
    }

    /**
     * How a Vertx instance unpacks files from jars: into this folder, because the shared one for temporary files may be full
     * or read-only, and would keep the files of a killed node. If that is impossible too, nothing is unpacked.
     */
    FileSystemOptions unpacking(String instance) {
        FileSystemOptions options = new FileSystemOptions().setFileCacheDirAsExactPath(true);
        Path cache = path.resolve(CACHE);
        Path to = cache.resolve(instance);
        try {
            if (!Files.isDirectory(cache)) Files.createDirectory(cache, Ownership.FOLDER);
            return options.setFileCacheDir(to.toString());
        } catch (IOException e) {
            LOG.warn("no files can be unpacked to {}: {}", to, Problem.text(e));
            return options.setFileCachingEnabled(false).setClassPathResolvingEnabled(false);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException _) {
            return null; // another node in this process has it
        }
    }

    /** The folder itself. */
    public Path path() {
        return path;
    }

    /**
     * Reads the node's identity, or creates one at the first start.
     *
     * @throws Problem for a key file that is corrupt, readable by others, or another user's
     */
    public Identity identity(Supplier<byte[]> newSeed) {
        Path file = path.resolve(KEY_FILE);
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                byte[] seed = newSeed.get();
                Identity identity = Identity.fromSeed(seed);
                write(file, HEADER + "\nseed " + Id.of(seed) + "\nid " + identity.id() + "\n");
                return identity;
            }
            checkOwner("key", file);
            return parse(file, readSmall("key", file).lines().toList());
        } catch (IOException e) {
            throw cannot(
                    "read or write key file " + file,
                    e,
                    "correct its owner and mode; the node cannot run without its key");
        }
    }

    private static void checkOwner(String kind, Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new Problem(kind + "-unusable", kind + " file " + file + " is not a file", "move it away");
        }
        Set<?> permissions = Files.getPosixFilePermissions(file);
        if (!PosixFilePermissions.fromString("rw-------").containsAll(permissions)) {
            throw new Problem(
                    kind + "-exposed",
                    kind + " file " + file + " can be read or written by others",
                    "run: chmod 600 " + file + " — and consider who may have read it");
        }
        if (!Ownership.isOwn(file)) {
            String owner = Ownership.name(file);
            throw new Problem(
                    kind + "-foreign",
                    kind + " file " + file + " belongs to " + owner + ", but this node runs as " + Ownership.who(),
                    "run the node as " + owner + ", or give it another folder with --data DIR");
        }
    }

    private static Identity parse(Path file, List<String> lines) {
        String first = lines.isEmpty() ? "" : lines.get(0);
        if (first.startsWith(KIND) && !first.equals(HEADER)) {
            throw new Problem(
                    "key-newer",
                    "key file " + file + " is of a kind that this version does not know",
                    "run the newer version of MCC, or give this node another folder with --data DIR");
        }
        if (lines.size() == 3
                && lines.get(0).equals(HEADER)
                && lines.get(1).startsWith("seed ")
                && lines.get(2).startsWith("id ")) {
            Id seed = Id.parse(lines.get(1).substring(5));
            Id id = Id.parse(lines.get(2).substring(3));
            if (seed != null && id != null) {
                Identity identity = Identity.fromSeed(seed.toBytes());
                if (identity.id().equals(id)) return identity;
            }
        }
        throw new Problem(
                "key-corrupt",
                "key file " + file + " is corrupt: its seed and ID do not agree",
                "restore it from a backup, or move it away to become a new node with a new ID");
    }

    /**
     * Reads the administrator's token from {@code admin.token}, or creates one at the first start, with mode 0600.
     *
     * @throws Problem for a file that is readable by others, or another user's
     */
    public String adminToken(Supplier<String> newToken) {
        Path file = path.resolve(TOKEN_FILE);
        try {
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                checkOwner("token", file);
                return checkToken(file, readSmall("token", file).strip());
            }
            String token = newToken.get();
            write(file, token + "\n");
            return token;
        } catch (IOException e) {
            throw cannot("read or write " + file, e, "mend its owner and mode");
        }
    }

    /** Refuses an empty or short token, which anybody could guess. */
    private static String checkToken(Path file, String token) {
        if (token.matches("[\\x21-\\x7e]{" + TOKEN_MIN + "," + TOKEN_MAX + "}")) return token;
        String what = token.isEmpty()
                ? "is empty"
                : "is not a token of " + TOKEN_MIN + " to " + TOKEN_MAX + " characters without blanks";
        throw new Problem(
                "token-unusable",
                "token file " + file + " " + what,
                "restore it from a backup, or remove it: the node then makes a new token at its next start");
    }

    /** Reads a file of a few lines; a longer one must be something else. */
    private static String readSmall(String kind, Path file) throws IOException {
        if (Files.size(file) <= SMALL_BYTES) return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        throw new Problem(
                kind + "-unusable",
                kind + " file " + file + " is longer than " + SMALL_BYTES + " bytes",
                "restore it from a backup");
    }

    /** Writes a new file, forces it to disk and renames it, so that a crash leaves either the old file or the new one. */
    private static void write(Path file, String text) throws IOException {
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(beside);
        Files.createFile(beside, Ownership.FILE);
        try (FileChannel out = FileChannel.open(beside, StandardOpenOption.WRITE)) {
            out.write(java.nio.ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            out.force(true);
        }
        Files.move(beside, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    private static Problem cannot(String what, IOException e, String hint) {
        String cause = e instanceof FileSystemException f && f.getReason() != null
                ? f.getReason()
                : e instanceof FileAlreadyExistsException
                        ? "a file is in the way"
                        : e.getClass().getSimpleName() + " " + e.getMessage();
        return new Problem("data-unusable", "cannot " + what + ": " + cause, hint);
    }

    /** Unlocks the folder. */
    @Override
    public void close() {
        try {
            clear();
        } catch (IOException e) {
            LOG.debug("the cache is left: {}", Problem.text(e));
        }
        unlock();
    }

    private void unlock() {
        try {
            lock.release();
            channel.close();
        } catch (IOException _) {
            // the lock ends with the process
        }
    }
}
