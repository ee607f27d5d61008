package mcc.consortium;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.List;
import mcc.core.Counters;
import mcc.core.Id;
import org.junit.jupiter.api.Test;

class DecisionPointTest {
    private static final Policy CLOSED = new Policy(List.of());
    private static final Question MAY_SEE =
            new Question(Subject.of(new Id(1, 2, 3, 4)), Action.SEE, new Question.Thing.Service(Policy.OPEN, "web"), 5);

    private final Counters counters = new Counters();
    private final DecisionPoint point = new DecisionPoint(counters);

    @Test
    void beforeItsFirstEpochNothingIsAllowed() {
        assertThat(point.allows(MAY_SEE)).isFalse();
        assertThat(point.take(PolicyEpoch.open())).isTrue();
        assertThat(point.allows(MAY_SEE)).isTrue();
        assertThat(counters.value("policy.allowed")).isEqualTo(1);
        assertThat(counters.value("policy.denied")).isEqualTo(1);
    }

    @Test
    void theHighestEpochIsInForceInWhateverOrderTheyCome() {
        point.take(new PolicyEpoch(Policy.open(), 1));
        assertThat(point.take(new PolicyEpoch(CLOSED, 3))).isTrue();
        assertThat(point.take(new PolicyEpoch(Policy.open(), 2))).isFalse();
        assertThat(point.allows(MAY_SEE)).isFalse();
        assertThat(counters.value("policy.epoch.old")).isEqualTo(1);
        assertThat(point.take(new PolicyEpoch(CLOSED, 3)))
                .as("told again, there is nothing to judge again")
                .isFalse();
        assertThat(counters.value("policy.epoch.old")).isEqualTo(1);
    }

    @Test
    void aPolicyThatFailsDeniesAndGoesOn() {
        point.take(new PolicyEpoch(failing(), 1));
        assertThat(point.decide(MAY_SEE))
                .isInstanceOfSatisfying(
                        Decision.Denied.class,
                        denied -> assertThat(denied.reason()).isEqualTo(Decision.Reason.FAILED));
        assertThat(counters.value("policy.failed")).isEqualTo(1);
        assertThat(counters.value("policy.denied")).isEqualTo(1);
        point.take(new PolicyEpoch(Policy.open(), 2));
        assertThat(point.allows(MAY_SEE)).isTrue();
    }

    @Test
    void epochsAreNumberedFromOne() {
        assertThatThrownBy(() -> new PolicyEpoch(CLOSED, 0)).hasMessageContaining("from 1");
    }

    /** A policy that cannot judge anybody. */
    private static Policy failing() {
        return new Policy(List.of(
                Grant.of(Policy.OPEN, new Grant.What.Services(), new Grant.Whom.Node(null), EnumSet.of(Action.SEE))));
    }
}
