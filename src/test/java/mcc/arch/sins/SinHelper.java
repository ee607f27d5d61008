package mcc.arch.sins;

import java.nio.file.Files;
import java.nio.file.Path;
import mcc.consortium.Subject;
import mcc.core.Id;

/** Every sin that the rules of purity forbid: they must see it, or they see nothing. */
class SinHelper {
    static int counter;
    volatile long shared;

    /** Takes somebody's word for who it is. */
    static Subject believed(Id node) {
        return Subject.of(node);
    }

    synchronized long now() {
        shared = System.nanoTime() + counter++;
        return Files.exists(Path.of("x")) ? shared : 0;
    }
}
