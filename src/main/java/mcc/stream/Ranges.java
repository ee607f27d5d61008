package mcc.stream;

import java.util.Arrays;

/** A set of numbers kept as sorted disjoint ranges. A range includes its start and not its end. */
final class Ranges {
    private static final long[] NONE = new long[0];

    /** The start and end of each range in turn. */
    private long[] at = NONE;

    private int count;

    int count() {
        return count;
    }

    boolean isEmpty() {
        return count == 0;
    }

    long start(int i) {
        return at[2 * i];
    }

    long end(int i) {
        return at[2 * i + 1];
    }

    /** Returns the memory that the ranges take. */
    long memoryBytes() {
        return (long) at.length * Long.BYTES;
    }

    /** Returns whether one of the ranges overlaps or adjoins this one. */
    boolean touches(long start, long end) {
        int i = firstEndingAfter(start - 1);
        return i < count && start(i) <= end;
    }

    boolean contains(long value) {
        int i = firstEndingAfter(value);
        return i < count && start(i) <= value;
    }

    void clear() {
        at = NONE;
        count = 0;
    }

    /** Adds the numbers from {@code start} up to, not including, {@code end}. */
    void add(long start, long end) {
        if (start >= end) return;
        if (count == 0 || start > end(count - 1)) {
            insert(count, start, end);
            return;
        }
        int first = firstEndingAfter(start - 1);
        int last = first;
        long low = start;
        long high = end;
        while (last < count && start(last) <= end) {
            low = Math.min(low, start(last));
            high = Math.max(high, end(last));
            last++;
        }
        if (last == first) {
            insert(first, start, end);
            return;
        }
        at[2 * first] = low;
        at[2 * first + 1] = high;
        cut(first + 1, last);
    }

    /** Removes the numbers from {@code start} up to, not including, {@code end}. */
    void remove(long start, long end) {
        if (count == 0 || start >= end || start >= end(count - 1) || end <= start(0)) return;
        int first = firstEndingAfter(start);
        if (start(first) < start) {
            long high = end(first);
            at[2 * first + 1] = start;
            first++;
            if (high > end) {
                insert(first, end, high);
                return;
            }
        }
        int last = first;
        while (last < count && end(last) <= end) last++;
        if (last < count && start(last) < end) at[2 * last] = end;
        cut(first, last);
    }

    /** Removes the lowest range. */
    void removeFirst() {
        cut(0, 1);
    }

    /** Returns the index of the lowest range whose end is above {@code value}. */
    int firstEndingAfter(long value) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (end(middle) > value) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    private void insert(int i, long start, long end) {
        if (2 * count == at.length) at = Arrays.copyOf(at, Math.max(8, 2 * at.length));
        System.arraycopy(at, 2 * i, at, 2 * i + 2, 2 * (count - i));
        at[2 * i] = start;
        at[2 * i + 1] = end;
        count++;
    }

    private void cut(int from, int to) {
        if (from >= to) return;
        System.arraycopy(at, 2 * to, at, 2 * from, 2 * (count - to));
        count -= to - from;
        if (count == 0 && at.length > 64) at = NONE;
    }
}
