package mcc.tunnel;

import mcc.core.Counters;
import mcc.core.Id;
import mcc.node.StreamPort;
import org.jspecify.annotations.Nullable;

/**
 * A flow of datagrams to a peer, and the stream that it belongs to: when one ends, so does the other. A datagram that fits into
 * a packet is sent as one; a longer one goes in the stream ({@link Capsules}).
 */
final class FlowStream implements FlowEnd {
    private final StreamPort port;
    private final byte[] first;
    private final Capsules capsules = new Capsules();
    private final Counters.Counter dropped;
    private @Nullable Handler handler;

    /** @param first the bytes that followed the answer in the stream */
    FlowStream(StreamPort port, byte[] first, Counters counters) {
        this.port = port;
        this.first = first;
        dropped = counters.of("tunnel.flow.dropped");
    }

    /** The far end of a flow that was opened. */
    static FlowEnd end(Opening.Way<UdpSocket> way, Counters counters) {
        return switch (way) {
            case Opening.Way.Here<UdpSocket> here -> here.socket();
            case Opening.Way.Remote<UdpSocket> remote ->
                new FlowStream(remote.port(), remote.first().toArray(), counters);
        };
    }

    @Override
    public Id peer() {
        return port.peer();
    }

    @Override
    public void start(Handler handler) {
        this.handler = handler;
        port.datagramHandler(this::onDatagram);
        port.endHandler(() -> over(false));
        port.brokenHandler(_ -> over(true));
        onBytes(first, first.length);
        port.bytesHandler(this::onBytes);
        port.resume();
    }

    @Override
    public void send(byte[] datagram) {
        boolean taken = datagram.length <= port.maxDatagramBytes()
                ? port.sendDatagram(datagram)
                : !port.isFull() && port.write(Capsules.wrap(datagram));
        if (!taken) dropped.add();
    }

    @Override
    public long backlogBytes() {
        return port.datagramBytes();
    }

    @Override
    public long silentNs(long nowNs) {
        return port.silentNs(nowNs);
    }

    @Override
    public void close(boolean broken) {
        handler = null;
        if (broken) port.cancel();
        else port.end();
    }

    private void onDatagram(byte[] datagram) {
        if (handler != null) handler.onDatagram(datagram);
    }

    private void onBytes(byte[] bytes, int length) {
        if (handler == null || capsules.take(bytes, length, this::onDatagram)) return;
        port.cancel();
        over(true);
    }

    private void over(boolean broken) {
        Handler told = handler;
        if (told == null) return;
        handler = null;
        port.end();
        told.onOver(broken);
    }
}
