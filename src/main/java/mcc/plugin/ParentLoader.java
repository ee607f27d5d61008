package mcc.plugin;

import java.util.List;

/**
 * The parent class loader of a plugin: it shows the JDK, Vert.x, slf4j and jspecify and nothing else of this program, so that
 * a plugin may use another version of a library that the node uses inside.
 */
final class ParentLoader extends ClassLoader {
    private static final List<String> OPEN = List.of("io.vertx.", "org.slf4j.", "org.jspecify.");

    private final ClassLoader program;

    ParentLoader(ClassLoader program) {
        super("plugin-parent", ClassLoader.getPlatformClassLoader());
        this.program = program;
    }

    /** Called for classes that the JDK does not have. */
    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        for (String open : OPEN) if (name.startsWith(open)) return program.loadClass(name);
        throw new ClassNotFoundException(name);
    }
}
