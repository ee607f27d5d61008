package mcc.arch.sins;

import java.nio.file.Files;
import java.nio.file.Path;

/** Every sin that the rules of purity forbid: they must see it, or they see nothing. */
class SinHelper {
    static int counter;
    volatile long shared;

    synchronized long now() {
        shared = System.nanoTime() + counter++;
        return Files.exists(Path.of("x")) ? shared : 0;
    }
}
