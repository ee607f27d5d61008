package mcc.node;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.link.Links;

/** The packet loop's end of all {@link StreamPort}s: moves chunks between their queues and the streams of the links. */
final class StreamHub {
    private static final int CHUNK_BYTES = 64 * 1024;

    private record Key(Id peer, long stream) {}

    private final PacketLoop loop;
    private final Links links;
    private final Runnable turn;
    private final Map<Key, StreamPort> ports = new HashMap<>();
    private final Queue<StreamPort> woken = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();

    /**
     * @param turn what the packet loop does after a batch: drain outputs, transmit, arm its timer
     */
    StreamHub(PacketLoop loop, Links links, Runnable turn) {
        this.loop = loop;
        this.links = links;
        this.turn = turn;
    }

    /** Makes the port of a stream; packet loop only. */
    StreamPort port(Id peer, long stream) {
        StreamPort port = new StreamPort(this, peer, stream);
        ports.put(new Key(peer, stream), port);
        return port;
    }

    int size() {
        return ports.size();
    }

    // ---- from the users' loops --------------------------------------------------------------------------------------

    void wake(StreamPort port) {
        if (!port.hubWoken.compareAndSet(false, true)) return;
        woken.add(port);
        if (scheduled.compareAndSet(false, true)) loop.execute(this::serve);
    }

    private void serve() {
        scheduled.set(false);
        long nowNs = System.nanoTime();
        for (StreamPort port; (port = woken.poll()) != null; ) {
            port.hubWoken.set(false);
            if (!port.inHub) continue;
            if (port.cancelled) {
                remove(port);
                links.reset(nowNs, port.peer(), port.stream(), StreamPort.CANCELLED);
                port.outbound.clear();
                continue;
            }
            pull(nowNs, port);
            push(nowNs, port);
            pushDatagrams(nowNs, port);
        }
        turn.run();
    }

    // ---- from the links, on the packet loop -------------------------------------------------------------------------

    void readable(long nowNs, Id peer, long stream) {
        StreamPort port = ports.get(new Key(peer, stream));
        if (port != null) pull(nowNs, port);
    }

    /** False, for the caller to count, when the user is too slow or there is none. */
    boolean datagram(Id peer, long stream, byte[] data) {
        StreamPort port = ports.get(new Key(peer, stream));
        return port != null && port.receive(data);
    }

    void writable(long nowNs, Id peer, long stream) {
        StreamPort port = ports.get(new Key(peer, stream));
        if (port != null) push(nowNs, port);
    }

    void broken(Id peer, long stream, int code) {
        StreamPort port = ports.get(new Key(peer, stream));
        if (port == null) return;
        remove(port);
        port.brokenCode = code;
        port.wakeUser();
    }

    void finished(Id peer, long stream) {
        StreamPort port = ports.get(new Key(peer, stream));
        if (port != null) remove(port);
    }

    /** The peer is gone, or lost its state. */
    void lost(Id peer) {
        for (StreamPort port : new ArrayDeque<>(ports.values())) {
            if (port.peer().equals(peer)) broken(port.peer(), port.stream(), 0);
        }
    }

    void breakAll() {
        for (StreamPort port : new ArrayDeque<>(ports.values())) broken(port.peer(), port.stream(), 0);
    }

    // ---- private ----------------------------------------------------------------------------------------------------

    private void remove(StreamPort port) {
        ports.remove(new Key(port.peer(), port.stream()));
        port.inHub = false;
    }

    /** From the stream to the user's queue, as much as the bound allows. */
    private void pull(long nowNs, StreamPort port) {
        boolean moved = false;
        while (!port.inboundEnded && hasRoom(port)) {
            // At the end, and where nothing is there, one byte is asked for: the answer tells which.
            int length = Math.clamp(links.readable(port.peer(), port.stream()), 1, CHUNK_BYTES);
            byte[] chunk = new byte[length];
            int n = links.read(nowNs, port.peer(), port.stream(), chunk, 0, length);
            if (n == 0 || n == -2) break;
            moved = true;
            if (n < 0) {
                port.inboundEnded = true;
                break;
            }
            port.inboundBytes.addAndGet(n);
            port.inbound.add(chunk);
        }
        if (moved) port.wakeUser();
    }

    /** Whether the user's queue takes more; if not, the user wakes this loop when it does. */
    private static boolean hasRoom(StreamPort port) {
        port.inboundFull = port.inboundBytes.get() >= StreamPort.BOUND_BYTES;
        // It may have drained before the flag was up.
        if (port.inboundFull && port.inboundBytes.get() < StreamPort.BOUND_BYTES) port.inboundFull = false;
        return !port.inboundFull;
    }

    /** From the user's queue into the stream, until it is full. */
    private void push(long nowNs, StreamPort port) {
        while (true) {
            if (port.rest == null) {
                port.rest = port.outbound.poll();
                port.restAt = 0;
            }
            byte[] chunk = port.rest;
            if (chunk == null) break;
            int left = chunk.length - port.restAt;
            int n = links.write(nowNs, port.peer(), port.stream(), chunk, port.restAt, left);
            if (n < 0) return;
            port.outboundBytes.addAndGet(-n);
            port.restAt += n;
            if (n < left) break;
            port.rest = null;
        }
        if (port.rest == null && port.outboundEnded && port.outbound.isEmpty() && !port.finished) {
            port.finished = true;
            links.finish(nowNs, port.peer(), port.stream());
        }
        if (port.outboundFull && port.isDrained()) port.wakeUser();
    }

    private void pushDatagrams(long nowNs, StreamPort port) {
        for (byte[] data; (data = port.outboundDatagrams.poll()) != null; ) {
            port.outboundDatagramBytes.addAndGet(-data.length - StreamPort.DATAGRAM_BYTES);
            int max = links.sendDatagram(nowNs, port.peer(), port.stream(), Bytes.owning(data));
            if (max > 0) port.maxDatagramBytes = max;
        }
    }
}
