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
        stream = pair.open(from);
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
        Stream sender = pair.at(from, stream);
        while (written < total) {
            int want = (int) Math.min(chunk.length, total - written);
            int room = (int) pair.ends[from].streams.room(sender);
            if (room == 0) {
                sender.write(chunk, 0, 1);
                return;
            }
            int n = Math.min(want, room);
            for (int i = 0; i < n; i++) chunk[i] = at(stream, written + i);
            int taken = sender.write(chunk, 0, n);
            if (taken < 0) return;
            written += taken;
        }
        if (!finished) {
            finished = true;
            sender.finish();
        }
        sender.read(pair.nowNs, chunk, 0, 0);
    }

    private void read() {
        Stream receiver = pair.at(from ^ 1, stream);
        if (paused || ended || receiver == null) return;
        while (true) {
            int n = receiver.read(pair.nowNs, chunk, 0, chunk.length);
            if (n == -1) {
                ended = true;
                receiver.finish();
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
