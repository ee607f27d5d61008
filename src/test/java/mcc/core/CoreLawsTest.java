package mcc.core;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Cores that break a law, which must be seen. */
class CoreLawsTest {
    /** Says what it hears and wants a tick so long after each. */
    private static final class Restless implements Core<String, String> {
        private final ArrayDeque<String> outputs = new ArrayDeque<>();
        private final long pauseNs;
        private final boolean afterTicks;
        private long nowNs;
        private boolean ticked;

        Restless(long pauseNs, boolean afterTicks) {
            this.pauseNs = pauseNs;
            this.afterTicks = afterTicks;
        }

        @Override
        public void handle(long nowNs, String input) {
            this.nowNs = nowNs;
            ticked = input.equals("tick");
            if (!ticked) outputs.add(input + nowNs);
        }

        @Override
        public @Nullable String poll() {
            return outputs.poll();
        }

        @Override
        public long deadlineNs() {
            return ticked == afterTicks ? nowNs + pauseNs : nowNs + 3_600_000_000_000L;
        }
    }

    @Test
    void aDeadlineThatStaysDueAfterItsTickIsSeen() {
        assertThatThrownBy(() -> CoreLaws.check(
                        () -> new Restless(0, true), "tick", (rng, _) -> rng.below(2) == 0 ? "in" : null, 100))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("what is due is done");
    }

    @Test
    void ticksThatFollowOneAnotherWithoutEndAreSeen() {
        assertThatThrownBy(() -> CoreLaws.check(() -> new Restless(50, true), "tick", (_, _) -> "in", 100))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("ticks within a minute of silence");
    }

    @Test
    void aCoreThatRestsKeepsTheLaws() {
        CoreLaws.check(() -> new Restless(5_000_000_000L, true), "tick", (_, _) -> "in", 100);
    }
}
