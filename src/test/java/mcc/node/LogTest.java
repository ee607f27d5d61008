package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** The log: one line for one event whatever is in it, and nobody waits for who reads it. */
class LogTest {
    private final LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();

    private ILoggingEvent event(String message, Throwable thrown) {
        return new LoggingEvent("", context.getLogger("mcc.node.Store"), Level.WARN, message, thrown, null);
    }

    @Test
    void aMessageStaysOnItsLine() {
        String said =
                "a\n2026-01-01T00:00:00.000Z ERROR Node forged\r\u001b[2J\u009b31m\u2028\u2029\u202e\u2066\u0000\t\ud800é漢😀";
        String text = new LogText().doLayout(event(said, null));
        assertThat(text).endsWith("\n");
        String line = text.substring(0, text.length() - 1);
        assertThat(line.codePoints().filter(c -> {
                    int type = Character.getType(c);
                    return type == Character.CONTROL
                            || type == Character.FORMAT
                            || type == Character.LINE_SEPARATOR
                            || type == Character.PARAGRAPH_SEPARATOR
                            || type == Character.SURROGATE;
                }))
                .isEmpty();
        assertThat(line)
                .matches("20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z WARN  Store a\\\\n2026.*")
                .contains("\\u001b[2J", "\\u009b31m", "\\u2028", "\\u202e", "\\u0000", "\\t", "\\ud800", "é漢😀");
    }

    @Test
    void whatIsThrownIsShownWithItsCausesAndForgesNothing() {
        Throwable thrown = new IllegalStateException("one\nforged", new IllegalArgumentException("two\u202e"));
        String text = new LogText().doLayout(event("failed", thrown));
        List<String> lines = text.lines().toList();
        assertThat(lines.get(1)).isEqualTo("java.lang.IllegalStateException: one\\nforged");
        assertThat(lines.get(2)).startsWith("\tat mcc.node.LogTest.");
        assertThat(lines).contains("Caused by: java.lang.IllegalArgumentException: two\\u202e");
        assertThat(lines.stream().filter(line -> line.startsWith("forged"))).isEmpty();
    }

    @Test
    void aMessageWithoutEndHasOneInTheLog() {
        String text = new LogText().doLayout(event("x".repeat(1 << 20), null));
        assertThat(text.length()).isLessThan(LogText.LINE_CHARS + 100);
        assertThat(text).contains("... " + ((1 << 20) - LogText.LINE_CHARS) + " more");
    }

    /** A sink that takes nothing until it may. */
    private static final class Stuck extends AppenderBase<ILoggingEvent> {
        private final CountDownLatch entered = new CountDownLatch(1);
        private final CountDownLatch may = new CountDownLatch(1);
        private final BlockingQueue<String> taken = new LinkedBlockingQueue<>();

        @Override
        protected void append(ILoggingEvent event) {
            entered.countDown();
            try {
                may.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            taken.add(event.getFormattedMessage());
        }
    }

    @Test
    void whoLogsNeverWaitsAndWhatIsDroppedIsCounted() throws Exception {
        Stuck sink = new Stuck();
        sink.start();
        BlockingQueue<Long> told = new LinkedBlockingQueue<>();
        LogQueue queue = new LogQueue("test", sink, told::add);
        queue.setContext(context);
        queue.start();
        int all = LogQueue.LINES + 1_000;
        queue.doAppend(event("line 0", null));
        assertThat(sink.entered.await(30, TimeUnit.SECONDS)).isTrue();
        for (int i = 1; i < all; i++) queue.doAppend(event("line " + i, null));
        assertThat(queue.dropped())
                .as("all but the queue and the line under way")
                .isEqualTo(999);
        assertThat(told).as("told once").containsExactly(1L);
        sink.may.countDown();
        for (int i = 0; i < all - queue.dropped(); i++) {
            assertThat(sink.taken.poll(30, TimeUnit.SECONDS)).isEqualTo("line " + i);
        }
        queue.doAppend(event("one more", null));
        assertThat(sink.taken.poll(30, TimeUnit.SECONDS)).isEqualTo("one more");
        queue.stop();
        assertThat(told).as("and when it is over").containsExactly(1L, 0L);
    }

    @Test
    void aLogFileThatCannotBeOpenedIsAProblem(@TempDir Path folder) throws Exception {
        Path blocked = Files.writeString(folder.resolve("file"), "").resolve("node.log");
        Status status = new Status("test");
        Logging logging = Logging.configure(Settings.load(Map.of("log.file", blocked.toString()), Map.of(), null));
        try {
            logging.tell(status);
            assertThat(status.problems().encode()).contains("log-file", blocked.toString());
        } finally {
            logging.close();
            ((LoggerContext) LoggerFactory.getILoggerFactory()).reset();
        }
    }
}
