package mcc.dht;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * A list of values, each with an ID that no other has. The first 64 bits of the IDs are in an array of their own, so that
 * finding a value, or comparing distances, hardly ever has to load the values themselves.
 */
final class IdList<T> {
    private static final int LEAST = 4;

    private final Function<T, Id> id;
    private @Nullable Object[] values = {};
    private long[] firsts = {};
    private int size;

    IdList(Function<T, Id> id) {
        this.id = id;
    }

    int size() {
        return size;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // only places behind the last value are null
    T get(int index) {
        return (T) values[index];
    }

    /** The first 64 bits of an ID. */
    long first(int index) {
        return firsts[index];
    }

    /** The index of the value with that ID; −1 if there is none. */
    int indexOf(Id which) {
        long first = which.w0();
        for (int i = 0; i < size; i++) {
            if (firsts[i] == first && id.apply(get(i)).equals(which)) return i;
        }
        return -1;
    }

    @Nullable
    T find(Id which) {
        int index = indexOf(which);
        return index < 0 ? null : get(index);
    }

    void add(T value) {
        add(size, value);
    }

    void add(int index, T value) {
        if (size == values.length) {
            int length = Math.max(LEAST, 2 * size);
            values = Arrays.copyOf(values, length);
            firsts = Arrays.copyOf(firsts, length);
        }
        System.arraycopy(values, index, values, index + 1, size - index);
        System.arraycopy(firsts, index, firsts, index + 1, size - index);
        values[index] = value;
        firsts[index] = id.apply(value).w0();
        size++;
    }

    T remove(int index) {
        T value = get(index);
        size--;
        System.arraycopy(values, index + 1, values, index, size - index);
        System.arraycopy(firsts, index + 1, firsts, index, size - index);
        values[size] = null;
        return value;
    }

    /** Removes the value with that ID, if there is one. */
    void remove(Id which) {
        int index = indexOf(which);
        if (index >= 0) remove(index);
    }

    /** Returns the values in their order. A copy. */
    List<T> toList() {
        List<T> out = new ArrayList<>(size);
        for (int i = 0; i < size; i++) out.add(get(i));
        return out;
    }
}
