package mcc.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks the owners of files. Nothing that another user could have written is read, run or trusted: it must belong to this
 * process's user or to root, and nobody else may have write permission.
 *
 * <p>Users are compared by number, because in a container a user need not have a name.
 */
public final class Ownership {
    /** Permissions of a new folder, and of a new file, for the owner only, whatever the umask. */
    public static final FileAttribute<?> FOLDER = mode("rwx------");

    public static final FileAttribute<?> FILE = mode("rw-------");

    private static final int ROOT = 0;

    private Ownership() {}

    private static FileAttribute<?> mode(String text) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
    }

    /**
     * What gives others access, as words that follow the path, such as {@code can be written by others}; null if nothing does.
     */
    public static @Nullable String fault(Path path) throws IOException {
        long link = user(path, LinkOption.NOFOLLOW_LINKS);
        long target = user(path);
        for (long user : new long[] {link, target}) {
            if (user != ROOT && user != self()) {
                String owner = Files.getOwner(
                                path, user == link ? new LinkOption[] {LinkOption.NOFOLLOW_LINKS} : new LinkOption[0])
                        .getName();
                return "belongs to " + owner + ", but this node runs as " + who();
            }
        }
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(path);
        boolean open =
                mode.contains(PosixFilePermission.GROUP_WRITE) || mode.contains(PosixFilePermission.OTHERS_WRITE);
        return open ? "can be written by others (its mode is " + PosixFilePermissions.toString(mode) + ")" : null;
    }

    /** Whether it belongs to this process's user itself, not to root. */
    static boolean isOwn(Path path) throws IOException {
        return user(path) == self();
    }

    /** The owner's name, or number if it has no name. */
    static String name(Path path) throws IOException {
        return Files.getOwner(path).getName();
    }

    private static long user(Path path, LinkOption... options) throws IOException {
        return ((Number) Files.getAttribute(path, "unix:uid", options)).longValue();
    }

    /** The number of this process's effective user (proc(5)). */
    static long self() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("Uid:")) return Long.parseLong(line.split("\\s+")[2]);
        }
        throw new NoSuchFileException("Uid: in /proc/self/status");
    }

    /** This process's user: its name, or its number if it has no name. */
    static String who() throws IOException {
        String name = System.getProperty("user.name", "?");
        return name.equals("?") ? "user " + self() : name;
    }
}
