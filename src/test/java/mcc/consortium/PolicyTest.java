package mcc.consortium;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import mcc.consortium.Decision.Reason;
import mcc.consortium.Grant.What;
import mcc.consortium.Grant.Whom;
import mcc.consortium.Question.Port;
import mcc.consortium.Question.Thing;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PolicyTest {
    private static final long NOW = 1_800_000_000_000L;
    private static final Id ALICE = new Id(1, 0, 0, 0);
    private static final Id BOB = new Id(2, 0, 0, 0);
    private static final Thing WEB = new Thing.Service("acme", "web");
    private static final Thing OPEN_WEB = new Thing.Service(Policy.OPEN, "web");
    private static final Thing BOBS_NODE = new Thing.Node(Policy.OPEN, BOB);
    private static final Port SSH = new Port(Port.TCP, 22);

    @Test
    void inAnOpenNetworkWhatHasNoOrganisationIsForEveryone() {
        Policy policy = Policy.open();
        assertThat(policy.decide(open(Action.SEE, OPEN_WEB)).isAllowed()).isTrue();
        assertThat(policy.decide(open(Action.USE, OPEN_WEB)).isAllowed()).isTrue();
        assertThat(policy.decide(open(Action.STORE, BOBS_NODE)).isAllowed()).isTrue();
        assertThat(policy.decide(open(Action.SIGNAL, BOBS_NODE)).isAllowed()).isTrue();
        assertThat(policy.decide(open(Action.RELAY, BOBS_NODE)).isAllowed()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Action.class)
    void whatAnOrganisationOwnsIsForNobodyUnlessGrantedItsOwnNodesIncluded(Action action) {
        Subject own = new Subject(ALICE, "acme", 0);
        assertDenied(Policy.open(), new Question(own, action, WEB, NOW), Reason.NOTHING_GRANTED);
        assertDenied(
                Policy.open(), new Question(own, action, new Thing.Node("acme", BOB), NOW), Reason.NOTHING_GRANTED);
        assertDenied(new Policy(List.of()), open(action, OPEN_WEB), Reason.NOTHING_GRANTED);
    }

    @Test
    void anOpenNetworkOpensNobodysPortsAndLetsNobodyAdminister() {
        assertDenied(Policy.open(), ssh(ALICE, BOB), Reason.OTHER_ACTION);
        assertDenied(Policy.open(), open(Action.ADMINISTER, BOBS_NODE), Reason.OTHER_ACTION);
    }

    @Test
    void aGrantIsForItsGrantorsThingsOnly() {
        Policy policy = policy(Grant.of("globex", new What.Services(), new Whom.Anyone(), Set.of(Action.USE)));
        assertDenied(policy, open(Action.USE, WEB), Reason.NOTHING_GRANTED);
        assertThat(policy.decide(open(Action.USE, new Thing.Service("globex", "web")))
                        .isAllowed())
                .isTrue();
        assertDenied(policy, open(Action.USE, new Thing.Node("globex", BOB)), Reason.NOTHING_GRANTED);
    }

    @Test
    void aGrantOfOneServiceOrNodeIsNotOneOfAnother() {
        Policy service = policy(Grant.of("acme", new What.Service("web"), new Whom.Anyone(), Set.of(Action.SEE)));
        assertThat(service.decide(open(Action.SEE, WEB)).isAllowed()).isTrue();
        assertDenied(service, open(Action.SEE, new Thing.Service("acme", "db")), Reason.NOTHING_GRANTED);
        assertDenied(service, open(Action.USE, WEB), Reason.OTHER_ACTION);
        Policy node = policy(Grant.of(Policy.OPEN, new What.Node(BOB), new Whom.Anyone(), Set.of(Action.USE)));
        assertThat(node.decide(ssh(ALICE, BOB)).isAllowed()).isTrue();
        assertDenied(node, ssh(BOB, ALICE), Reason.NOTHING_GRANTED);
    }

    @Test
    void aGrantToOneIsNotOneToAnother() {
        Policy node = policy(Grant.of("acme", new What.Services(), new Whom.Node(ALICE), Set.of(Action.USE)));
        assertThat(node.decide(open(Action.USE, WEB)).isAllowed()).isTrue();
        assertDenied(node, new Question(Subject.of(BOB), Action.USE, WEB, NOW), Reason.OTHER_SUBJECT);
        Policy members = policy(Grant.of("acme", new What.Services(), new Whom.Members("globex"), Set.of(Action.USE)));
        assertDenied(members, open(Action.USE, WEB), Reason.OTHER_SUBJECT);
        Subject globex = new Subject(BOB, "globex", 0);
        assertThat(members.decide(new Question(globex, Action.USE, WEB, NOW)).isAllowed())
                .isTrue();
    }

    @Test
    void havingNoOrganisationIsNotMembershipInOne() {
        Policy policy =
                policy(Grant.of("acme", new What.Services(), new Whom.Members(Policy.OPEN), Set.of(Action.USE)));
        assertDenied(policy, open(Action.USE, WEB), Reason.OTHER_SUBJECT);
    }

    @Test
    void portsAreThoseOfTheirProtocolAndBothEndsOfARangeCount() {
        Policy policy = policy(ports(new Grant.Ports(Port.TCP, 22, 24), new Grant.Ports(0, 53, 53)));
        for (int in : List.of(22, 23, 24, 53))
            assertThat(to(policy, Port.TCP, in).isAllowed()).isTrue();
        for (int out : List.of(21, 25, 52, 54))
            assertThat(to(policy, Port.TCP, out).isAllowed()).isFalse();
        assertThat(to(policy, 17, 53).isAllowed()).isTrue();
        assertThat(to(policy, 17, 22))
                .isInstanceOfSatisfying(
                        Decision.Denied.class, d -> assertThat(d.reason()).isEqualTo(Reason.OTHER_PORT));
        Question noPort = open(Action.USE, BOBS_NODE);
        assertDenied(policy(ports(new Grant.Ports(0, 0, 65_535))), noPort, Reason.OTHER_PORT);
    }

    @Test
    void aGrantBeginsWithItsFirstMomentAndEndsBeforeItsLast() {
        Policy policy = policy(times(NOW, NOW + 10, 0));
        assertDenied(policy, at(NOW - 1), Reason.TOO_EARLY);
        assertThat(policy.decide(at(NOW)).isAllowed()).isTrue();
        assertThat(policy.decide(at(NOW + 9)).isAllowed()).isTrue();
        assertDenied(policy, at(NOW + 10), Reason.EXPIRED);
    }

    @Test
    void aRightIsPassedOnAsOftenAsItsGrantSays() {
        Grant once = new Grant(
                "acme", new What.Services(), new Whom.Anyone(), Set.of(Action.USE), List.of(), 0, Long.MAX_VALUE, 1, 0);
        assertThat(policy(once).decide(hops(0)).isAllowed()).isTrue();
        assertThat(policy(once).decide(hops(1)).isAllowed()).isTrue();
        assertDenied(policy(once), hops(2), Reason.TOO_MANY_HOPS);
    }

    @Test
    void theAnswerIsTheUnionWhateverTheOrderAndLastsAsLongAsTheLongestGrant() {
        Grant brief = times(0, NOW + 10, 9);
        Grant old = times(0, NOW + 50, 1);
        Grant best = times(0, NOW + 50, 2);
        List<Grant> all = new ArrayList<>(List.of(
                brief, old, best, Grant.of("acme", new What.Service("db"), new Whom.Anyone(), Set.of(Action.USE))));
        for (int i = 0; i < all.size(); i++) {
            Collections.rotate(all, 1);
            assertThat(new Policy(all).decide(at(NOW))).isEqualTo(new Decision.Allowed(best, NOW + 50));
        }
    }

    @Test
    void noGrantEverTakesAway() {
        Rng rng = Rng.seeded(77);
        for (int i = 0; i < 2_000; i++) {
            List<Grant> few = grants(rng, 2);
            List<Grant> more = new ArrayList<>(grants(rng, 2));
            more.addAll(few);
            Question q = question(rng);
            boolean before = new Policy(few).decide(q).isAllowed();
            if (before)
                assertThat(new Policy(more).decide(q).isAllowed())
                        .as("%s by %s", q, more)
                        .isTrue();
        }
    }

    @Test
    void aDenialIsFoundAgainByItsReference() {
        Decision.Denied first = (Decision.Denied) Policy.open().decide(open(Action.USE, WEB));
        assertThat(first.ref()).matches("D-[A-Z2-7]{8}");
        assertThat(Policy.open().decide(open(Action.USE, WEB))).isEqualTo(first);
        Decision.Denied other = (Decision.Denied) Policy.open().decide(open(Action.SEE, WEB));
        assertThat(other.ref()).isNotEqualTo(first.ref());
    }

    @Test
    void whatCanNeverAllowAnythingIsNoGrant() {
        assertThatThrownBy(() -> times(5, 5, 0)).hasMessageContaining("ends before it begins");
        assertThatThrownBy(() -> Grant.of("a", new What.Nodes(), new Whom.Anyone(), Set.of()))
                .hasMessageContaining("without actions");
        assertThatThrownBy(() -> new Grant.Ports(6, 2, 1)).hasMessageContaining("no range");
        List<Grant> many = Collections.nCopies(Policy.GRANTS_MAX + 1, times(0, 1, 0));
        assertThatThrownBy(() -> new Policy(many)).hasMessageContaining("4096 grants");
    }

    // ---- questions and grants ---------------------------------------------------------------------------------------

    private static Question open(Action action, Thing thing) {
        return new Question(Subject.of(ALICE), action, thing, NOW);
    }

    private static Question at(long epochMs) {
        return new Question(Subject.of(ALICE), Action.USE, WEB, epochMs);
    }

    private static Question hops(int hops) {
        return new Question(new Subject(ALICE, Policy.OPEN, hops), Action.USE, WEB, NOW);
    }

    private static Question ssh(Id from, Id to) {
        return new Question(Subject.of(from), Action.USE, new Thing.Node(Policy.OPEN, to), SSH, NOW);
    }

    private static Decision to(Policy policy, int protocol, int port) {
        return policy.decide(new Question(Subject.of(ALICE), Action.USE, BOBS_NODE, new Port(protocol, port), NOW));
    }

    private static Grant ports(Grant.Ports... ports) {
        return new Grant(
                Policy.OPEN,
                new What.Nodes(),
                new Whom.Anyone(),
                Set.of(Action.USE),
                List.of(ports),
                0,
                Long.MAX_VALUE,
                0,
                0);
    }

    private static Grant times(long fromMs, long untilMs, long seq) {
        return new Grant(
                "acme", new What.Services(), new Whom.Anyone(), Set.of(Action.USE), List.of(), fromMs, untilMs, 0, seq);
    }

    private static List<Grant> grants(Rng rng, int count) {
        List<Grant> out = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            What what = rng.below(2) == 0 ? new What.Services() : new What.Service(rng.below(2) == 0 ? "web" : "db");
            Whom whom = rng.below(2) == 0 ? new Whom.Anyone() : new Whom.Node(rng.below(2) == 0 ? ALICE : BOB);
            List<Grant.Ports> ports =
                    rng.below(2) == 0 ? List.of() : List.of(new Grant.Ports(0, rng.below(3), 3 + rng.below(3)));
            long fromMs = rng.below(4);
            out.add(new Grant("acme", what, whom, Set.of(Action.USE), ports, fromMs, fromMs + 1 + rng.below(4), 0, i));
        }
        return out;
    }

    private static Question question(Rng rng) {
        return new Question(
                Subject.of(rng.below(2) == 0 ? ALICE : BOB),
                Action.USE,
                new Thing.Service("acme", rng.below(2) == 0 ? "web" : "db"),
                new Port(Port.TCP, rng.below(8)),
                rng.below(8));
    }

    private static Policy policy(Grant grant) {
        return new Policy(List.of(grant));
    }

    private static void assertDenied(Policy policy, Question question, Reason reason) {
        assertThat(policy.decide(question))
                .isInstanceOfSatisfying(
                        Decision.Denied.class, d -> assertThat(d.reason()).isEqualTo(reason));
    }
}
