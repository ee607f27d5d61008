package mcc.node;

import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** Queries to the REST interface from callers that do not use HTTP. */
public sealed interface ApiQuery {
    /**
     * An operation of the contract; answered even if it fails.
     *
     * @param body parameters and body merged
     * @param authorization as in HTTP's header; null for none
     * @param trusted whether the caller is code of this process, which needs no token
     */
    record Call(String operation, JsonObject body, @Nullable String authorization, boolean trusted)
            implements ApiQuery, Ask<Answer> {}

    /**
     * The result of a call.
     *
     * @param status the HTTP status
     * @param body the answer's body; from status 400 on a problem (RFC 9457)
     */
    record Answer(int status, JsonObject body) {
        /** Whether the call failed. */
        public boolean failed() {
            return status >= 400;
        }
    }
}
