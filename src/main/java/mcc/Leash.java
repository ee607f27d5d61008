package mcc;

import java.io.IOException;
import java.io.InputStream;

/** A node that ends when its standard input ends: however its parent process dies, no node is left behind. */
public final class Leash {
    private Leash() {}

    public static void main(String[] args) {
        Thread.ofPlatform().daemon().name("leash").start(Leash::awaitEnd);
        Main.main(args);
    }

    private static void awaitEnd() {
        InputStream in = System.in;
        try {
            while (in.read() >= 0) {}
        } catch (IOException _) {
            // an unreadable input has ended
        }
        System.exit(0);
    }
}
