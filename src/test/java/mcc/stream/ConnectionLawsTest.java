package mcc.stream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Rng;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The laws of cores, applied to a connection, which lends bytes instead of records. Its packets are outputs like its events,
 * and its peer answers at once or not at all.
 */
class ConnectionLawsTest {
    /** What may happen to a connection. */
    private sealed interface Input {
        record Tick() implements Input {}

        record Open() implements Input {}

        record Write(int bytes) implements Input {}

        record Finish() implements Input {}

        record Reset(int code) implements Input {}

        record Message(Bytes bytes) implements Input {}

        record Datagram(Bytes bytes) implements Input {}

        /** From now on packets reach the other end, or are lost. */
        record Cut(boolean cut) implements Input {}
    }

    private record Packet(Bytes bytes) {}

    private static final class Two implements Core<Input, Object> {
        private final Connection end = connection(true, 1);
        private final Connection peer = connection(false, 2);
        private final ArrayDeque<Object> outputs = new ArrayDeque<>();
        private final List<Stream> streams = new ArrayList<>();
        private final byte[] buffer = new byte[65_536];
        private boolean cut;
        private int turn;

        private static Connection connection(boolean lower, long seed) {
            StreamConfig config = StreamConfig.defaults();
            Counters counters = new Counters();
            Budget budget = new Budget(StreamConfig.BUDGET_BYTES, counters);
            Connection made = new Connection(config, lower, Rng.seeded(seed), budget, counters);
            made.agreed(config.limits(), config.limits());
            return made;
        }

        @Override
        public void handle(long nowNs, Input input) {
            if (peer.deadlineNs() <= nowNs) peer.tick(nowNs);
            Stream stream = streams.isEmpty() ? null : streams.get(turn++ % streams.size());
            switch (input) {
                case Input.Tick _ -> end.tick(nowNs);
                case Input.Open _ -> {
                    Stream opened = end.open();
                    if (opened != null) streams.add(opened);
                }
                case Input.Write w when stream != null -> stream.write(buffer, 0, w.bytes());
                case Input.Finish _ when stream != null -> stream.finish();
                case Input.Reset r when stream != null -> stream.reset(nowNs, r.code());
                case Input.Message m -> end.send(m.bytes());
                case Input.Datagram d when stream != null -> stream.sendDatagram(nowNs, d.bytes());
                case Input.Write _, Input.Finish _, Input.Reset _, Input.Datagram _ -> {}
                case Input.Cut c -> cut = c.cut();
            }
            // As the packet loop does in each turn: what is due gets its tick, whatever else came.
            if (end.deadlineNs() <= nowNs) end.tick(nowNs);
            while (carry(nowNs, end, peer, true) | carry(nowNs, peer, end, false)) {}
            for (Event e; (e = end.poll()) != null; ) {
                outputs.add(e.toString()); // with the numbers of streams, which are equal in equal runs
                if (e instanceof Event.Finished f) streams.remove(f.stream());
            }
        }

        /** Sends what is to be sent; returns whether anything arrived. */
        private boolean carry(long nowNs, Connection from, Connection to, boolean told) {
            boolean moved = false;
            byte[] packet = new byte[1_171];
            for (int n; (n = from.transmit(nowNs, packet, 0, packet.length)) > 0; ) {
                if (told) outputs.add(new Packet(Bytes.copyOf(packet, 0, n)));
                if (cut) continue;
                to.receive(nowNs, packet, 0, n, false);
                moved = true;
            }
            for (Event e; !told && (e = from.poll()) != null; ) {
                if (e instanceof Event.Readable r) {
                    while (r.stream().read(nowNs, buffer, 0, buffer.length) > 0) moved = true;
                    r.stream().finish();
                }
            }
            return moved;
        }

        @Override
        public @Nullable Object poll() {
            return outputs.poll();
        }

        @Override
        public long deadlineNs() {
            return end.deadlineNs();
        }
    }

    private static Input anyInput(Rng rng, List<Object> before) {
        return switch (rng.below(16)) {
            case 0, 1 -> new Input.Open();
            case 2, 3, 4 -> new Input.Write(1 + rng.below(20_000));
            case 5 -> new Input.Finish();
            case 6 -> new Input.Reset(rng.below(9));
            case 7 -> new Input.Message(Bytes.owning(rng.bytes(1 + rng.below(400))));
            case 8 -> new Input.Datagram(Bytes.owning(rng.bytes(1 + rng.below(400))));
            case 9 -> new Input.Cut(rng.below(3) > 0);
            default -> new Input.Tick();
        };
    }

    @Test
    void theLawsOfCoresHold() {
        CoreLaws.check(Two::new, new Input.Tick(), ConnectionLawsTest::anyInput, 2_000);
    }
}
