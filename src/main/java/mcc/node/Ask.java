package mcc.node;

import io.vertx.core.Future;

/**
 * A question on the bus that names what it is answered by.
 *
 * <p>Whoever answers a sealed family of questions does so by a switch of which each branch is
 * {@code case Query.Status q -> q.reply(status())}: so each answer is checked against the question that it belongs to.
 *
 * @param <A> its answer
 */
public interface Ask<A> {
    /** The answer of a question that wants nothing but to be done. */
    record Done() {}

    /** What came of a question, for {@link Bus} to carry back. */
    final class Reply {
        private final Future<?> answer;

        private Reply(Future<?> answer) {
            this.answer = answer;
        }

        /** A failure, which answers any question. */
        public static Reply failed(Throwable why) {
            return new Reply(Future.failedFuture(why));
        }

        Future<?> answer() {
            return answer;
        }
    }

    /** Answers this question. */
    default Reply reply(A answer) {
        return new Reply(Future.succeededFuture(answer));
    }

    /** Answers this question once that is known. */
    default Reply replyOnce(Future<? extends A> answer) {
        return new Reply(answer);
    }
}
