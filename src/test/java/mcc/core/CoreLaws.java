package mcc.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/**
 * The laws of {@link Core} that can be tested without knowing the core: give it a way to make equal cores, its tick, and a
 * source of inputs, and it lives through them.
 */
public final class CoreLaws {
    private static final long STEP_NS = 50_000_000;
    /** Ticks in a row that a core may ask for at one moment of its day and the next: by far more than any has to do. */
    private static final int TICKS = 20_000;

    private static final long MINUTE_NS = 60_000_000_000L;

    private CoreLaws() {}

    /**
     * Plays {@code steps} inputs.
     *
     * @param make makes cores that are equal, from the same seed each time
     * @param tick the input of a tick
     * @param next the next input, drawn from the Rng, or for an output of the core before; may be null
     */
    public static <I, O> void check(Supplier<Core<I, O>> make, I tick, BiFunction<Rng, List<O>, I> next, int steps) {
        List<String> once = play(make.get(), tick, next, steps, false);
        List<String> again = play(make.get(), tick, next, steps, false);
        assertThat(again).as("law 4: equal inputs, equal outputs").isEqualTo(once);
        play(make.get(), tick, next, steps, true);
    }

    /**
     * Ticks a core right when it asks for it, for a minute in which nothing else happens. What is due is done: after each tick
     * the deadline lies ahead. A core that breaks this is ticked again at once, for ever, and its host does nothing else; one
     * that asks for a tick every few nanoseconds is no better.
     */
    public static <I, O> void ticksComeToRest(Core<I, O> core, long fromNs, I tick) {
        long nowNs = fromNs;
        for (int ticks = 0; core.deadlineNs() <= fromNs + MINUTE_NS; ticks++) {
            assertThat(ticks).as("ticks within a minute of silence").isLessThan(TICKS);
            nowNs = Math.max(nowNs, core.deadlineNs());
            step(core, nowNs, tick);
        }
    }

    private static <I, O> List<String> play(
            Core<I, O> core, I tick, BiFunction<Rng, List<O>, I> next, int steps, boolean needlessTicks) {
        Rng rng = Rng.seeded(99);
        List<String> said = new ArrayList<>();
        List<O> outputs = List.of();
        long nowNs = 1;
        for (int i = 0; i < steps; i++) {
            I input = next.apply(rng, outputs);
            outputs = step(core, nowNs, input == null ? tick : input);
            if (needlessTicks && core.deadlineNs() > nowNs) {
                assertThat(step(core, nowNs, tick))
                        .as("law 2: a needless tick says nothing")
                        .isEmpty();
            }
            List<String> texts = outputs.stream().map(Object::toString).toList();
            said.addAll(texts);
            nowNs = later(core, nowNs, rng);
            assertThat(outputs.stream().map(Object::toString).toList())
                    .as("law 3: outputs are values")
                    .isEqualTo(texts);
        }
        assertThat(said).as("the core did something").isNotEmpty();
        ticksComeToRest(core, nowNs, tick);
        return said;
    }

    /** On time as often as late by up to a step: law 2. */
    private static long later(Core<?, ?> core, long nowNs, Rng rng) {
        long due = Math.min(core.deadlineNs(), nowNs + STEP_NS);
        return Math.max(nowNs + 1, rng.below(2) == 0 ? due : due + rng.below(STEP_NS));
    }

    private static <I, O> List<O> step(Core<I, O> core, long nowNs, I input) {
        core.handle(nowNs, input);
        List<O> out = new ArrayList<>();
        for (O output = core.poll(); output != null; output = core.poll()) out.add(output);
        assertThat(core.poll()).as("law 1: drained").isNull();
        assertThat(core.deadlineNs()).as("law 1: what is due is done").isGreaterThan(nowNs);
        return out;
    }
}
