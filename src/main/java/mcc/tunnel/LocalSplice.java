package mcc.tunnel;

/**
 * Joins two connections of this host, for a user and an app on one machine, as {@link Splice} joins a connection and a stream.
 */
final class LocalSplice {
    private final Splice.Meter meter;
    private boolean userEnded;
    private boolean appEnded;
    private int closed;
    private boolean done;

    private LocalSplice(Splice.Meter meter) {
        this.meter = meter;
    }

    static void join(TcpSocket user, TcpSocket app, Splice.Meter meter) {
        LocalSplice splice = new LocalSplice(meter);
        user.start(splice.new Half(user, app, true));
        app.start(splice.new Half(app, user, false));
    }

    private final class Half implements TcpSocket.Handler {
        private final TcpSocket from;
        private final TcpSocket to;
        private final boolean isUser;

        Half(TcpSocket from, TcpSocket to, boolean isUser) {
            this.from = from;
            this.to = to;
            this.isUser = isUser;
        }

        @Override
        public void onData(byte[] bytes, int length) {
            if (isUser) meter.sent(length);
            else meter.received(length);
            to.write(bytes, length);
            to.flush();
            if (!to.isWritable()) from.pause();
        }

        @Override
        public void onEnd() {
            if (isUser) userEnded = true;
            else appEnded = true;
            to.end();
            if (!userEnded || !appEnded) return;
            from.closeAfterWrites();
            to.closeAfterWrites();
        }

        @Override
        public void onWritable() {
            to.resume(); // this one takes bytes again, so the other may be read
        }

        @Override
        public void onClosed() {
            closed++;
            boolean ended = userEnded && appEnded;
            if (done || ended && closed < 2) return;
            done = true;
            if (!ended) to.abort();
            meter.done(!ended);
        }
    }
}
