package mcc.node;

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
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import mcc.core.Id;
import mcc.crypto.Identity;
import org.jspecify.annotations.Nullable;

/**
 * The folder that makes a node the same node after a restart: its key, its store, its first token. Locked while in use.
 *
 * <p>{@code node.key} holds the Ed25519 seed and the ID that follows from it, in text, mode 0600; the two must agree.
 */
public final class DataFolder implements AutoCloseable {
    private static final String KEY_FILE = "node.key";
    private static final String TOKEN_FILE = "admin.token";
    private static final String HEADER = "mcc ed25519 key, keep it secret";

    private final Path path;
    private final FileChannel channel;
    private final FileLock lock;

    private DataFolder(Path path, FileChannel channel, FileLock lock) {
        this.path = path;
        this.channel = channel;
        this.lock = lock;
    }

    /** The folder used where none is set: for root {@code /var/lib/mcc}, else below the user's state folder. */
    public static Path byDefault() {
        if ("root".equals(System.getProperty("user.name"))) return Path.of("/var/lib/mcc");
        String state = System.getenv("XDG_STATE_HOME");
        if (state != null && !state.isBlank()) return Path.of(state, "mcc");
        return Path.of(System.getProperty("user.home"), ".local", "state", "mcc");
    }

    /**
     * Makes the folder if need be (mode 0700) and locks it.
     *
     * @throws Problem when another process has it, or it cannot be made or written
     */
    public static DataFolder open(Path path) {
        try {
            if (!Files.isDirectory(path)) {
                Path parent = path.toAbsolutePath().getParent();
                if (parent != null) Files.createDirectories(parent);
                Files.createDirectory(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            FileChannel channel =
                    FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new Problem(
                        "data-in-use",
                        "data folder " + path + " is in use by another node",
                        "stop that node, or give this one its own folder with --data DIR");
            }
            return new DataFolder(path, channel, lock);
        } catch (IOException e) {
            throw cannot("use data folder " + path, e, "choose another with --data DIR, or mend its owner and mode");
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException _) {
            return null; // another node in this very process has it
        }
    }

    /** The folder itself. */
    public Path path() {
        return path;
    }

    /**
     * Reads the node's identity, or makes one at the first start.
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
            return parse(file, Files.readAllLines(file, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw cannot(
                    "read or write key file " + file,
                    e,
                    "mend its owner and mode; the node cannot run without its key");
        }
    }

    private static void checkOwner(String kind, Path file) throws IOException {
        Set<?> permissions = Files.getPosixFilePermissions(file);
        if (!PosixFilePermissions.fromString("rw-------").containsAll(permissions)) {
            throw new Problem(
                    kind + "-exposed",
                    kind + " file " + file + " can be read or written by others",
                    "run: chmod 600 " + file + " — and think about who may have read it");
        }
        String owner = Files.getOwner(file).getName();
        String user = System.getProperty("user.name");
        if (!owner.equals(user)) {
            throw new Problem(
                    kind + "-foreign",
                    kind + " file " + file + " belongs to " + owner + ", but this node runs as " + user,
                    "run the node as " + owner + ", or give it another folder with --data DIR");
        }
    }

    private static Identity parse(Path file, List<String> lines) {
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
     * Reads the administrator's token, or makes one at the first start: 0600, {@code admin.token}.
     *
     * @throws Problem for a file that is readable by others, or another user's
     */
    public String adminToken(Supplier<String> newToken) {
        Path file = path.resolve(TOKEN_FILE);
        try {
            if (Files.exists(file)) {
                checkOwner("token", file);
                return Files.readString(file).strip();
            }
            String token = newToken.get();
            write(file, token + "\n");
            return token;
        } catch (IOException e) {
            throw cannot("read or write " + file, e, "mend its owner and mode");
        }
    }

    /** Writes beside, forces to disk, then renames, so that a crash leaves the old file or the new one. */
    private static void write(Path file, String text) throws IOException {
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(beside);
        Files.createFile(beside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
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
            lock.release();
            channel.close();
        } catch (IOException _) {
            // the process ends anyway, and with it the lock
        }
    }
}
