package mcc.node;

import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** What the REST interface is asked by those who do not come by HTTP. */
public sealed interface ApiQuery {
    /**
     * One operation of the contract; answered also where it fails.
     *
     * @param body parameters and body merged
     * @param authorization as in HTTP's header; null for none
     * @param trusted whether the caller is code of this process, which needs no token
     */
    record Call(String operation, JsonObject body, @Nullable String authorization, boolean trusted)
            implements ApiQuery, Ask<Answer> {}

    /**
     * What came of a call.
     *
     * @param status of HTTP
     * @param body the answer's body; from status 400 on a problem (RFC 9457)
     */
    record Answer(int status, JsonObject body) {
        /** Whether the call did not do what it was asked. */
        public boolean failed() {
            return status >= 400;
        }
    }
}
