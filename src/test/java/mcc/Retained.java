package mcc;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What an object keeps alive, counted by walking from field to field: exact enough to tell a limit from none, and the same on
 * every run, which a look at the heap is not. Objects of the JDK count for themselves; collections and arrays are entered.
 */
public record Retained(long objects, long bytes) {
    private static final int HEADER = 16;
    private static final int REFERENCE = 4;
    private static final int NODE = 48;

    /** Walks from {@code root}. */
    public static Retained by(Object root) {
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        ArrayDeque<Object> open = new ArrayDeque<>();
        long bytes = 0;
        seen.add(root);
        open.add(root);
        while (!open.isEmpty()) {
            Object each = open.remove();
            bytes += shallow(each);
            children(each, child -> {
                if (child != null && !isShared(child) && seen.add(child)) open.add(child);
            });
        }
        return new Retained(seen.size(), bytes);
    }

    private static boolean isShared(Object o) {
        return o instanceof Class<?> || o instanceof Enum<?> || o instanceof Thread || o instanceof ClassLoader;
    }

    private static long shallow(Object o) {
        if (o.getClass().isArray())
            return HEADER + (long) Array.getLength(o) * width(o.getClass().getComponentType());
        if (o instanceof Map<?, ?> map) return HEADER + (long) NODE * map.size();
        if (o instanceof Collection<?> all) return HEADER + (long) NODE * all.size();
        return HEADER + 8L * (isOurs(o) ? fields(o.getClass()) : 2);
    }

    private static int width(Class<?> type) {
        if (type == long.class || type == double.class) return 8;
        if (type == int.class || type == float.class) return 4;
        if (type == short.class || type == char.class) return 2;
        return type.isPrimitive() ? 1 : REFERENCE;
    }

    private static boolean isOurs(Object o) {
        return o.getClass().getName().startsWith("mcc.");
    }

    private static int fields(Class<?> type) {
        int n = 0;
        for (Class<?> c = type; c != null; c = c.getSuperclass()) n += c.getDeclaredFields().length;
        return n;
    }

    private static void children(Object o, java.util.function.Consumer<Object> take) {
        if (o instanceof Object[] array) {
            for (Object each : array) take.accept(each);
        } else if (o instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                take.accept(key);
                take.accept(value);
            });
        } else if (o instanceof Collection<?> all) {
            for (Object each : all) take.accept(each);
        } else if (isOurs(o)) {
            for (Class<?> c = o.getClass(); c != null && c.getName().startsWith("mcc."); c = c.getSuperclass()) {
                for (Field field : c.getDeclaredFields()) {
                    if (Modifier.isStatic(field.getModifiers())
                            || field.getType().isPrimitive()) continue;
                    field.setAccessible(true);
                    try {
                        take.accept(field.get(o));
                    } catch (IllegalAccessException e) {
                        throw new AssertionError(e);
                    }
                }
            }
        }
    }
}
