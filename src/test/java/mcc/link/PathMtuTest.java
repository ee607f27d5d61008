package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;

class PathMtuTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long STEP = PathMtu.AGAIN_NS / 6;

    private final Rng rng = Rng.seeded(31);
    private final PathMtu mtu = new PathMtu();
    private final List<Integer> probes = new ArrayList<>();
    private long now;
    private int carries = 1_480;
    private int lossPpm;
    private boolean dead;
    private int blackHoles;
    private long heardNs;

    /** Uses the path for some time; probes are answered at once. */
    private void use(long forNs) {
        for (long end = now + forNs; now < end; now += STEP) {
            if (!dead) heardNs = now;
            if (mtu.isDue(now)) mtu.begin(now, rng.nextLong());
            else if (mtu.deadlineNs() <= now && mtu.tick(now, heardNs, rng.nextLong())) blackHoles++;
            for (int size; (size = mtu.next()) > 0; ) {
                probes.add(size);
                long token = mtu.token();
                if (!dead && size <= carries && !rng.chance(lossPpm)) mtu.answered(now, token);
            }
        }
    }

    @Test
    void oneProbeConfirmsWhatMostPathsCarry() {
        use(PathMtu.TRIES * PathMtu.AGAIN_NS + STEP);
        assertThat(probes.stream().filter(p -> p <= 1_472)).containsExactly(PathMtu.INNER, 1_452, 1_472);
        probes.clear();
        use(3 * SECOND);
        assertThat(probes).as("one each second").containsExactly(1_472, 1_472, 1_472);
        assertThat(mtu.believed()).isEqualTo(1_472);
    }

    @Test
    void whatCarriesAllIsKnownAtOnce() {
        carries = 65_507;
        use(STEP);
        assertThat(mtu.proven()).isEqualTo(PathMtu.TOP);
    }

    @Test
    void streamsTrustWhatWasAnsweredAlone() {
        carries = 1_000;
        assertThat(mtu.proven()).isEqualTo(PathMtu.BASE);
        use(SECOND / 2);
        assertThat(mtu.believed()).isEqualTo(PathMtu.INNER);
        assertThat(mtu.proven()).isEqualTo(PathMtu.BASE);
    }

    @Test
    void inDoubtTheBaseHoldsUntilAProbeIsAnswered() {
        use(5 * SECOND);
        carries = 1_400;
        assertThat(mtu.suspect(now, rng.nextLong())).isTrue();
        assertThat(mtu.suspect(now, rng.nextLong()))
                .as("while a round is under way")
                .isFalse();
        assertThat(mtu.proven()).isEqualTo(PathMtu.BASE);
        use(3 * SECOND / 2);
        assertThat(mtu.proven()).isEqualTo(1_392);
        mtu.suspect(now, rng.nextLong());
        use(STEP);
        assertThat(mtu.proven()).as("passes still").isEqualTo(1_392);
    }

    @Test
    void aPathThatCarriesLessIsKnownInOneAndAHalfSeconds() {
        carries = 1_400;
        use(3 * SECOND / 2);
        assertThat(mtu.believed()).isEqualTo(1_392);
        assertThat(blackHoles).isEqualTo(1);
    }

    @Test
    void aPathThatShrinksIsNoticedWithinThreeSecondsAndOneThatGrowsIsUsed() {
        use(8 * SECOND);
        carries = 1_310;
        use(3 * SECOND);
        assertThat(mtu.believed()).isEqualTo(1_309);
        carries = 1_500;
        use(PathMtu.RAISE_NS + PathMtu.CONFIRM_NS);
        assertThat(mtu.believed()).isEqualTo(1_472);
        assertThat(blackHoles).isEqualTo(1);
    }

    @Test
    void aPathThatCarriesOnlyTheBaseIsProbedForMoreEachMinute() {
        carries = 1_210;
        use(5 * SECOND);
        assertThat(mtu.believed()).isEqualTo(PathMtu.BASE);
        probes.clear();
        use(50 * SECOND);
        assertThat(probes).isEmpty();
        carries = 1_500;
        use(15 * SECOND);
        assertThat(mtu.believed()).isEqualTo(1_472);
    }

    @Test
    void ofASilentPeerNothingIsConcluded() {
        use(SECOND);
        dead = true;
        use(60 * SECOND);
        assertThat(mtu.believed()).isEqualTo(1_472);
        assertThat(blackHoles).isZero();
    }

    @Test
    void lossIsNoBlackHole() {
        lossPpm = 200_000;
        long low = 0;
        for (int i = 0; i < 3_600; i++) {
            use(SECOND);
            if (mtu.believed() < 1_472) low++;
        }
        assertThat(low).as("seconds of an hour below what the path carries").isLessThan(36);
    }

    @Test
    void strangeAnswersChangeNothing() {
        carries = 1_400;
        use(3 * SECOND / 2);
        int before = mtu.believed();
        for (int i = 0; i < 1_000; i++) mtu.answered(now, rng.nextLong());
        assertThat(mtu.believed()).isEqualTo(before);
    }
}
