package mcc.node;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.Security;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import mcc.core.Address;
import org.jspecify.annotations.Nullable;

/**
 * Looks up host names of apps, the same way in every part of the node: with the host's own resolver, which always reads the
 * current hosts file and list of name servers, and trying all addresses of a name in turn as in RFC 8305.
 */
public final class HostNames {
    /** The next address is tried in parallel after this time without an answer (RFC 8305 section 5). */
    private static final long NEXT_MS = 250;
    /** How long a result, found or not, is cached. */
    private static final String CACHE_SECONDS = "1";

    private static final int THREADS = 8;
    private static final int WAITING_MAX = 1_024;

    /** A pool of its own, so that a silent name server delays only name lookups. */
    private static final ThreadPoolExecutor LOOKUPS = new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(WAITING_MAX),
            Thread.ofPlatform().daemon().name("mcc-names-", 0).factory());

    static {
        LOOKUPS.allowCoreThreadTimeOut(true);
        // The JDK reads these once, at the first lookup of the process, so every lookup must go through this class.
        Security.setProperty("networkaddress.cache.ttl", CACHE_SECONDS);
        Security.setProperty("networkaddress.cache.negative.ttl", CACHE_SECONDS);
    }

    private HostNames() {}

    /**
     * Looks up a name. Blocks.
     *
     * @throws UnknownHostException if it is unknown
     */
    static List<InetAddress> lookUp(String host) throws UnknownHostException {
        return List.of(InetAddress.getAllByName(host));
    }

    /**
     * Returns every address of {@code host}, best first, alternating between the families (RFC 8305 section 4); at least one.
     *
     * @return fails with {@link UnknownHostException} if the name is unknown
     */
    public static Future<List<InetSocketAddress>> resolve(Vertx vertx, String host, int port) {
        boolean literal = host.indexOf(':') >= 0 || Address.parse(host + ":" + port) != null;
        if (literal) return found(host, port); // not a name, so no lookup happens
        Promise<List<InetSocketAddress>> promise = Promise.promise();
        Context context = vertx.getOrCreateContext();
        try {
            LOOKUPS.execute(() -> {
                Future<List<InetSocketAddress>> found = found(host, port);
                context.runOnContext(_ -> found.onComplete(promise));
            });
        } catch (RejectedExecutionException _) {
            return Future.failedFuture("too many names are being looked up");
        }
        return promise.future();
    }

    /** The same for an app's address: an app that listens on every address of this host is reached by loopback. */
    public static Future<List<InetSocketAddress>> ofApp(Vertx vertx, String host, int port) {
        return resolve(vertx, host, port).map(all -> {
            List<InetSocketAddress> out = new ArrayList<>();
            for (InetSocketAddress each : all) {
                boolean any = each.getAddress().isAnyLocalAddress();
                out.add(any ? new InetSocketAddress(loopback(each.getAddress() instanceof Inet4Address), port) : each);
            }
            return List.copyOf(out);
        });
    }

    private static Future<List<InetSocketAddress>> found(String host, int port) {
        try {
            return Future.succeededFuture(ordered(host, lookUp(host), port));
        } catch (UnknownHostException _) {
            if (isLocalhost(host)) return Future.succeededFuture(ordered(host, List.of(), port));
            return Future.failedFuture(new UnknownHostException("the name '" + host + "' is unknown on this host"));
        }
    }

    private static boolean isLocalhost(String host) {
        String lower = host.toLowerCase(java.util.Locale.ROOT);
        return lower.equals("localhost") || lower.endsWith(".localhost");
    }

    private static List<InetSocketAddress> ordered(String host, List<InetAddress> found, int port) {
        LinkedHashSet<InetAddress> all = new LinkedHashSet<>(found);
        if (isLocalhost(host)) { // RFC 6761 section 6.3: whatever the hosts file says
            all.add(loopback(true));
            all.add(loopback(false));
        }
        List<InetAddress> first = new ArrayList<>();
        List<InetAddress> second = new ArrayList<>();
        for (InetAddress each : all) {
            boolean same =
                    first.isEmpty() || each.getClass().equals(first.getFirst().getClass());
            (same ? first : second).add(each);
        }
        List<InetSocketAddress> out = new ArrayList<>();
        for (int i = 0; i < Math.max(first.size(), second.size()); i++) {
            if (i < first.size()) out.add(new InetSocketAddress(first.get(i), port));
            if (i < second.size()) out.add(new InetSocketAddress(second.get(i), port));
        }
        return List.copyOf(out);
    }

    private static InetAddress loopback(boolean v4) {
        byte[] ip = new byte[v4 ? 4 : 16];
        ip[0] = v4 ? (byte) 127 : 0;
        ip[ip.length - 1] = 1;
        try {
            return InetAddress.getByAddress(ip);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // it has 4 or 16 bytes
        }
    }

    /**
     * Connects to the first address that answers: tries the next one when one fails, or after a quarter of a second without an
     * answer.
     *
     * @param at at least one address
     * @param connect must have a time-out of its own
     * @param drop takes connections that came too late
     */
    public static <S> Future<S> connect(
            Vertx vertx, List<InetSocketAddress> at, Function<InetSocketAddress, Future<S>> connect, Consumer<S> drop) {
        if (at.size() == 1) return connect.apply(at.getFirst());
        return new Race<>(vertx, List.copyOf(at), connect, drop).begin();
    }

    /** Attempts at several addresses; the first that succeeds wins. */
    private static final class Race<S> {
        private final Vertx vertx;
        private final List<InetSocketAddress> at;
        private final Function<InetSocketAddress, Future<S>> connect;
        private final Consumer<S> drop;
        private final Promise<S> won = Promise.promise();
        private @Nullable Throwable firstFailure;
        private int next;
        private int running;
        private long timer = -1;

        Race(
                Vertx vertx,
                List<InetSocketAddress> at,
                Function<InetSocketAddress, Future<S>> connect,
                Consumer<S> drop) {
            this.vertx = vertx;
            this.at = at;
            this.connect = connect;
            this.drop = drop;
        }

        Future<S> begin() {
            startNext();
            return won.future();
        }

        private void startNext() {
            vertx.cancelTimer(timer);
            if (won.future().isComplete()) return;
            if (next == at.size()) {
                if (running == 0) won.fail(firstFailure == null ? new UnknownHostException() : firstFailure);
                return;
            }
            running++;
            InetSocketAddress to = at.get(next++);
            if (next < at.size()) timer = vertx.setTimer(NEXT_MS, _ -> startNext());
            connect.apply(to).onSuccess(this::connected).onFailure(this::failed);
        }

        private void connected(S socket) {
            vertx.cancelTimer(timer);
            if (!won.tryComplete(socket)) drop.accept(socket);
        }

        private void failed(Throwable cause) {
            running--;
            if (firstFailure == null) firstFailure = cause;
            startNext();
        }
    }
}
