package mcc.wan;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The link as a process: {@code Emulator INTERFACE A.B.C}, where packets to the addresses A.B.C.* go {@code forward} and all
 * others {@code back}. Obeys lines on its input, each answered by one line: {@code forward NAME=VALUE…} and
 * {@code back NAME=VALUE…} (see {@link Shape}), {@code stats}, which also begins to count anew. Ends with its input.
 */
final class Emulator {
    private static final int BATCH = 64;
    private static final long IDLE_NS = 5_000_000;
    /**
     * While packets come, they are looked for this often: waking for each would cost most of a core. What is taken half of it
     * late on average is let go half of it early.
     */
    private static final long TURN_NS = 100_000;

    private final Tun tun;
    private final byte[] network = new byte[3];
    private final Wire forward = new Wire(1);
    private final Wire back = new Wire(2);
    private final Wire[] wires = {forward, back};
    private final ConcurrentLinkedQueue<String> orders = new ConcurrentLinkedQueue<>();
    private volatile boolean over;

    private Emulator(Tun tun, String network) {
        this.tun = tun;
        String[] parts = network.split("\\.");
        for (int i = 0; i < 3; i++) this.network[i] = (byte) Integer.parseInt(parts[i]);
    }

    public static void main(String[] args) throws Throwable {
        Emulator emulator = new Emulator(new Tun(args[0]), args[1]);
        Thread.ofPlatform().daemon().start(emulator::listen);
        System.out.println("ready");
        emulator.run();
    }

    private void listen() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            for (String line; (line = in.readLine()) != null; ) orders.add(line);
        } catch (IOException e) {
            System.err.println(e);
        }
        over = true;
    }

    private void run() throws Throwable {
        byte[] bytes = new byte[65_536];
        MemorySegment buffer = MemorySegment.ofArray(bytes);
        while (!over) {
            for (String order; (order = orders.poll()) != null; ) System.out.println(obey(order));
            int taken = 0;
            for (int n; taken < BATCH && (n = tun.read(buffer)) > 0; taken++) {
                if (n >= 20 && bytes[0] >> 4 == 4) wire(bytes).offer(System.nanoTime(), bytes, n);
            }
            long nextNs = Long.MAX_VALUE;
            for (Wire wire : wires) {
                long nowNs = System.nanoTime() + TURN_NS / 2;
                for (Wire.Packet p; (p = wire.poll(nowNs)) != null; ) {
                    tun.write(p.bytes, p.length);
                    wire.recycle(p);
                }
                nextNs = Math.min(nextNs, wire.deadlineNs());
            }
            if (taken == BATCH) continue;
            if (taken > 0) tun.rest(TURN_NS);
            else if (nextNs == Long.MAX_VALUE) tun.await(IDLE_NS);
            else tun.await(Math.clamp(nextNs - System.nanoTime(), TURN_NS / 2, IDLE_NS));
        }
    }

    private Wire wire(byte[] packet) {
        return packet[16] == network[0] && packet[17] == network[1] && packet[18] == network[2] ? forward : back;
    }

    private String obey(String order) {
        String[] words = order.split(" ");
        try {
            switch (words[0]) {
                case "forward", "back" -> {
                    Wire wire = words[0].equals("back") ? back : forward;
                    for (int i = 1; i < words.length; i++) wire.shape.set(words[i]);
                    return "ok";
                }
                case "stats" -> {
                    String out = "ok" + text("forward", forward.tally) + text("back", back.tally);
                    for (Wire wire : wires) wire.tally = new Shape.Tally();
                    return out;
                }
                default -> throw new IllegalArgumentException("no order is called '" + words[0] + "'");
            }
        } catch (IllegalArgumentException e) {
            return "error: " + e.getMessage();
        }
    }

    private static String text(String direction, Shape.Tally tally) {
        StringBuilder out = new StringBuilder();
        for (Map.Entry<String, Long> each : tally.values().entrySet()) {
            out.append(' ')
                    .append(direction)
                    .append('.')
                    .append(each.getKey())
                    .append('=')
                    .append(each.getValue());
        }
        return out.toString();
    }
}
