package mcc.tun;

import java.util.ArrayDeque;
import java.util.List;
import mcc.core.Core;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The laws of cores put to the routes, whose host gives up at the deadline what waited too long. */
class RoutesLawsTest {
    private sealed interface Input {
        record Tick() implements Input {}

        record Hold(InnerAddress to) implements Input {}

        record Learn(Id node) implements Input {}

        record Release(InnerAddress to) implements Input {}
    }

    private static final class Hosted implements Core<Input, Object> {
        private final Routes routes = new Routes("test", InnerAddress.of("test", Id.ZERO), new Counters());
        private final ArrayDeque<Object> outputs = new ArrayDeque<>();

        @Override
        public void handle(long nowNs, Input input) {
            switch (input) {
                case Input.Tick _ -> {}
                case Input.Hold h -> routes.hold(nowNs, h.to(), false, new byte[20], 0, 20);
                case Input.Learn l -> outputs.add(routes.learn(l.node()));
                case Input.Release r -> outputs.add(routes.release(r.to()).size());
            }
            for (InnerAddress each : routes.waiting()) {
                if (routes.isOverdue(nowNs, each))
                    outputs.add(each + " " + routes.release(each).size());
            }
        }

        @Override
        public @Nullable Object poll() {
            return outputs.poll();
        }

        @Override
        public long deadlineNs() {
            return routes.deadlineNs();
        }
    }

    private static Input anyInput(Rng rng, List<Object> before) {
        Id node = new Id(rng.below(200), 0, 0, 0);
        return switch (rng.below(6)) {
            case 0 -> new Input.Tick();
            case 1 -> new Input.Learn(node);
            case 2 -> new Input.Release(InnerAddress.of("test", node));
            default -> new Input.Hold(InnerAddress.of("test", node));
        };
    }

    @Test
    void theLawsOfCoresHold() {
        CoreLaws.check(Hosted::new, new Input.Tick(), RoutesLawsTest::anyInput, 3_000);
    }
}
