package mcc.plugin;

import java.util.List;

/**
 * What a plugin's classes see of this program: the JDK, Vert.x, slf4j and jspecify, and nothing else. A library that the
 * node uses inside may so be used by a plugin in another version.
 */
final class Window extends ClassLoader {
    private static final List<String> OPEN = List.of("io.vertx.", "org.slf4j.", "org.jspecify.");

    private final ClassLoader program;

    Window(ClassLoader program) {
        super("plugin-window", ClassLoader.getPlatformClassLoader());
        this.program = program;
    }

    /** Called for what the JDK does not have. */
    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        for (String open : OPEN) if (name.startsWith(open)) return program.loadClass(name);
        throw new ClassNotFoundException(name);
    }
}
