package mcc.tunnel;

import mcc.node.StreamPort;

/**
 * One connection and one stream joined: bytes both ways, each direction with its own end and its own back-pressure.
 *
 * <p>Open → (one direction ended) → both ended → done once the connection has taken what waits for it and is closed; or broken
 * when either side breaks. Until it is done it counts as open, because a program that never reads holds a socket for as long.
 */
final class Splice implements TcpSocket.Handler {
    /** Counts what passes. */
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

    /** Joins the two; to be called on their context. */
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
        if (streamEnded) socket.closeAfterWrites();
    }

    @Override
    public void onWritable() {
        port.resume();
    }

    @Override
    public void onClosed() {
        if (done) return;
        done = true;
        boolean broken = !(socketEnded && streamEnded);
        if (broken) port.cancel();
        meter.done(broken);
    }

    private void onStreamData(byte[] bytes, int length) {
        meter.received(length);
        socket.write(bytes, length);
        if (!socket.isWritable()) port.pause();
    }

    private void onStreamEnd() {
        streamEnded = true;
        if (socketEnded) socket.closeAfterWrites();
        else socket.end();
    }

    private void onStreamBroken() {
        if (done || socketEnded && streamEnded) return; // all of it has come: nothing is lost by its link's end
        done = true;
        socket.abort();
        meter.done(true);
    }
}
