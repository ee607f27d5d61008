package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.Promise;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import mcc.consortium.Policy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** A part of the start on a machine that is slow: it is done when the node has said several times that it waits. */
class SlowStartTest {
    private static final int TOLD = 5;

    private final Promise<String> part = Promise.promise();
    private final List<String> told = new ArrayList<>();
    private final AppenderBase<ILoggingEvent> log = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            told.add(event.getFormattedMessage());
            if (told.size() == TOLD) part.complete("done");
        }
    };

    @BeforeEach
    void listen() {
        log.start();
        ((Logger) LoggerFactory.getLogger(Node.class)).addAppender(log);
    }

    @AfterEach
    void leave() {
        ((Logger) LoggerFactory.getLogger(Node.class)).detachAppender(log);
    }

    @Test
    void slowIsToldAndIsNoFailure() {
        assertThat(Node.settle("dht", part.future(), 1, Node.START_MS)).isEqualTo("done");
        assertThat(told).hasSize(TOLD).allMatch(each -> each.contains("still starting") && each.endsWith("dht"));
        assertThat(Node.START_MS)
                .as("twenty nodes at once on two cores take over 20 s")
                .isGreaterThan(60_000);
    }

    @Test
    void whatIsNeverDoneIsAProblemInTheEnd() {
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Node.settle("dht", part.future(), 1, TOLD - 1))
                .satisfies(p -> assertThat(p.detail()).contains("'dht' was not ready"))
                .satisfies(p -> assertThat(p.hint()).isNotBlank());
        assertThat(told).hasSize(TOLD - 2);
    }

    @Test
    void whatFailsIsNotWaitedFor() {
        part.fail(new Problem("listen", "the port is taken", null));
        assertThatExceptionOfType(Problem.class)
                .isThrownBy(() -> Node.settle("session", part.future(), 1, Node.START_MS))
                .satisfies(p -> assertThat(p.code()).isEqualTo("listen"));
        assertThat(told).isEmpty();
    }

    @Test
    void aVerticleThatStartsWaitsForAnswersAsLongAsTheStartMayTake(@TempDir Path folder) {
        Map<String, String> values =
                Map.of("data", folder.resolve("n").toString(), "listen", "127.0.0.1:0", "http", "127.0.0.1:0");
        long[] answerMs = {0};
        Node.Edge edge = parts -> {
            answerMs[0] = parts.bus().answerMs();
            return new AbstractVerticle() {};
        };
        try (Node node = Node.start(Settings.load(values, Map.of(), null), Policy.open(), List.of(edge))) {
            assertThat(answerMs[0]).isEqualTo(Node.START_MS);
            assertThat(node.parts().bus().answerMs()).as("later").isEqualTo(Bus.ANSWER_MS);
        }
    }
}
