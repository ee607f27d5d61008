package mcc.node;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.util.FileSize;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets up logging as the settings say: always to stderr, to a rotated file if one is configured; as text or JSON. Logging
 * never blocks.
 */
final class Logging {
    private static final Logger LOG = LoggerFactory.getLogger(Logging.class);
    private static final String FILE = "log-file";
    private static final String FILE_HINT =
            "correct its folder's owner and mode, or choose another log.file, and restart";
    private static final String LOST = "log-dropped-";

    private final List<LogQueue> queues = new ArrayList<>();
    private volatile @Nullable Status status;
    private @Nullable String unusable;

    private Logging() {}

    static Logging configure(Settings settings) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        Logging made = new Logging();
        boolean json = settings.text("log.format").equals("json");
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setContext(context);
        console.setTarget("System.err");
        console.setEncoder(encoder(context, json));
        console.start();
        var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(made.queue(context, "stderr", console));
        context.getLogger("mcc")
                .setLevel(Level.toLevel(settings.text("log.level").toUpperCase(Locale.ROOT)));
        String path = settings.text("log.file");
        if (path.isBlank()) return made;
        RollingFileAppender<ILoggingEvent> file = file(context, path, json);
        if (file.isStarted()) root.addAppender(made.queue(context, "file", file));
        else {
            made.unusable = "the log file " + path + " cannot be written, so none is written";
            LOG.warn("{}; {}", made.unusable, FILE_HINT);
        }
        return made;
    }

    private LogQueue queue(LoggerContext context, String name, Appender<ILoggingEvent> sink) {
        LogQueue made = new LogQueue(name, sink, so -> tell(name, so));
        made.setContext(context);
        made.start();
        queues.add(made);
        return made;
    }

    private void tell(String sink, long dropped) {
        Status to = status;
        if (to == null) return;
        if (dropped == 0) {
            to.solved(LOST + sink);
            LOG.warn("{} lines of the log were lost, because its {} was blocked", dropped(), sink);
        } else {
            to.problem(
                    LOST + sink,
                    "warning",
                    "lines of the log are lost, because its " + sink + " is blocked",
                    "let whoever started the node read its stderr, or free the disk of log.file");
        }
    }

    /** From now on reports what is wrong with the log among the node's problems. */
    void tell(Status status) {
        this.status = status;
        status.logDropped(this::dropped);
        if (unusable != null) status.problem(FILE, "warning", unusable, FILE_HINT);
    }

    /** Lines that were dropped. */
    private long dropped() {
        long sum = 0;
        for (LogQueue queue : queues) sum += queue.dropped();
        return sum;
    }

    /** Waits until everything logged so far is written, at most a second. */
    void flush() {
        for (LogQueue queue : queues) queue.flush();
    }

    /** Writes what is queued, for a second at most. */
    void close() {
        for (LogQueue queue : queues) queue.stop();
    }

    private static RollingFileAppender<ILoggingEvent> file(LoggerContext context, String path, boolean json) {
        RollingFileAppender<ILoggingEvent> out = new RollingFileAppender<>();
        out.setContext(context);
        out.setFile(path);
        FixedWindowRollingPolicy rolling = new FixedWindowRollingPolicy();
        rolling.setContext(context);
        rolling.setParent(out);
        rolling.setFileNamePattern(path + ".%i");
        rolling.setMinIndex(1);
        rolling.setMaxIndex(5);
        rolling.start();
        SizeBasedTriggeringPolicy<ILoggingEvent> trigger = new SizeBasedTriggeringPolicy<>();
        trigger.setContext(context);
        trigger.setMaxFileSize(FileSize.valueOf("10MB"));
        trigger.start();
        out.setEncoder(encoder(context, json));
        out.setRollingPolicy(rolling);
        out.setTriggeringPolicy(trigger);
        out.start();
        return out;
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context, boolean json) {
        if (json) {
            JsonEncoder encoder = new JsonEncoder();
            encoder.setWithFormattedMessage(true);
            encoder.setWithMessage(false);
            encoder.setWithArguments(false);
            encoder.setContext(context);
            encoder.start();
            return encoder;
        }
        LogText text = new LogText();
        text.setContext(context);
        text.start();
        LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.setLayout(text);
        encoder.start();
        return encoder;
    }
}
