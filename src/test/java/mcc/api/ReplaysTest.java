package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.json.JsonObject;
import mcc.node.Problem;
import org.junit.jupiter.api.Test;

class ReplaysTest {
    private static final Replays.Answer MADE = new Replays.Answer(201, new JsonObject());

    private final Replays replays = new Replays();

    private void assertRefused(String code, String key, String request) {
        assertThatThrownBy(() -> replays.begin(key, request))
                .isInstanceOfSatisfying(Problem.class, p -> assertThat(p.code()).isEqualTo(code));
    }

    @Test
    void aKeyIsTakenFromTheBeginningOfItsRequest() {
        assertThat(replays.begin("k", "a")).isNull();
        assertRefused("conflict", "k", "a");
        assertRefused("unprocessable", "k", "b");
        replays.end("k", MADE);
        assertThat(replays.begin("k", "a")).isEqualTo(MADE);
        assertRefused("unprocessable", "k", "b");
    }

    @Test
    void aRequestThatFailedGivesItsKeyBack() {
        replays.begin("k", "a");
        replays.end("k", null);
        assertThat(replays.begin("k", "b")).isNull();
    }

    @Test
    void theOldestAnswerGivesWayButNoRequestUnderWayDoes() {
        replays.begin("busy", "a");
        for (int i = 0; i < Replays.MAX; i++) {
            replays.begin("k" + i, "a");
            replays.end("k" + i, MADE);
        }
        assertRefused("conflict", "busy", "a");
        assertThat(replays.begin("k0", "b")).as("forgotten").isNull();
        assertThat(replays.begin("k" + (Replays.MAX - 1), "a")).isEqualTo(MADE);
        for (int i = 0; i < Replays.MAX - 2; i++) replays.begin("more" + i, "a");
        assertRefused("overloaded", "one more", "a");
    }

    @Test
    void aKeyWithoutUseIsRefused() {
        assertRefused("validation", "", "a");
        assertRefused("validation", "k".repeat(256), "a");
    }
}
