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
 * A client's socket, SockJS or plain WebSocket, that the HTTP server hands to the event-bus bridge: its Host, Origin and token
 * checked, and nothing read yet.
 *
 * <p>Whatever waits on the way between the server's loop and the bridge's is bounded: the next frame is read once the last one
 * was dealt with and the client took most of what it was sent; a carrier that cannot hold its sender back is ended at
 * {@link #UNREAD_MAX}. What is on its way out is counted when it is handed over.
 *
 * <p>States: made → open → ended, or made → ended: once, whoever ends it, and whoever opened it is told.
 */
public final class BridgeSocket {
    /** What carries it. Called on the HTTP server's context; may throw once it has ended. */
    public interface Carrier {
        /** Lets one frame more come; does nothing where the sender cannot be held back. */
        void fetch();

        /** Sends a frame; completed when the system has taken it, or it never will be sent. */
        Future<Void> write(String frame);

        /** Says why and closes, as soon as the client reads it. */
        void close(int code, String reason);

        /** Ends the connection under it at once. */
        void cut();
    }

    /** Why it ended. */
    public enum End {
        /** By its client, or the network. */
        CLOSED,
        /** It did not read what it was sent. */
        SLOW,
        /** It sent more than was taken. */
        FAST,
        /** Something went wrong with it here. */
        FAILED,
        /** It was not taken in. */
        REFUSED
    }

    /** Bytes that are on their way to one client, or to all; what one frame costs beside its bytes. */
    static final int UNSENT_MAX = 1 << 20, ALL_UNSENT_MAX = 16 << 20, FRAME_COST = 128;
    /** Below this the next frame is read; what one may have at most while all together have too much. */
    static final int UNSENT_CALM = 64 << 10;
    /** Frames, and characters, that wait for the bridge where the sender cannot be held back. */
    static final int UNREAD_MAX = 256, UNREAD_CHARACTERS = 512 << 10;
    /** Who does not take a close is cut off after this. */
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

    // The rest is used on the HTTP server's context alone.
    private @Nullable End end;
    private @Nullable Reader reader;
    private int unread;
    private int unreadCharacters;
    private long written;
    private boolean held;
    private long cutter = -1;

    /**
     * Takes a carrier over, which tells of what comes by {@link #onText}, {@link #onBroken} and {@link #onClosed}.
     *
     * @param authorization as in HTTP's header; null for none
     * @param all counts what is on its way to all clients of one server
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
     * Begins to read. From any thread.
     *
     * @param there where the other two are called
     * @param text takes each frame; what it throws ends this socket
     * @param left told once that it has ended, which may be at once
     */
    public void open(Context there, Consumer<String> text, Consumer<End> left) {
        post(home, () -> {
            Reader opened = new Reader(there, text, left);
            reader = opened;
            if (end != null) tell(opened, end);
            else fetch();
        });
    }

    /** Sends a frame, from any thread. Who does not read is closed: it may come back, what it missed would fill memory. */
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

    /** Turns the client away, with the reason for it. From any thread. */
    public void refuse(String reason) {
        post(home, () -> finish(End.REFUSED, TRY_AGAIN, reason));
    }

    // ---- what the carrier tells, on the HTTP server's context -------------------------------------------------------

    /** A frame came. */
    public void onText(String frame) {
        Reader to = reader;
        if (end != null || to == null) return;
        int characters = frame.length();
        if (unread >= UNREAD_MAX || unreadCharacters + characters > UNREAD_CHARACTERS && unread > 0) {
            finish(End.FAST, POLICY, "frames come faster than they are taken");
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

    /** It is of no more use, though it may be open yet. */
    public void onBroken(Throwable cause) {
        LOG.debug("a socket of the bridge broke", cause);
        finish(End.FAILED, FAILURE, "the connection is broken");
    }

    /** It has ended. */
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
            LOG.error("a frame to the bridge could not be dealt with", e);
            return false;
        }
    }

    private void taken(int characters, boolean well) {
        unread--;
        unreadCharacters -= characters;
        if (!well) finish(End.FAILED, FAILURE, "the node could not deal with a frame");
        else if (unsent.get() > UNSENT_CALM) held = true;
        else fetch();
    }

    private void fetch() {
        if (end == null) attempt(carrier::fetch);
    }

    private void write(String frame, long cost) {
        written += cost;
        attempt(() -> carrier.write(frame).onComplete(_ -> {
            if (end != null) return; // counted as gone already
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

    /** A carrier that has ended throws before it tells so. */
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

    /** Goes on elsewhere; false where nothing runs any more. */
    private static boolean post(Context there, Runnable step) {
        try {
            there.runOnContext(_ -> step.run());
            return true;
        } catch (RejectedExecutionException _) {
            return false;
        }
    }
}
