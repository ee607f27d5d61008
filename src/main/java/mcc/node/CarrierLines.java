package mcc.node;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import mcc.core.Address;
import mcc.core.Counters;
import mcc.core.Counters.Counter;
import mcc.link.PacketSink;
import mcc.udp.DatagramHandler;
import mcc.udp.PacketLoop;
import org.jspecify.annotations.Nullable;

/**
 * The carriers as the packet loop sees them: each has a number, which stands in a path's place of an address
 * ({@link Address#carrier}). Numbers are given once, for as long as the links live.
 */
final class CarrierLines {
    private final PacketLoop loop;
    private final DatagramHandler handler;
    private final Map<Address, CarrierLine> lines = new HashMap<>(); // looked up, never iterated but to close all
    private final List<CarrierLine> touched = new ArrayList<>();
    private final Counter txBytes;
    private final Counter rxBytes;
    private final Counter txLost;
    private final Counter rxLost;
    private int made;
    private boolean closed;

    /** @param handler takes what comes; to be used on the loop */
    CarrierLines(PacketLoop loop, DatagramHandler handler, Counters counters) {
        this.loop = loop;
        this.handler = handler;
        txBytes = counters.of("carrier.tx.bytes");
        rxBytes = counters.of("carrier.rx.bytes");
        txLost = counters.of("carrier.tx.dropped");
        rxLost = counters.of("carrier.rx.dropped");
    }

    // ---- from the carriers' verticle --------------------------------------------------------------------------------

    /**
     * Lets the links use a line from now on.
     *
     * @param as what stood for the line before it, if it takes its place; null for a new one
     * @return what stands for it; fails when the links have ended
     */
    Future<Address> attach(CarrierLine line, @Nullable Address as) {
        Promise<Address> done = Promise.promise();
        loop.execute(() -> {
            if (closed) {
                done.fail("the links have ended");
                return;
            }
            Address address = as == null ? Address.carrier(made++ & Integer.MAX_VALUE) : as;
            line.address = address;
            lines.put(address, line);
            AtomicBoolean woken = new AtomicBoolean();
            line.wakes(() -> {
                if (woken.compareAndSet(false, true)) loop.execute(() -> receive(line, address, woken));
            });
            done.complete(address);
        });
        return done.future();
    }

    /** A line was closed. */
    void detach(CarrierLine line) {
        loop.execute(() -> {
            if (line.address != null) lines.remove(line.address, line);
        });
    }

    // ---- on the packet loop -----------------------------------------------------------------------------------------

    private void receive(CarrierLine line, Address from, AtomicBoolean woken) {
        woken.set(false);
        int lost = line.take((bytes, length) -> {
            if (closed) return false;
            rxBytes.add(length);
            handler.onDatagram(bytes, 0, length, from, PacketSink.ANY, 0);
            return true;
        });
        rxLost.add(lost);
        if (!closed) handler.onTurn();
    }

    /** Sends a datagram by a carrier; where there is none any longer, or its queue is full, it is lost. */
    void send(Address to, byte[] bytes, int offset, int length) {
        CarrierLine line = lines.get(to);
        if (line == null || !line.send(bytes, offset, length)) {
            txLost.add();
            return;
        }
        txBytes.add(length);
        if (!line.touched) touched.add(line);
        line.touched = true;
    }

    /** Has all that was given sent. */
    void flush() {
        if (touched.isEmpty()) return;
        for (CarrierLine line : touched) {
            line.touched = false;
            line.flush();
        }
        touched.clear();
    }

    /** Bytes that wait to be sent by a carrier. */
    int waitingBytes(Address to) {
        CarrierLine line = lines.get(to);
        return line == null ? 0 : line.waitingBytes();
    }

    /** The links have ended, and every carrier with them. */
    void close() {
        closed = true;
        List.copyOf(lines.values()).forEach(CarrierLine::close);
        lines.clear();
        touched.clear();
    }
}
