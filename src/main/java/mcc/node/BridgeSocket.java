package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's socket, SockJS or plain WebSocket, that the HTTP server passes to the event-bus bridge. Host, Origin and token
 * were checked, and nothing was read yet.
 *
 * <p>Everything that waits between the server's loop and the bridge's is limited: the next frame is read once the last one was
 * handled and the client has read most of what was sent; a carrier that cannot slow its sender down is closed at
 * {@link #UNREAD_MAX}. What is to be sent counts from when it is handed over.
 *
 * <p>States: made → open → ended, or made → ended. It ends once, and whoever opened it is told.
 */
public final class BridgeSocket {
    /** The transport of the socket. Called on the HTTP server's context; may throw once it has ended. */
    public interface Carrier {
        /** Reads one more frame; does nothing where the sender cannot be slowed down. */
        void fetch();

        /** Sends a frame; completed when the system has taken it, or it can no longer be sent. */
        Future<Void> write(String frame);

        /** Closes with a reason, which the client gets once it reads. */
        void close(int code, String reason);

        /** Ends the underlying connection at once. */
        void cut();
    }

    /** Why a socket ended. */
    public enum End {
        /** Closed by its client, or the network broke. */
        CLOSED,
        /** The client did not read what was sent. */
        SLOW,
        /** The client sent faster than the bridge handled it. */
        FAST,
        /** An error on this side. */
        FAILED,
        /** The bridge did not accept it. */
        REFUSED
    }

    /** Bytes on their way to one client, and to all; the overhead counted per frame. */
    static final int UNSENT_MAX = 1 << 20, ALL_UNSENT_MAX = 16 << 20, FRAME_COST = 128;
    /** With fewer unsent bytes the next frame is read; also a client's limit while all together have too much. */
    static final int UNSENT_CALM = 64 << 10;
    /** Frames, and characters, that may wait for the bridge where the sender cannot be slowed down. */
    static final int UNREAD_MAX = 256, UNREAD_CHARACTERS = 512 << 10;
    /** A client that does not answer a close is cut off after this time. */
    static final long CUT_MS = 5_000;

    /** Close codes: RFC 6455 section 7.4.1 and its registry. */
    private static final int POLICY = 1008, FAILURE = 1011, TRY_AGAIN = 1013;

    private static final Logger LOG = LoggerFactory.getLogger(BridgeSocket.class);

    private record Reader(Context home, Consumer<String> text, Consumer<End> left) {}

    private final Carrier carrier;
    private final Context home;
    private final @Nullable String authorization;
    private final AtomicLong all;
    private final AtomicLong unsent = new AtomicLong();
    private volatile boolean done;

    // The rest is used on the HTTP server's context only.
    private @Nullable End end;
    private @Nullable Reader reader;
    private int unread;
    private int unreadCharacters;
    private long written;
    private boolean held;
    private long cutter = -1;

    /**
     * Wraps a carrier, which reports by {@link #onText}, {@link #onBroken} and {@link #onClosed}.
     *
     * @param authorization as in HTTP's header; null for none
     * @param all counts the bytes on their way to all clients of one server
     */
    public BridgeSocket(Carrier carrier, Context home, @Nullable String authorization, AtomicLong all) {
        this.carrier = carrier;
        this.home = home;
        this.authorization = authorization;
        this.all = all;
    }

    /** As in HTTP's header; null for none. */
    public @Nullable String authorization() {
        return authorization;
    }

    /**
     * Begins to read. May be called on any thread.
     *
     * @param there the context for the two callbacks
     * @param text takes each frame; an exception ends this socket
     * @param left called once when the socket has ended, which may be at once
     */
    public void open(Context there, Consumer<String> text, Consumer<End> left) {
        post(home, () -> {
            Reader opened = new Reader(there, text, left);
            reader = opened;
            if (end != null) tell(opened, end);
            else fetch();
        });
    }

    /**
     * Sends a frame; may be called on any thread. A client that does not read is closed instead of filling memory; it may
     * connect again.
     */
    public void send(String frame) {
        if (done) return;
        long cost = (long) FRAME_COST + frame.length();
        long mine = unsent.addAndGet(cost);
        long limit = all.addAndGet(cost) > ALL_UNSENT_MAX ? UNSENT_CALM : UNSENT_MAX;
        boolean slow = mine > cost && mine > limit; // a single frame may have any size
        done |= slow;
        post(home, () -> {
            if (slow) finish(End.SLOW, TRY_AGAIN, "too slow");
            if (end == null) write(frame, cost);
            else release(cost);
        });
    }

    /** Closes the socket with a reason; may be called on any thread. */
    public void refuse(String reason) {
        post(home, () -> finish(End.REFUSED, TRY_AGAIN, reason));
    }

    // ---- what the carrier tells, on the HTTP server's context -------------------------------------------------------

    /** A frame was received. */
    public void onText(String frame) {
        Reader to = reader;
        if (end != null || to == null) return;
        int characters = frame.length();
        if (unread >= UNREAD_MAX || unreadCharacters + characters > UNREAD_CHARACTERS && unread > 0) {
            finish(End.FAST, POLICY, "frames come faster than they are handled");
            return;
        }
        unread++;
        unreadCharacters += characters;
        boolean handed = post(to.home(), () -> {
            boolean well = take(to, frame);
            post(home, () -> taken(characters, well));
        });
        if (!handed) finish(End.FAILED, FAILURE, "the bridge has ended");
    }

    /** The carrier is broken, though it may still be open. */
    public void onBroken(Throwable cause) {
        LOG.debug("a socket of the bridge broke", cause);
        finish(End.FAILED, FAILURE, "the connection is broken");
    }

    /** The carrier has ended. */
    public void onClosed() {
        if (cutter >= 0) home.owner().cancelTimer(cutter);
        cutter = -1;
        end(End.CLOSED);
    }

    // ---- inside -----------------------------------------------------------------------------------------------------

    private static boolean take(Reader to, String frame) {
        try {
            to.text().accept(frame);
            return true;
        } catch (RuntimeException e) {
            LOG.error("a frame to the bridge could not be handled", e);
            return false;
        }
    }

    private void taken(int characters, boolean well) {
        unread--;
        unreadCharacters -= characters;
        if (!well) finish(End.FAILED, FAILURE, "the node failed to handle a frame");
        else if (unsent.get() > UNSENT_CALM) held = true;
        else fetch();
    }

    private void fetch() {
        if (end == null) attempt(carrier::fetch);
    }

    private void write(String frame, long cost) {
        written += cost;
        attempt(() -> carrier.write(frame).onComplete(_ -> {
            if (end != null) return; // already released
            written -= cost;
            release(cost);
            if (!held || unsent.get() > UNSENT_CALM) return;
            held = false;
            fetch();
        }));
    }

    private void release(long cost) {
        unsent.addAndGet(-cost);
        all.addAndGet(-cost);
    }

    /** Runs a step; a carrier that has ended throws before it reports the end. */
    private void attempt(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            onBroken(e);
        }
    }

    private void finish(End why, int code, String reason) {
        if (end != null) return;
        cutter = home.owner().setTimer(CUT_MS, _ -> {
            cutter = -1;
            carrier.cut();
        });
        end(why);
        attempt(() -> carrier.close(code, reason));
    }

    private void end(End why) {
        if (end != null) return;
        end = why;
        done = true;
        release(written);
        Reader told = reader;
        if (told != null) tell(told, why);
    }

    private static void tell(Reader told, End why) {
        post(told.home(), () -> told.left().accept(why));
    }

    /** Runs a step on a context; false if that has ended. */
    private static boolean post(Context there, Runnable step) {
        try {
            there.runOnContext(_ -> step.run());
            return true;
        } catch (RejectedExecutionException _) {
            return false;
        }
    }
}
