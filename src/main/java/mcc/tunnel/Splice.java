package mcc.tunnel;

import mcc.node.StreamPort;

/**
 * One connection and one stream joined: bytes both ways, each direction with its own end and its own back-pressure.
 *
 * <p>Open → (one direction ended) → done when both ended, or broken when either side breaks.
 */
final class Splice implements TcpSocket.Handler {
    /** Who counts. */
    interface Meter {
        void sent(int bytes);

        void received(int bytes);

        void done(boolean broken);
    }

    private final TcpSocket socket;
    private final StreamPort port;
    private final Meter meter;
    private boolean socketEnded;
    private boolean streamEnded;
    private boolean done;

    private Splice(TcpSocket socket, StreamPort port, Meter meter) {
        this.socket = socket;
        this.port = port;
        this.meter = meter;
    }

    /** Joins the two, whose context this is. */
    static void join(TcpSocket socket, StreamPort port, Meter meter) {
        Splice splice = new Splice(socket, port, meter);
        port.drainHandler(() -> {
            if (!splice.socketEnded) socket.resume();
        });
        port.endHandler(() -> splice.onStreamEnd());
        port.brokenHandler(_ -> splice.onStreamBroken());
        port.bytesHandler(splice::onStreamData);
        port.batchHandler(socket::flush);
        socket.bound(port.boundBytes());
        socket.start(splice);
        port.resume();
    }

    @Override
    public void onData(byte[] bytes, int length) {
        if (!port.write(bytes, length)) return;
        meter.sent(length);
        if (port.isFull()) socket.pause();
    }

    @Override
    public void onEnd() {
        if (socketEnded) return;
        socketEnded = true;
        port.end();
        finish();
    }

    @Override
    public void onWritable() {
        port.resume();
    }

    @Override
    public void onClosed() {
        if (done) return;
        done = true;
        // Gone in both directions: a clean end was seen before, anything else breaks the stream.
        if (!(socketEnded && streamEnded)) port.cancel();
        meter.done(!(socketEnded && streamEnded));
    }

    private void onStreamData(byte[] bytes, int length) {
        meter.received(length);
        socket.write(bytes, length);
        if (!socket.isWritable()) port.pause();
    }

    private void onStreamEnd() {
        streamEnded = true;
        if (socketEnded) finish();
        else socket.end();
    }

    private void onStreamBroken() {
        if (done) return;
        done = true;
        socket.abort();
        meter.done(true);
    }

    private void finish() {
        if (!socketEnded || !streamEnded || done) return;
        done = true;
        socket.closeAfterWrites();
        meter.done(false);
    }
}
