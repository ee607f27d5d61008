package mcc.node;

import io.vertx.core.Future;

/**
 * A query on the bus that names the type of its answer.
 *
 * <p>Whoever answers a sealed family of queries does so in a switch with branches like
 * {@code case Query.Status q -> q.reply(status())}, so the compiler checks every answer against its query.
 *
 * @param <A> the type of the answer
 */
public interface Ask<A> {
    /** The answer to a query that only wants something done. */
    record Done() {}

    /** The answer to a query, for {@link Bus} to carry back. */
    final class Reply {
        private final Future<?> answer;

        private Reply(Future<?> answer) {
            this.answer = answer;
        }

        /** A failure, which may answer any query. */
        public static Reply failed(Throwable why) {
            return new Reply(Future.failedFuture(why));
        }

        Future<?> answer() {
            return answer;
        }
    }

    /** Answers this query. */
    default Reply reply(A answer) {
        return new Reply(Future.succeededFuture(answer));
    }

    /** Answers this query once the answer is known. */
    default Reply replyOnce(Future<? extends A> answer) {
        return new Reply(answer);
    }
}
