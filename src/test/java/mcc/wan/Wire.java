package mcc.wan;

import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * One direction of an emulated link: a queue in front of a sender of limited rate, then the way, where packets are lost,
 * changed, repeated and late. Knows no clock; allocates nothing once it has carried its most.
 */
public final class Wire {
    /** More packets than this are not held: those beyond are dropped as from a full queue. */
    static final int PACKETS_MAX = 100_000;

    private static final int UDP = 17;
    private static final long MILLION = 1_000_000;

    /** A packet on its way. */
    public static final class Packet implements Comparable<Packet> {
        public byte[] bytes = new byte[2_048];
        public int length;
        private long enteredNs;
        private long dueNs;
        private long order;

        @Override
        public int compareTo(Packet o) {
            return dueNs != o.dueNs ? Long.compare(dueNs, o.dueNs) : Long.compare(order, o.order);
        }
    }

    public final Shape shape = new Shape();
    Shape.Tally tally = new Shape.Tally();
    private final SplittableRandom random;
    private final ArrayDeque<Packet> queue = new ArrayDeque<>();
    private final PriorityQueue<Packet> flights = new PriorityQueue<>();
    private final ArrayDeque<Packet> free = new ArrayDeque<>();
    private long queuedBytes;
    /** When the first of the queue has left. */
    private long headDoneNs;

    private long order;
    private long lastDueNs = Long.MIN_VALUE;
    private long burstLeft;

    public Wire(long seed) {
        random = new SplittableRandom(seed);
    }

    /** Takes a packet of {@code length} bytes at the beginning of {@code from}, or drops it where the queue is full. */
    public void offer(long nowNs, byte[] from, int length) {
        serve(nowNs);
        tally.packets++;
        tally.bytes += length;
        boolean limited = shape.rateKbit > 0;
        if (limited && queuedBytes + length > shape.queueBytes || queue.size() + flights.size() >= PACKETS_MAX) {
            tally.full++;
            return;
        }
        Packet packet = copy(from, length);
        packet.enteredNs = nowNs;
        if (!limited && queue.isEmpty()) {
            depart(packet, nowNs);
            return;
        }
        if (queue.isEmpty()) headDoneNs = nowNs + sendingNs(packet);
        queue.add(packet);
        queuedBytes += length;
    }

    /** A packet that has arrived, to be handed back by {@link #recycle}; null when there is none. */
    public Packet poll(long nowNs) {
        serve(nowNs);
        Packet first = flights.peek();
        return first == null || first.dueNs > nowNs ? null : flights.poll();
    }

    public void recycle(Packet packet) {
        free.push(packet);
    }

    /** When something will happen here; {@link Long#MAX_VALUE} for never. */
    public long deadlineNs() {
        long next = queue.isEmpty() ? Long.MAX_VALUE : headDoneNs;
        Packet first = flights.peek();
        return first == null ? next : Math.min(next, first.dueNs);
    }

    private long sendingNs(Packet packet) {
        return shape.rateKbit == 0 ? 0 : packet.length * 8 * MILLION / shape.rateKbit;
    }

    private void serve(long nowNs) {
        while (!queue.isEmpty() && headDoneNs <= nowNs) {
            Packet packet = queue.poll();
            queuedBytes -= packet.length;
            long waitedNs = headDoneNs - sendingNs(packet) - packet.enteredNs;
            tally.waitedNs += waitedNs;
            tally.waitedMaxNs = Math.max(tally.waitedMaxNs, waitedNs);
            long leftNs = headDoneNs;
            if (!queue.isEmpty()) headDoneNs += sendingNs(queue.peek());
            depart(packet, leftNs);
        }
    }

    private void depart(Packet packet, long atNs) {
        if (isLost()) {
            tally.lost++;
            recycle(packet);
            return;
        }
        if (chance(shape.duplicatePpm)) {
            tally.duplicated++;
            arrive(copy(packet.bytes, packet.length), atNs);
        }
        if (chance(shape.replayPpm)) {
            tally.replayed++;
            fly(copy(packet.bytes, packet.length), atNs + shape.delayUs * 1_000 + below(shape.replayUs) * 1_000);
        }
        if (isUdp(packet)) {
            if (chance(shape.truncatePpm)) truncate(packet);
            if (chance(shape.corruptPpm)) corrupt(packet);
        }
        arrive(packet, atNs);
    }

    private void arrive(Packet packet, long atNs) {
        long dueNs = atNs + (shape.delayUs + below(shape.jitterUs)) * 1_000;
        if (shape.ordered != 0) dueNs = Math.max(dueNs, lastDueNs);
        lastDueNs = dueNs;
        if (chance(shape.reorderPpm)) {
            tally.reordered++;
            dueNs += shape.reorderUs * 1_000;
        }
        fly(packet, dueNs);
    }

    private void fly(Packet packet, long dueNs) {
        packet.dueNs = dueNs;
        packet.order = order++;
        flights.add(packet);
    }

    private boolean isLost() {
        if (burstLeft > 0) {
            burstLeft--;
            return true;
        }
        if (!chance(shape.lossPpm / shape.burst)) return false;
        burstLeft = shape.burst - 1;
        return true;
    }

    private boolean chance(long ppm) {
        return ppm > 0 && random.nextLong(MILLION) < ppm;
    }

    private long below(long bound) {
        return bound == 0 ? 0 : random.nextLong(bound);
    }

    private Packet copy(byte[] from, int length) {
        Packet packet = free.isEmpty() ? new Packet() : free.pop();
        if (packet.bytes.length < length) packet.bytes = new byte[length];
        System.arraycopy(from, 0, packet.bytes, 0, length);
        packet.length = length;
        return packet;
    }

    // ---- what is inside ---------------------------------------------------------------------------------------------

    private static boolean isUdp(Packet packet) {
        byte[] b = packet.bytes;
        return (b[0] & 0xff) == 0x45 && b[9] == UDP && packet.length > 28;
    }

    private void truncate(Packet packet) {
        tally.truncated++;
        packet.length = 28 + (int) below(packet.length - 28);
        put16(packet.bytes, 2, packet.length);
        put16(packet.bytes, 24, packet.length - 20);
        put16(packet.bytes, 10, 0);
        put16(packet.bytes, 10, headerSum(packet.bytes));
        if (shape.mend != 0) put16(packet.bytes, 26, 0); // without a checksum, as RFC 768 allows
    }

    private void corrupt(Packet packet) {
        if (packet.length == 28) return; // cut to nothing
        tally.corrupted++;
        packet.bytes[28 + (int) below(packet.length - 28)] ^= (byte) (1 + below(255));
        if (shape.mend != 0) put16(packet.bytes, 26, 0);
    }

    private static void put16(byte[] b, int at, int value) {
        b[at] = (byte) (value >> 8);
        b[at + 1] = (byte) value;
    }

    /** The checksum of an IPv4 header without options whose own field is 0. */
    private static int headerSum(byte[] b) {
        int sum = 0;
        for (int i = 0; i < 20; i += 2) sum += (b[i] & 0xff) << 8 | b[i + 1] & 0xff;
        sum = (sum & 0xffff) + (sum >> 16);
        return ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    }
}
