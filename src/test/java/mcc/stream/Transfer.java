package mcc.stream;

/** An application that sends a pattern on one stream from one end of a pair and checks it at the other. */
final class Transfer {
    private final Pair pair;
    private final int from;
    final long stream;
    private final long total;
    private final byte[] chunk = new byte[16_384];
    private long written;
    long read;
    boolean finished;
    boolean ended;
    boolean corrupt;
    boolean paused;

    Transfer(Pair pair, int from, long total) {
        this.pair = pair;
        this.from = from;
        this.total = total;
        stream = pair.ends[from].open(pair.nowNs);
        Runnable writer = pair.apps[from];
        Runnable reader = pair.apps[from ^ 1];
        pair.apps[from] = () -> {
            writer.run();
            write();
        };
        pair.apps[from ^ 1] = () -> {
            reader.run();
            read();
        };
    }

    static byte at(long stream, long offset) {
        long x = (offset / 7 + stream * 31) * 0x9E3779B97F4A7C15L;
        return (byte) ((x >>> 40) + offset);
    }

    private void write() {
        while (written < total) {
            int want = (int) Math.min(chunk.length, total - written);
            int room = pair.ends[from].writable(stream);
            if (room == 0) {
                pair.ends[from].write(pair.nowNs, stream, chunk, 0, 1);
                return;
            }
            int n = Math.min(want, room);
            for (int i = 0; i < n; i++) chunk[i] = at(stream, written + i);
            int taken = pair.ends[from].write(pair.nowNs, stream, chunk, 0, n);
            if (taken < 0) return;
            written += taken;
        }
        if (!finished) {
            finished = true;
            pair.ends[from].finish(pair.nowNs, stream);
        }
        pair.ends[from].read(pair.nowNs, stream, chunk, 0, 0);
    }

    private void read() {
        if (paused || ended) return;
        while (true) {
            int n = pair.ends[from ^ 1].read(pair.nowNs, stream, chunk, 0, chunk.length);
            if (n == -1) {
                ended = true;
                pair.ends[from ^ 1].finish(pair.nowNs, stream);
            }
            if (n <= 0) return;
            for (int i = 0; i < n; i++) corrupt |= chunk[i] != at(stream, read + i);
            read += n;
        }
    }

    boolean isComplete() {
        return ended && read == total && !corrupt;
    }
}
