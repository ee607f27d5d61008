package mcc.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.consortium.PolicyEpoch;
import mcc.consortium.Subject;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Core;
import mcc.core.CoreLaws;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.crypto.Identity;
import mcc.dht.Holding;
import mcc.wire.Ports;
import mcc.wire.Provider;
import mcc.wire.Record;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RegistryTest {
    private static final Bytes NETWORK = Bytes.utf8("test");
    private static final long SECOND = RegistryConfig.SECOND;
    private static final ServiceName WEB = new ServiceName("open", "web");
    private static final Identity SELF = Identity.fromSeed(new byte[32]);
    private static final Identity OTHER = Identity.fromSeed(Rng.seeded(8).bytes(32));
    private final Counters counters = new Counters();
    private final List<Registry.Output.Put> puts = new ArrayList<>();
    private final Registry registry =
            new Registry(RegistryConfig.of(NETWORK), Subject.of(SELF.id()), Rng.seeded(1), counters);
    private long nowNs = 1;

    @BeforeEach
    void reachable() {
        step(new Registry.Input.NewPolicy(PolicyEpoch.open()));
        step(new Registry.Input.SelfAddresses(List.of(Address.v4(0x0a000001, 9376))));
    }

    @Test
    void aRegistrationIsOfferedAndVisibleAtOnce() {
        List<Registry.Output> out = register(registration("a", Registration.CheckType.NONE));
        Id endpoint = registration("a", Registration.CheckType.NONE).endpoint(SELF.id());
        assertThat(all(out, Registry.Output.Put.class))
                .extracting(Registry.Output.Put::key)
                .containsExactly(WEB.key(NETWORK), Registration.key(endpoint));
        assertThat(only(out, Registry.Output.Registered.class).created()).isTrue();
        out = step(new Registry.Input.Resolve(5, WEB));
        long find = only(out, Registry.Output.Find.class).ticket();
        Registry.Output.Providers providers =
                only(step(new Registry.Input.Found(find, List.of())), Registry.Output.Providers.class);
        assertThat(providers.items()).singleElement().satisfies(o -> {
            assertThat(o.isLocal()).isTrue();
            assertThat(o.reason()).isEqualTo("unchecked");
        });
    }

    @Test
    void whoCannotBeReachedYetIsNotOffered() {
        Registry young = new Registry(RegistryConfig.of(NETWORK), Subject.of(SELF.id()), Rng.seeded(1), counters);
        young.handle(1, new Registry.Input.Restore(List.of(registration("a", Registration.CheckType.NONE))));
        List<Registry.Output> out = drain(young);
        assertThat(all(out, Registry.Output.Put.class)).isEmpty();
        assertThat(only(out, Registry.Output.Retain.class).places())
                .as("what an earlier life offered stays")
                .hasSize(2);
        young.handle(2, new Registry.Input.SelfAddresses(List.of(Address.v4(0x0a000001, 9376))));
        assertThat(all(drain(young), Registry.Output.Put.class)).hasSize(2);
    }

    @Test
    void aDhtThatBeginsAnewIsToldEverythingAgain() {
        register(registration("a", Registration.CheckType.NONE));
        List<Registry.Output> out = register(registration("b", Registration.CheckType.TCP));
        check(out, false);
        nowNs = registry.deadlineNs();
        check(step(new Registry.Input.Tick()), false); // it is withdrawn, and stays so
        step(new Registry.Input.Stored(ticketOf("a"), 9, 10));
        assertThat(registry.registration("a").replicas()).isEqualTo(9);
        step(new Registry.Input.Resolve(5, WEB));
        step(new Registry.Input.Locate(6, new Id(1, 2, 3, 4)));
        step(new Registry.Input.At(7, new Id(1, 2, 0, 0)));
        out = step(new Registry.Input.DhtStarted());
        assertThat(all(out, Registry.Output.Put.class))
                .extracting(Registry.Output.Put::slot)
                .containsOnly(registration("a", Registration.CheckType.NONE).endpoint(SELF.id()));
        assertThat(registry.registration("a").replicas())
                .as("nobody holds it now")
                .isZero();
        List<Registry.Output.Find> again = all(out, Registry.Output.Find.class);
        assertThat(again)
                .extracting(Registry.Output.Find::key)
                .containsExactly(WEB.key(NETWORK), Registration.key(new Id(1, 2, 3, 4)), new Id(1, 2, 0, 0));
        assertThat(step(new Registry.Input.Found(again.getLast().ticket(), List.of())))
                .containsExactly(new Registry.Output.EndpointsAt(7, List.of()));
    }

    @Test
    void aDrainDoesNotWaitForADhtThatForgot() {
        register(registration("a", Registration.CheckType.NONE));
        assertThat(all(step(new Registry.Input.Drain(9)), Registry.Output.Drained.class))
                .isEmpty();
        assertThat(step(new Registry.Input.DhtStarted())).containsExactly(new Registry.Output.Drained(9));
    }

    @Test
    void anAnswerToAnEarlierRegistryIsNoneToThisOne() {
        long before = only(step(new Registry.Input.Resolve(1, WEB)), Registry.Output.Find.class)
                .ticket();
        Registry next = new Registry(RegistryConfig.of(NETWORK), Subject.of(SELF.id()), Rng.seeded(2), counters);
        next.handle(1, new Registry.Input.NewPolicy(PolicyEpoch.open()));
        next.handle(1, new Registry.Input.Resolve(1, WEB));
        drain(next);
        next.handle(2, new Registry.Input.Found(before, List.of()));
        assertThat(drain(next)).isEmpty();
    }

    @Test
    void theSameAgainIsNotOfferedAgain() {
        Registration same = registration("a", Registration.CheckType.NONE);
        register(same);
        List<Registry.Output> out = register(same);
        assertThat(all(out, Registry.Output.Put.class)).isEmpty();
        assertThat(only(out, Registry.Output.Registered.class).created()).isFalse();
    }

    @Test
    void theFirstCheckRunsAtOnceAndTwoFailuresWithdrawWithinThreeIntervals() {
        List<Registry.Output> out = register(registration("a", Registration.CheckType.TCP));
        long startNs = nowNs;
        out = check(out, true);
        assertThat(all(out, Registry.Output.Remove.class)).isEmpty();
        int failed = 0;
        while (all(out, Registry.Output.Remove.class).isEmpty()) {
            nowNs = registry.deadlineNs();
            out = check(step(new Registry.Input.Tick()), false);
            failed++;
        }
        assertThat(failed).isEqualTo(2);
        assertThat(nowNs - startNs).isLessThan(3 * SECOND);
        assertThat(only(out, Registry.Output.HealthChanged.class).health()).isEqualTo(Health.FAILING);
        nowNs = registry.deadlineNs();
        out = check(step(new Registry.Input.Tick()), true);
        assertThat(all(out, Registry.Output.Put.class))
                .as("well again, offered again")
                .hasSize(2);
    }

    @Test
    void whoFailsFailsOnWhenOnlyItsWordsChange() {
        List<Registry.Output> out = register(registration("a", Registration.CheckType.TCP));
        check(out, false);
        nowNs = registry.deadlineNs();
        check(step(new Registry.Input.Tick()), false);
        assertThat(registry.registration("a").health()).isEqualTo(Health.FAILING);
        out = register(registration("a", Registration.CheckType.TCP, 80, 7));
        assertThat(all(out, Registry.Output.Put.class)).as("it is not offered").isEmpty();
        assertThat(registry.registration("a").health()).isEqualTo(Health.FAILING);
        assertThat(registry.registration("a").registration().weight()).isEqualTo(7);
        nowNs = registry.deadlineNs();
        out = check(step(new Registry.Input.Tick()), true);
        assertThat(all(out, Registry.Output.Put.class)).as("well again").hasSize(2);
    }

    @Test
    void aFailureThatCountedStillCountsAndACheckUnderWayGoesOn() {
        List<Registry.Output> out = register(registration("a", Registration.CheckType.TCP));
        check(out, false);
        nowNs = registry.deadlineNs();
        out = step(new Registry.Input.Tick());
        assertThat(all(register(registration("a", Registration.CheckType.TCP, 80, 7)), Registry.Output.RunCheck.class))
                .as("one is under way")
                .isEmpty();
        check(out, false);
        assertThat(registry.registration("a").health()).isEqualTo(Health.FAILING);
    }

    @Test
    void anotherAppIsJudgedAnew() {
        List<Registry.Output> out = register(registration("a", Registration.CheckType.TCP));
        check(out, false);
        nowNs = registry.deadlineNs();
        check(step(new Registry.Input.Tick()), false);
        out = register(registration("a", Registration.CheckType.TCP, 81, 100));
        assertThat(registry.registration("a").health()).isEqualTo(Health.PASS);
        assertThat(only(out, Registry.Output.RunCheck.class).port()).isEqualTo(81);
    }

    @Test
    void aCheckThatIsNeverAnsweredFails() {
        register(registration("a", Registration.CheckType.HTTP));
        List<Registry.Output> out = List.of();
        for (int i = 0; i < 4 && all(out, Registry.Output.Remove.class).isEmpty(); i++) {
            nowNs = registry.deadlineNs();
            out = step(new Registry.Input.Tick());
        }
        assertThat(all(out, Registry.Output.Remove.class)).hasSize(2);
    }

    @Test
    void anAnswerToAnEarlierCheckCountsForNothing() {
        List<Registry.Output> out = register(registration("a", Registration.CheckType.TCP));
        long run = only(out, Registry.Output.RunCheck.class).run();
        assertThat(step(new Registry.Input.Checked("a", run - 1, false, "late")))
                .isEmpty();
        assertThat(registry.registration("a").reason()).isEqualTo("first check under way");
    }

    @Test
    void heartbeatsKeepAServiceAndBringItBack() {
        register(registration("a", Registration.CheckType.TTL));
        for (int i = 0; i < 5; i++) {
            nowNs += SECOND / 2;
            assertThat(all(step(new Registry.Input.Heartbeat(1, "a")), Registry.Output.Remove.class))
                    .isEmpty();
        }
        nowNs += SECOND;
        step(new Registry.Input.Tick());
        nowNs += SECOND;
        assertThat(all(step(new Registry.Input.Tick()), Registry.Output.Remove.class))
                .hasSize(2);
        assertThat(all(step(new Registry.Input.Heartbeat(1, "a")), Registry.Output.Put.class))
                .hasSize(2);
        assertThat(only(step(new Registry.Input.Heartbeat(1, "x")), Registry.Output.Heartbeaten.class)
                        .known())
                .isFalse();
    }

    @Test
    void deregisteringWithdraws() {
        register(registration("a", Registration.CheckType.NONE));
        List<Registry.Output> out = step(new Registry.Input.Deregister(2, "a"));
        assertThat(all(out, Registry.Output.Remove.class)).hasSize(2);
        assertThat(registry.registrations()).isEmpty();
        out = step(new Registry.Input.Deregister(3, "a"));
        assertThat(out).containsExactly(new Registry.Output.Deregistered(3, false));
    }

    @Test
    void drainingWithdrawsAllAndEndsWhenTheNetworkSaidSo() {
        register(registration("a", Registration.CheckType.NONE));
        register(registration("b", Registration.CheckType.NONE));
        List<Registry.Output> out = step(new Registry.Input.Drain(9));
        List<Registry.Output.Remove> removes = all(out, Registry.Output.Remove.class);
        assertThat(removes).hasSize(4);
        for (Registry.Output.Remove remove : removes.subList(0, 3)) {
            assertThat(step(new Registry.Input.Stored(remove.ticket(), 1, 1))).isEmpty();
        }
        assertThat(step(new Registry.Input.Stored(removes.getLast().ticket(), 1, 1)))
                .containsExactly(new Registry.Output.Drained(9));
        assertThat(only(register(registration("c", Registration.CheckType.NONE)), Registry.Output.Refused.class)
                        .draining())
                .isTrue();
        assertThat(registry.registrations())
                .hasSize(2)
                .allMatch(view -> view.health() == Health.FAILING && view.replicas() == 0);
    }

    @Test
    void oneLookupServesAllWhoAskAndIsUsedAgainForAMoment() {
        long find = only(step(new Registry.Input.Resolve(1, WEB)), Registry.Output.Find.class)
                .ticket();
        assertThat(step(new Registry.Input.Resolve(2, WEB))).isEmpty();
        List<Registry.Output> out = step(new Registry.Input.Found(find, List.of(holding(0))));
        assertThat(all(out, Registry.Output.Providers.class)).hasSize(2);
        out = step(new Registry.Input.Resolve(3, WEB));
        assertThat(only(out, Registry.Output.Providers.class).picks()).hasSize(1);
        nowNs += 2 * SECOND;
        assertThat(all(step(new Registry.Input.Resolve(4, WEB)), Registry.Output.Find.class))
                .hasSize(1);
    }

    @Test
    void howFarAProviderIsIsToldAsItWasMeasuredAndNotAtAllBefore() {
        long find = only(step(new Registry.Input.Resolve(1, WEB)), Registry.Output.Find.class)
                .ticket();
        var before = only(step(new Registry.Input.Found(find, List.of(holding(0)))), Registry.Output.Providers.class);
        assertThat(before.items().getFirst().distance()).as("unknown").isNull();
        Offer.Distance measured = new Offer.Distance(84_000_000, 1);
        step(new Registry.Input.PeerRtt(OTHER.id(), measured));
        var after = only(step(new Registry.Input.Resolve(2, WEB)), Registry.Output.Providers.class);
        assertThat(after.items().getFirst().distance()).isEqualTo(measured);
    }

    @Test
    void aRecordThatIsNeverRenewedIsBelievedForItsLease() {
        long find = only(step(new Registry.Input.Resolve(1, WEB)), Registry.Output.Find.class)
                .ticket();
        var content = new Record.Content(
                WEB.key(NETWORK),
                OTHER.id(),
                provider(OTHER.id()).endpoint(),
                1,
                1,
                600_000,
                0,
                Bytes.EMPTY,
                provider(OTHER.id()).encode());
        Holding held = new Holding(Record.sign(content, NETWORK, OTHER::sign), 3_000_000, true);
        var found = only(step(new Registry.Input.Found(find, List.of(held))), Registry.Output.Providers.class);
        assertThat(found.picks()).hasSize(1);
        assertThat(found.items().getFirst().leaseMs()).isEqualTo(600_000);
        assertThat(found.items().getFirst().reason()).isEqualTo("its record is valid");
    }

    @Test
    void aLoadIsToldWhenItMattersAndNotTooOften() {
        register(registration("a", Registration.CheckType.NONE));
        assertThat(step(new Registry.Input.Load("a", 90))).as("next to nothing").isEmpty();
        assertThat(loads(step(new Registry.Input.Load("a", 500)))).containsExactly(500, 500);
        assertThat(step(new Registry.Input.Load("a", 900)))
                .as("it was just told")
                .isEmpty();
        assertThat(registry.registration("a").loadPermille())
                .as("here it is known")
                .isEqualTo(900);
        nowNs = registry.deadlineNs();
        assertThat(loads(step(new Registry.Input.Tick()))).containsExactly(900, 900);
        step(new Registry.Input.Load("a", 50));
        nowNs = registry.deadlineNs();
        assertThat(loads(step(new Registry.Input.Tick()))).containsExactly(50, 50);
        step(new Registry.Input.Load("a", 0));
        nowNs = registry.deadlineNs();
        assertThat(loads(step(new Registry.Input.Tick()))).as("idle is idle").containsExactly(0, 0);
        assertThat(registry.deadlineNs()).isEqualTo(Core.NEVER);
        assertThat(step(new Registry.Input.Load("nobody", 700))).isEmpty();
    }

    private static List<Integer> loads(List<Registry.Output> out) {
        return all(out, Registry.Output.Put.class).stream()
                .map(p -> Objects.requireNonNull(Provider.parse(p.slot(), p.body()))
                        .loadPermille())
                .toList();
    }

    @Test
    void aCachedProviderEndsWithItsLease() {
        long find = only(step(new Registry.Input.Resolve(1, WEB)), Registry.Output.Find.class)
                .ticket();
        step(new Registry.Input.Found(find, List.of(holding(29_700))));
        nowNs += SECOND / 5;
        Registry.Output.Providers before =
                only(step(new Registry.Input.Resolve(2, WEB)), Registry.Output.Providers.class);
        assertThat(before.picks()).hasSize(1);
        nowNs += SECOND / 5;
        Registry.Output.Providers after =
                only(step(new Registry.Input.Resolve(2, WEB)), Registry.Output.Providers.class);
        assertThat(after.picks()).isEmpty();
        assertThat(after.items())
                .singleElement()
                .satisfies(o -> assertThat(o.health()).isEqualTo(Health.STALE));
    }

    @Test
    void whoIsContentWithOldNewsGetsThemAtOnceAndNewOnesAreFetched() {
        long find = only(step(new Registry.Input.Resolve(1, WEB)), Registry.Output.Find.class)
                .ticket();
        step(new Registry.Input.Found(find, List.of(holding(0))));
        nowNs += 5 * SECOND;
        List<Registry.Output> out = step(new Registry.Input.Resolve(2, WEB, 10_000));
        assertThat(only(out, Registry.Output.Providers.class).picks()).hasSize(1);
        find = only(out, Registry.Output.Find.class).ticket();
        step(new Registry.Input.Found(find, List.of()));
        nowNs += SECOND;
        assertThat(all(step(new Registry.Input.Resolve(3, WEB, 10_000)), Registry.Output.Providers.class))
                .as("there is no old news of nobody")
                .isEmpty();
    }

    @Test
    void aRecordThatSpeaksOfAnotherIsIgnored() {
        long find = only(step(new Registry.Input.Resolve(1, WEB)), Registry.Output.Find.class)
                .ticket();
        Holding stolen = holding(provider(SELF.id()), 0);
        Registry.Output.Providers providers =
                only(step(new Registry.Input.Found(find, List.of(stolen))), Registry.Output.Providers.class);
        assertThat(providers.items()).isEmpty();
        assertThat(counters.value("registry.providerInvalid")).isEqualTo(1);
    }

    @Test
    void watchersHearWhoJoinsAndLeaves() {
        List<Registry.Output> out = step(new Registry.Input.Watch(7, WEB));
        long find = only(out, Registry.Output.Find.class).ticket();
        out = step(new Registry.Input.Found(find, List.of(holding(0))));
        assertThat(only(out, Registry.Output.Changed.class).change()).isEqualTo(Registry.Change.JOINED);
        nowNs += SECOND;
        find = only(step(new Registry.Input.Tick()), Registry.Output.Find.class).ticket();
        out = step(new Registry.Input.Found(find, List.of()));
        assertThat(only(out, Registry.Output.Changed.class).change()).isEqualTo(Registry.Change.LEFT);
        out = register(registration("a", Registration.CheckType.NONE));
        assertThat(only(out, Registry.Output.Changed.class).change()).isEqualTo(Registry.Change.JOINED);
        step(new Registry.Input.Unwatch(7));
        assertThat(registry.deadlineNs()).isGreaterThan(nowNs + SECOND);
    }

    @Test
    void watchersHearOfAnotherWeightButNotOfAnotherLoad() {
        register(registration("a", Registration.CheckType.NONE));
        step(new Registry.Input.Watch(7, WEB));
        assertThat(all(step(new Registry.Input.Load("a", 600)), Registry.Output.Changed.class))
                .isEmpty();
        List<Registry.Output> out = register(registration("a", Registration.CheckType.NONE, 80, 7));
        assertThat(only(out, Registry.Output.Changed.class).change()).isEqualTo(Registry.Change.CHANGED);
    }

    @Test
    void aLookupThatNeverEndsIsGivenUp() {
        step(new Registry.Input.Resolve(1, WEB));
        nowNs = registry.deadlineNs();
        assertThat(all(step(new Registry.Input.Tick()), Registry.Output.Providers.class))
                .hasSize(1);
    }

    @Test
    void anEndpointOfOursIsLocatedWithoutAsking() {
        register(registration("a", Registration.CheckType.NONE));
        Id endpoint = registration("a", Registration.CheckType.NONE).endpoint(SELF.id());
        assertThat(step(new Registry.Input.Locate(4, endpoint))).containsExactly(new Registry.Output.Located(4, WEB));
    }

    @Test
    void anEndpointIsLocatedByItsOwnRecord() {
        Id endpoint = provider(OTHER.id()).endpoint();
        Registry.Output.Find find = only(step(new Registry.Input.Locate(4, endpoint)), Registry.Output.Find.class);
        assertThat(find.key()).isEqualTo(Registration.key(endpoint));
        assertThat(step(new Registry.Input.Found(find.ticket(), List.of(holding(0)))))
                .containsExactly(new Registry.Output.Located(4, WEB));
    }

    @Test
    void whoClaimsAnEndpointOfAnotherNodeIsNotBelieved() {
        Id victim = registration("a", Registration.CheckType.NONE).endpoint(Id.random(Rng.seeded(3)));
        Provider claim = new Provider(
                victim,
                OTHER.id(),
                registration("a", Registration.CheckType.NONE).digest(),
                List.of(),
                Provider.Protocol.TCP,
                Ports.UNKNOWN,
                100,
                0,
                List.of(),
                Map.of(),
                "open",
                "web");
        long ticket = only(step(new Registry.Input.Locate(4, victim)), Registry.Output.Find.class)
                .ticket();
        assertThat(step(new Registry.Input.Found(ticket, List.of(holding(claim, 0)))))
                .containsExactly(new Registry.Output.Located(4, null));
    }

    @Test
    void whatStandsWhereAnAddressLeadsIsToldIfItIsTrue() {
        Provider honest = provider(OTHER.id());
        Id victim = registration("a", Registration.CheckType.NONE).endpoint(Id.random(Rng.seeded(3)));
        Provider liar = new Provider(
                victim,
                OTHER.id(),
                honest.registration(),
                List.of(),
                Provider.Protocol.UDP,
                Ports.UNKNOWN,
                100,
                0,
                List.of(),
                Map.of(),
                "open",
                "web");
        Id key = Registration.key(honest.endpoint());
        Registry.Output.Find find = only(step(new Registry.Input.At(4, key)), Registry.Output.Find.class);
        assertThat(find.key()).isEqualTo(key);
        assertThat(step(new Registry.Input.Found(find.ticket(), List.of(holding(liar, 0), holding(0)))))
                .containsExactly(new Registry.Output.EndpointsAt(4, List.of(honest)));
        step(new Registry.Input.At(5, key));
        nowNs = registry.deadlineNs();
        assertThat(step(new Registry.Input.Tick()))
                .as("nobody answered")
                .containsExactly(new Registry.Output.EndpointsAt(5, List.of()));
    }

    @Test
    void anEndpointThatNobodyTellsOfIsGivenUp() {
        step(new Registry.Input.Locate(4, new Id(1, 2, 3, 4)));
        nowNs = registry.deadlineNs();
        assertThat(step(new Registry.Input.Tick())).containsExactly(new Registry.Output.Located(4, null));
    }

    @Test
    void restoredRegistrationsAreOffered() {
        var restored = List.of(registration("a", Registration.CheckType.NONE));
        List<Registry.Output> out = step(new Registry.Input.Restore(restored));
        assertThat(all(out, Registry.Output.Put.class)).hasSize(2);
    }

    @Test
    void aServiceThatMayNotBeSeenLooksLikeOneThatIsNot() {
        ServiceName foreign = new ServiceName("acme", "web");
        List<Registry.Output> out = step(new Registry.Input.Resolve(5, foreign));
        assertThat(out).containsExactly(new Registry.Output.Providers(5, foreign, List.of(), List.of()));
        assertThat(step(new Registry.Input.Watch(6, foreign))).isEmpty();
        nowNs = registry.deadlineNs();
        assertThat(step(new Registry.Input.Tick())).as("nothing is looked up").isEmpty();
        assertThat(counters.value("policy.denied")).isGreaterThanOrEqualTo(3);
        step(new Registry.Input.Resolve(7, WEB));
        assertThat(counters.value("policy.allowed")).isEqualTo(1);
    }

    @Test
    void anEndpointOfAServiceThatMayNotBeSeenIsNobodys() {
        Registry closed = new Registry(RegistryConfig.of(NETWORK), Subject.of(SELF.id()), Rng.seeded(1), counters);
        Registration hidden = registration("a", Registration.CheckType.NONE);
        closed.handle(1, new Registry.Input.Register(1, hidden));
        while (closed.poll() != null) {
            // what follows a registration
        }
        closed.handle(2, new Registry.Input.Locate(4, hidden.endpoint(SELF.id())));
        assertThat(closed.poll()).isEqualTo(new Registry.Output.Located(4, null));
        closed.handle(3, new Registry.Input.At(5, Registration.key(hidden.endpoint(SELF.id()))));
        long ticket = ((Registry.Output.Find) Objects.requireNonNull(closed.poll())).ticket();
        closed.handle(4, new Registry.Input.Found(ticket, List.of(holding(0))));
        assertThat(closed.poll())
                .as("another's, which its address would lead to")
                .isEqualTo(new Registry.Output.EndpointsAt(5, List.of()));
    }

    @Test
    void whatMayBeSeenForATimeIsUnseenAfterIt() {
        Grant hour = new Grant(
                "acme",
                new Grant.What.Services(),
                new Grant.Whom.Node(SELF.id()),
                java.util.Set.of(Action.SEE),
                List.of(),
                0,
                1_800_000_000_000L,
                0,
                0);
        Registry timed = new Registry(RegistryConfig.of(NETWORK), Subject.of(SELF.id()), Rng.seeded(1), counters);
        timed.handle(1, new Registry.Input.NewPolicy(new PolicyEpoch(new Policy(List.of(hour)), 1)));
        timed.handle(1, new Registry.Input.Clock(1_799_999_999_000L));
        timed.handle(1, new Registry.Input.Resolve(1, new ServiceName("acme", "web")));
        assertThat(timed.poll()).isInstanceOf(Registry.Output.Find.class);
        timed.handle(SECOND + 1, new Registry.Input.Resolve(2, new ServiceName("acme", "db")));
        assertThat(timed.poll()).isInstanceOf(Registry.Output.Providers.class);
    }

    private static Policy seeing(String... services) {
        List<Grant> grants = new ArrayList<>();
        for (String service : services) {
            grants.add(Grant.of(
                    Policy.OPEN,
                    new Grant.What.Service(service),
                    new Grant.Whom.Node(SELF.id()),
                    java.util.Set.of(Action.SEE)));
        }
        return new Policy(grants);
    }

    private List<Registry.Output> govern(Policy policy, long epoch) {
        return step(new Registry.Input.NewPolicy(new PolicyEpoch(policy, epoch)));
    }

    private long find(ServiceName service, Registry.Input asking) {
        return all(step(asking), Registry.Output.Find.class).stream()
                .filter(f -> f.key().equals(service.key(NETWORK)))
                .findFirst()
                .orElseThrow()
                .ticket();
    }

    @Test
    void anEpochTakesOutOfSightWhatItDoesNotShowAndNothingElse() {
        ServiceName db = new ServiceName("open", "db");
        step(new Registry.Input.Found(find(WEB, new Registry.Input.Watch(1, WEB)), List.of(holding(0))));
        find(db, new Registry.Input.Resolve(3, db));

        List<Registry.Output> out = govern(seeing("web"), 2);
        assertThat(all(out, Registry.Output.Changed.class)).isEmpty();
        assertThat(only(out, Registry.Output.Providers.class))
                .as("who waits hears that there is none")
                .isEqualTo(new Registry.Output.Providers(3, db, List.of(), List.of()));
        assertThat(only(out, Registry.Output.PolicyEnded.class)).isEqualTo(new Registry.Output.PolicyEnded(2, 1));
        assertThat(only(step(new Registry.Input.Resolve(4, WEB)), Registry.Output.Providers.class)
                        .picks())
                .as("what may still be seen is told as before, of what is remembered")
                .hasSize(1);

        out = govern(seeing("db"), 3);
        assertThat(only(out, Registry.Output.Changed.class).change()).isEqualTo(Registry.Change.LEFT);
        assertThat(registry.services()).as("what was remembered").isEmpty();
        assertThat(only(step(new Registry.Input.Resolve(5, WEB)), Registry.Output.Providers.class)
                        .items())
                .isEmpty();
        assertThat(counters.value("policy.ended.services")).isEqualTo(2);

        assertThat(all(govern(seeing("web", "db"), 1), Registry.Output.Find.class))
                .as("an older epoch")
                .isEmpty();
        assertThat(counters.value("policy.epoch.old")).isEqualTo(1);
        long again =
                only(govern(seeing("web", "db"), 4), Registry.Output.Find.class).ticket();
        out = step(new Registry.Input.Found(again, List.of(holding(0))));
        assertThat(only(out, Registry.Output.Changed.class).change()).isEqualTo(Registry.Change.JOINED);
    }

    @Test
    void aPolicyThatFailsShowsNothingAndCostsNothingElse() {
        govern(
                new Policy(List.of(Grant.of(
                        Policy.OPEN,
                        new Grant.What.Services(),
                        new Grant.Whom.Node(null),
                        java.util.Set.of(Action.SEE)))),
                2);
        assertThat(only(step(new Registry.Input.Resolve(5, WEB)), Registry.Output.Providers.class)
                        .items())
                .isEmpty();
        assertThat(counters.value("policy.failed")).isEqualTo(1);
        assertThat(only(register(registration("a", Registration.CheckType.NONE)), Registry.Output.Registered.class)
                        .created())
                .isTrue();
    }

    @Test
    void theLawsOfCoresHold() {
        CoreLaws.check(RegistryTest::fresh, new Registry.Input.Tick(), RegistryTest::anyInput, 2_000);
    }

    private static Core<Registry.Input, Registry.Output> fresh() {
        Registry made = new Registry(RegistryConfig.of(NETWORK), Subject.of(SELF.id()), Rng.seeded(1), new Counters());
        made.handle(1, new Registry.Input.NewPolicy(PolicyEpoch.open()));
        return made;
    }

    private static Registry.Input anyInput(Rng rng, List<Registry.Output> before) {
        String id = "r" + rng.below(4);
        for (Registry.Output output : before) {
            if (output instanceof Registry.Output.Find find) {
                return new Registry.Input.Found(find.ticket(), List.of(holding(rng.below(40_000))));
            }
            if (output instanceof Registry.Output.RunCheck c && rng.below(3) > 0) {
                return new Registry.Input.Checked(c.id(), c.run(), rng.below(2) == 0, "said so");
            }
        }
        Registration.CheckType type = Registration.CheckType.values()[rng.below(4)];
        return switch (rng.below(11)) {
            case 10 ->
                new Registry.Input.NewPolicy(
                        new PolicyEpoch(rng.below(3) == 0 ? new Policy(List.of()) : Policy.open(), 1 + rng.below(9)));
            case 0 -> new Registry.Input.Clock(rng.nextLong() >>> 20);
            case 1 -> new Registry.Input.Register(rng.below(9), registration(id, type));
            case 2 -> new Registry.Input.Deregister(rng.below(9), id);
            case 3 -> new Registry.Input.Heartbeat(rng.below(9), id);
            case 4 -> new Registry.Input.Resolve(rng.below(9), WEB);
            case 5 -> new Registry.Input.Watch(rng.below(9), WEB);
            case 6 -> new Registry.Input.Unwatch(rng.below(9));
            case 7 -> new Registry.Input.Locate(rng.below(9), new Id(1, 2, 3, rng.below(3)));
            case 8 -> new Registry.Input.Load(id, rng.below(1_001));
            default -> new Registry.Input.SelfAddresses(List.of(Address.v4(0x0a000001, 1 + rng.below(9))));
        };
    }

    private static Registration registration(String id, Registration.CheckType type) {
        return registration(id, type, 80, 100);
    }

    private static Registration registration(String id, Registration.CheckType type, int port, int weight) {
        var check = new Registration.Check(type, "/", 1_000, 400, 2);
        return new Registration(
                id, WEB, "127.0.0.1", port, Provider.Protocol.HTTP, weight, List.of(), Map.of(), 30_000, check);
    }

    private static Provider provider(Id node) {
        Registration one = registration("other", Registration.CheckType.NONE);
        return new Provider(
                one.endpoint(node),
                node,
                one.digest(),
                List.of(),
                Provider.Protocol.TCP,
                Ports.UNKNOWN,
                100,
                0,
                List.of(),
                Map.of(),
                "open",
                "web");
    }

    private static Holding holding(long beatAgeMs) {
        return holding(provider(OTHER.id()), beatAgeMs);
    }

    private static Holding holding(Provider provider, long beatAgeMs) {
        var content = new Record.Content(
                WEB.key(NETWORK),
                OTHER.id(),
                provider.endpoint(),
                1,
                1,
                600_000,
                30_000,
                Bytes.EMPTY,
                provider.encode());
        Record record = Record.sign(content, NETWORK, OTHER::sign);
        return new Holding(record, beatAgeMs, beatAgeMs < 30_000);
    }

    private List<Registry.Output> check(List<Registry.Output> out, boolean ok) {
        Registry.Output.RunCheck check = only(out, Registry.Output.RunCheck.class);
        return step(new Registry.Input.Checked(check.id(), check.run(), ok, ok ? "connected" : "refused"));
    }

    private List<Registry.Output> register(Registration registration) {
        return step(new Registry.Input.Register(1, registration));
    }

    private List<Registry.Output> step(Registry.Input input) {
        registry.handle(nowNs, input);
        registry.check();
        List<Registry.Output> out = drain(registry);
        for (Registry.Output o : out) if (o instanceof Registry.Output.Put p) puts.add(p);
        return out;
    }

    private static List<Registry.Output> drain(Registry registry) {
        List<Registry.Output> out = new ArrayList<>();
        for (Registry.Output o = registry.poll(); o != null; o = registry.poll()) out.add(o);
        return out;
    }

    /** The ticket by which a registration was last put under its service. */
    private long ticketOf(String id) {
        Id endpoint = registration(id, Registration.CheckType.NONE).endpoint(SELF.id());
        return puts.stream()
                .filter(p -> p.slot().equals(endpoint) && p.key().equals(WEB.key(NETWORK)))
                .toList()
                .getLast()
                .ticket();
    }

    private static <T> List<T> all(List<Registry.Output> out, Class<T> kind) {
        return out.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    private static <T> T only(List<Registry.Output> out, Class<T> kind) {
        assertThat(all(out, kind)).as(kind.getSimpleName() + " among " + out).hasSize(1);
        return all(out, kind).getFirst();
    }
}
