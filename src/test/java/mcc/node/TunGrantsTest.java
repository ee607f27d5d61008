package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import mcc.consortium.Action;
import mcc.consortium.Policy;
import mcc.consortium.Question;
import mcc.consortium.Subject;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** What the operator writes about the virtual interface is what the one evaluator says. */
class TunGrantsTest {
    private static final Id SELF = Id.random(Rng.seeded(1));
    private static final Id PEER = Id.random(Rng.seeded(2));
    private static final Id OTHER = Id.random(Rng.seeded(3));
    private static final Question.Port SSH = new Question.Port(Question.Port.TCP, 22);

    private static boolean allows(String allow, String inbound, Id self, Id peer, Question.Port port) {
        Settings settings = Settings.load(Map.of("tun.allow", allow, "tun.inbound", inbound), Map.of(), null);
        Policy policy = Policy.open().and(TunGrants.of(settings, SELF));
        Question.Thing thing = new Question.Thing.Node(Policy.OPEN, self);
        return policy.decide(new Question(Subject.of(peer), Action.USE, thing, port, 5))
                .isAllowed();
    }

    private static boolean allows(String rule, Question.Port port) {
        return allows("none", rule, SELF, PEER, port);
    }

    @Test
    void aRuleLetsInItsProtocolPortsAndNode() {
        assertThat(allows("", SSH)).as("an open network's ports are not open").isFalse();
        assertThat(allows("tcp:22", SSH)).isTrue();
        assertThat(allows("udp:22", SSH)).isFalse();
        assertThat(allows("tcp:20-21", SSH)).isFalse();
        assertThat(allows("tcp:20-30", SSH)).isTrue();
        assertThat(allows("udp:1,tcp:22", SSH)).as("any of two").isTrue();
        assertThat(allows("tcp:22@" + OTHER, SSH)).isFalse();
        assertThat(allows("tcp:22@" + PEER, SSH)).isTrue();
    }

    @Test
    void anyIsAlsoWhatHasNoPorts() {
        assertThat(allows("any@" + PEER, SSH)).isTrue();
        assertThat(allows("any@" + PEER, Question.Port.NONE)).isTrue();
        assertThat(allows("any@" + OTHER, Question.Port.NONE)).isFalse();
        assertThat(allows("tcp:1-65535,udp:1-65535", Question.Port.NONE)).isFalse();
        assertThat(allows("all", "", SELF, PEER, Question.Port.NONE)).isTrue();
        assertThat(allows("all", "", SELF, PEER, SSH)).isTrue();
    }

    @Test
    void aGrantIsOfThisNodeAlone() {
        assertThat(allows("all", "tcp:22", OTHER, PEER, SSH)).isFalse();
    }

    @Test
    void moreRulesThanTheEvaluatorTakesAreRefused() {
        String rules = "tcp:1,".repeat(mcc.tun.Rule.MAX) + "tcp:2";
        assertThatThrownBy(() -> Settings.load(Map.of("tun.inbound", rules), Map.of(), null))
                .hasMessageContaining("tun.inbound");
    }

    @Test
    void aNetworkBehindTwoNodesIsRefused() {
        String twice = "192.0.2.0/24@" + PEER + ",2001:db8::/32,192.0.2.0/24@" + OTHER;
        assertThatThrownBy(() -> Settings.load(Map.of("tun.routes", twice), Map.of(), null))
                .hasMessageContaining("tun.routes has 192.0.2.0/24 twice");
    }
}
