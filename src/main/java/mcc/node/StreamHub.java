package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Handler;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import mcc.consortium.Subject;
import mcc.core.Core;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.link.LinkOutput;
import mcc.link.Links;
import mcc.stream.Stream;
import mcc.udp.PacketLoop;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/** All {@link StreamPort}s: passes each what the links report of its stream, and the links what the port wants. */
final class StreamHub {
    /** Bytes that may wait per direction in all ports together, each having an equal share: a sixteenth of a node's heap. */
    private static final int SHARED_BYTES = 16 << 20;

    private static final int BOUND_BYTES = 256 * 1024;
    private static final int LEAST_BYTES = 4 * 1024;
    private static final int CHUNK_BYTES = 64 * 1024;

    private final PacketLoop loop;
    private final Links links;
    private final Counters counters;
    private final Runnable turn;
    private final Map<Stream, StreamPort> ports = new HashMap<>();
    private final Set<Context> users = new HashSet<>();
    private final ArrayDeque<StreamPort> woken = new ArrayDeque<>();
    /** The bytes that were read last. */
    private final byte[] chunk = new byte[CHUNK_BYTES];

    private boolean scheduled;
    /** Whether a turn of the loop is under way, at whose end the links transmit. */
    private boolean turning;

    private boolean closed;
    private @Nullable Context server;
    private @Nullable Handler<StreamPort> taker;

    /** @param turn what the packet loop does after a batch: drain outputs, transmit, arm the timer */
    StreamHub(PacketLoop loop, Links links, Counters counters, Runnable turn) {
        this.loop = loop;
        this.links = links;
        this.counters = counters;
        this.turn = turn;
    }

    /** Creates the port of a stream; {@code opener} is null if this node opened it. */
    StreamPort port(Id peer, @Nullable Subject opener, Stream stream) {
        StreamPort port = new StreamPort(this, peer, opener, stream);
        ports.put(stream, port);
        return port;
    }

    boolean isClosed() {
        return closed;
    }

    // ---- for StreamAccess -------------------------------------------------------------------------------------------

    /** Opens a stream for another verticle. If the links throw, that verticle is not to blame: theirs is restarted. */
    StreamPort openFor(Contact to) {
        try {
            return open(to);
        } catch (Problem p) {
            throw p;
        } catch (RuntimeException e) {
            loop.failed(new Broken(e));
            throw new Problem("overloaded", "the links failed, and are started again", "try again in a second");
        }
    }

    StreamPort open(Contact to) {
        if (closed) throw new Problem("node-not-ready", "the links are being started again", "try again in a second");
        Stream stream = links.open(System.nanoTime(), to);
        schedule();
        if (stream != null) return port(to.node(), null, stream);
        throw new Problem(
                "upstream-unreachable",
                "no stream can be opened to node " + to.node().shortText(),
                "it has too many streams open, or its key is not valid");
    }

    void serve(Context context, Consumer<StreamPort> taker) {
        server = context;
        this.taker = taker::accept;
        PacketLoop.atEnd(context, () -> {
            if (context.equals(server)) server = null;
        });
    }

    /** Hands over a stream that a peer opened; false if nobody accepts streams. */
    boolean offer(StreamPort port) {
        if (server == null || taker == null) return false;
        PacketLoop.dispatch(server, port, taker);
        return true;
    }

    // ---- from the ports ---------------------------------------------------------------------------------------------

    /** When a verticle ends, breaks off its ports' streams. */
    void tie(Context context) {
        if (!users.add(context)) return;
        PacketLoop.atEnd(context, () -> {
            users.remove(context);
            for (StreamPort port : new ArrayDeque<>(ports.values())) if (port.isOf(context)) port.cancel();
        });
    }

    /** Serves a port in a later task. */
    void wake(StreamPort port) {
        if (port.isWoken) return;
        port.isWoken = true;
        woken.add(port);
        execute();
    }

    /** Marks the begin and end of a turn: what the links are given before its end is sent with it. */
    void turning(boolean is) {
        turning = is;
    }

    /** Has the links transmit in a later task, unless a turn is under way, as further ports may have something to send too. */
    void schedule() {
        if (!turning) execute();
    }

    private void execute() {
        if (scheduled) return;
        scheduled = true;
        loop.execute(() -> {
            scheduled = false;
            turning = true;
            // Ports woken meanwhile are served by the next task, so that packets get a turn in between.
            for (int i = woken.size(); i > 0; i--) {
                StreamPort port = woken.remove();
                port.isWoken = false;
                port.serve();
            }
            turn.run();
        });
    }

    int boundBytes() {
        return Math.clamp(SHARED_BYTES / Math.max(1, ports.size()), LEAST_BYTES, BOUND_BYTES);
    }

    void cancel(Stream stream) {
        if (ports.remove(stream) == null) return;
        schedule();
        stream.reset(System.nanoTime(), StreamPort.CANCELLED);
    }

    /** Reads into {@link #chunk}; returns the number of bytes, 0 if there are none now, −1 at the stream's end. */
    int read(Stream stream) {
        int length = Math.min(CHUNK_BYTES, boundBytes());
        int n = stream.read(System.nanoTime(), chunk, 0, length);
        if (n == 0 || n == -2) return 0;
        schedule();
        return n;
    }

    byte[] chunk() {
        return chunk;
    }

    long silentNs(Id peer, long nowNs) {
        long since = links.expectingSinceNs(peer);
        return since == Core.NEVER ? 0 : Math.max(0, nowNs - since);
    }

    // ---- from the links ---------------------------------------------------------------------------------------------

    void told(LinkOutput.OfStream output) {
        switch (output) {
            case LinkOutput.StreamDatagram o -> {
                StreamPort port = ports.get(o.stream());
                if (port == null || !port.receive(o.data().toArray())) counters.add("stream.datagram.dropped");
            }
            case LinkOutput.StreamReadable o -> {
                StreamPort port = ports.get(o.stream());
                if (port != null) port.serve();
            }
            case LinkOutput.StreamWritable o -> {
                StreamPort port = ports.get(o.stream());
                if (port != null) port.drain();
            }
            case LinkOutput.StreamReset o -> broken(o.stream());
            case LinkOutput.StreamFinished o -> {
                StreamPort port = ports.remove(o.stream());
                if (port != null) port.onGone();
            }
            case LinkOutput.StreamsLost _ -> lost();
        }
    }

    private void broken(Stream stream) {
        StreamPort port = ports.remove(stream);
        if (port != null) port.onBroken();
    }

    /** Breaks off all streams of a peer that is gone or lost its state. */
    private void lost() {
        for (Stream stream : List.copyOf(ports.keySet())) if (stream.isLost()) broken(stream);
    }

    void close() {
        closed = true;
        List.copyOf(ports.keySet()).forEach(this::broken);
    }
}
