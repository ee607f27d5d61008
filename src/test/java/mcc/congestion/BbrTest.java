package mcc.congestion;

import static mcc.congestion.VirtualPath.MS;
import static mcc.congestion.VirtualPath.PACKET;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The example cases of draft-ietf-ccwg-bbr, appendix A as of August 2026, by their numbers; then what this implementation
 * adds to them. Where a case asks for what decision 18 does otherwise, it says so.
 */
class BbrTest {
    private static final long SECOND = 1_000 * MS;

    private static VirtualPath path() {
        VirtualPath path = new VirtualPath(10, 40);
        path.queueBytes = 2 * path.bdp();
        return path;
    }

    /** Of so many packets that 2 % of half a flight are four. */
    private static VirtualPath longPath() {
        VirtualPath path = new VirtualPath(100, 40);
        path.queueBytes = 2 * path.bdp();
        path.evenly = true;
        return path;
    }

    private static VirtualPath cruising() {
        return cruising(path());
    }

    private static VirtualPath cruising(VirtualPath path) {
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        return path;
    }

    private static double share(VirtualPath path, long forNs) {
        long before = path.deliveredBytes;
        path.run(forNs);
        return (path.deliveredBytes - before) / (path.rate * (forNs / 1e9));
    }

    /** A.1. */
    @ParameterizedTest
    @CsvSource({"0.5, 40", "10, 40", "10, 300", "100, 5", "100, 1", "500, 2"})
    void startupEndsOnAPlateauOfTheBandwidth(double mbit, int rttMs) {
        VirtualPath path = new VirtualPath(mbit, rttMs);
        assertThat(path.bbr.state()).isEqualTo(BbrState.STARTUP);
        assertThat(path.leave(BbrState.STARTUP)).isTrue();
        assertThat(path.bbr.state())
                .as("what fills a path of two milliseconds fits a host's least flight, so that it is drained at once")
                .isEqualTo(rttMs > 2 ? BbrState.DRAIN : BbrState.PROBE_BW_CRUISE);
        assertThat(path.bbr.pipe().isNow()).isTrue();
        assertThat(path.bbr.pipe().isReached()).isTrue();
        assertThat(path.bbr.pipe().rounds()).isEqualTo(3);
        assertThat((double) path.bbr.maxBandwidth()).isBetween(0.98 * path.rate, 1.02 * path.rate);
    }

    /**
     * A.2. The draft's 2 % hold where a queue stands, here another flow's; without one, it takes more than the fifth that a
     * path may lose by its nature (decision 18, 1), and a flight without a queue is drained at once. There are no sequence
     * ranges to count.
     */
    @ParameterizedTest
    @CsvSource({"10, 18000, STARTUP", "10, 25000, DRAIN", "0, 230000, STARTUP", "0, 300000, PROBE_BW_DOWN"})
    void startupEndsOnLossEvenWhenTheApplicationSetsThePace(int othersMs, int lossPpm, BbrState then) {
        VirtualPath path = longPath();
        path.appRate = path.rate / 2.0;
        path.run(2 * SECOND);
        assertThat(path.bbr.state()).isEqualTo(BbrState.STARTUP);
        path.othersNs = othersMs * MS;
        path.run(200 * MS);
        path.lossPpm = lossPpm;
        path.run(SECOND, () -> path.bbr.state() != BbrState.STARTUP);
        assertThat(path.bbr.state()).isEqualTo(then);
        boolean ends = then != BbrState.STARTUP;
        assertThat(path.bbr.pipe().isNow()).isEqualTo(ends);
        assertThat(path.bbr.pipe().isReached()).isEqualTo(ends);
        assertThat(path.bbr.bounds().longTerm() < Bounds.NONE).isEqualTo(ends);
    }

    /** A.3. */
    @Test
    void drainEndsWhenTheFlightFitsThePath() {
        VirtualPath path = path();
        assertThat(path.reach(BbrState.DRAIN)).isTrue();
        long start = path.nowNs;
        assertThat((double) path.bbr.pacingRateBytesPerSecond()).isBetween(0.49 * path.rate, 0.51 * path.rate);
        assertThat(path.inFlight).isGreaterThan(path.bdp());
        assertThat(path.leave(BbrState.DRAIN)).isTrue();
        assertThat(path.bbr.state().isProbeBw()).isTrue();
        assertThat(path.inFlight).isLessThan(path.bdp() * 11 / 10);
        assertThat(path.nowNs - start).isLessThan(200 * MS);
    }

    /** A.4. At half its rate a flow drains a path that became a tenth slower in one round: it must become half as fast. */
    @Test
    void drainEndsAfterThreeRoundsAtTheLatest() {
        VirtualPath path = path();
        assertThat(path.reach(BbrState.DRAIN)).isTrue();
        long target = path.bdp();
        path.rate /= 2;
        long round = path.bbr.round();
        assertThat(path.leave(BbrState.DRAIN)).isTrue();
        assertThat(path.bbr.state().isProbeBw()).isTrue();
        assertThat(path.inFlight).isGreaterThan(target);
        assertThat(path.bbr.round()).isEqualTo(round + 4);
    }

    /** A.5. */
    @Test
    void aProbeEndsOnAPlateauOfTheBandwidth() {
        VirtualPath path = cruising();
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        long lost = path.lostPackets;
        assertThat(path.bbr.pipe().isNow()).isFalse();
        assertThat(path.reach(BbrState.PROBE_BW_DOWN)).isTrue();
        assertThat(path.lostPackets).isEqualTo(lost);
        assertThat(path.bbr.pipe().isNow()).isTrue();
        assertThat(path.bbr.pipe().rounds()).isEqualTo(3);
    }

    /** A.6. The path was learnt to lose nothing, so the draft's 2 % hold. */
    @ParameterizedTest
    @CsvSource({"18000, false", "25000, true"})
    void aProbeEndsOnLossEvenWhenTheApplicationSetsThePace(int lossPpm, boolean ends) {
        VirtualPath path = cruising(longPath());
        path.appRate = path.rate / 2.0;
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        path.lossPpm = lossPpm;
        assertThat(path.run(300 * MS, () -> path.bbr.state() == BbrState.PROBE_BW_DOWN))
                .isEqualTo(ends);
        assertThat(path.bbr.bounds().longTerm())
                .as("what the application sent says nothing about what fits")
                .isEqualTo(Bounds.NONE);
    }

    /** A.7. */
    @Test
    void noSearchEndsWhileTheApplicationSetsThePaceAndNothingIsLost() {
        VirtualPath path = path();
        path.appRate = path.rate / 4.0;
        path.run(20 * SECOND);
        assertThat(path.bbr.state()).isEqualTo(BbrState.STARTUP);
        VirtualPath later = cruising();
        later.appRate = later.rate / 4.0;
        assertThat(later.reach(BbrState.PROBE_BW_UP)).isTrue();
        later.run(20 * SECOND);
        assertThat(later.bbr.state()).isEqualTo(BbrState.PROBE_BW_UP);
    }

    /** A.8, but for its pace of 0.90: here it is 0.75 (decision 18, 7). */
    @Test
    void goingDownEndsWhenTheFlightFitsThePathAndLeavesHeadroom() {
        VirtualPath path = path();
        path.queueBytes = path.bdp() / 5;
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        assertThat(path.reach(BbrState.PROBE_BW_DOWN)).isTrue();
        assertThat((double) path.bbr.pacingRateBytesPerSecond()).isBetween(0.73 * path.rate, 0.77 * path.rate);
        assertThat(path.bbr.bounds().longTerm()).isLessThan(Bounds.NONE);
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        assertThat(path.inFlight).isLessThanOrEqualTo(path.bbr.bounds().withHeadroom(PACKET));
        assertThat(path.inFlight).isLessThan(path.bdp() * 11 / 10);
    }

    /** A.9. At a pace of 0.75 the flight would fit a path that is a tenth slower: it must be three tenths. */
    @Test
    void goingDownLeadsToAProbeWhenItsTimeIsOver() {
        VirtualPath path = path();
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        assertThat(path.reach(BbrState.PROBE_BW_DOWN)).isTrue();
        long start = path.nowNs;
        path.rate = path.rate * 7 / 10;
        boolean[] cruised = {false};
        assertThat(path.run(4 * SECOND, () -> {
                    cruised[0] |= path.bbr.state() == BbrState.PROBE_BW_CRUISE;
                    return path.bbr.state() == BbrState.PROBE_BW_REFILL;
                }))
                .isTrue();
        assertThat(cruised[0]).isFalse();
        assertThat(path.nowNs - start).isBetween(SECOND, 3 * SECOND + 100 * MS);
    }

    /** A.10. The queue of another flow hides the least round trip. */
    @Test
    void aQueueThatStandsForFiveSecondsIsEmptiedForAMoment() {
        VirtualPath path = cruising();
        path.othersNs = 10 * MS;
        assertThat(path.run(7 * SECOND, () -> path.bbr.state() == BbrState.PROBE_RTT))
                .isTrue();
        path.othersNs = 0;
        long start = path.nowNs;
        path.run(10 * MS);
        assertThat(path.bbr.windowBytes()).isLessThanOrEqualTo(path.bdp() * 6 / 10);
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        assertThat(path.nowNs - start).isBetween(200 * MS, 400 * MS);
        assertThat(share(path, SECOND)).isGreaterThan(0.9);
    }

    /** A.11. */
    @Test
    void idlenessIsAsGoodAsAProbeOfTheRoundTrip() {
        VirtualPath path = cruising();
        path.appRate = 0;
        path.run(6 * SECOND);
        assertThat(path.inFlight).isZero();
        path.appRate = Double.MAX_VALUE;
        assertThat(path.run(200 * MS, () -> path.bbr.state() == BbrState.PROBE_RTT))
                .isFalse();
        assertThat(share(path, SECOND)).isGreaterThan(0.85);
    }

    /** A.12. */
    @Test
    void startupFindsTheBandwidthOfAPathThatBatchesAcknowledgements() {
        VirtualPath path = new VirtualPath(50, 20);
        path.batchNs = 20 * MS;
        assertThat(path.reach(BbrState.DRAIN)).isTrue();
        assertThat(path.bbr.extraAckedBytes()).isGreaterThan(path.bdp() / 2);
        assertThat(path.bbr.windowBytes()).isGreaterThan(2 * path.bdp());
        assertThat((double) path.bbr.bandwidthBytesPerSecond()).isBetween(0.9 * path.rate, 1.1 * path.rate);
    }

    /** A.13. */
    @Test
    void cruisingKeepsAPathBusyThatBatchesAcknowledgements() {
        VirtualPath path = new VirtualPath(50, 20);
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        path.batchNs = 60 * MS;
        path.run(3 * SECOND);
        assertThat(path.bbr.extraAckedBytes()).isGreaterThan(path.bdp());
        assertThat(share(path, 3 * SECOND)).isGreaterThan(0.9);
    }

    /** A.14. */
    @Test
    void fourPacketsAreTheLeastWindow() {
        VirtualPath path = new VirtualPath(0.1, 10);
        assertThat(path.bdp()).isLessThan(PACKET);
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        path.run(5 * SECOND);
        assertThat(path.bbr.windowBytes()).isGreaterThanOrEqualTo(4 * PACKET);
        assertThat(path.bbr.bandwidthBytesPerSecond()).isBetween(path.rate * 9 / 10, path.rate * 11 / 10);
        assertThat(share(path, 5 * SECOND)).isGreaterThan(0.9);
        path.bbr.packetBytes(9_000);
        assertThat(path.bbr.windowBytes()).isGreaterThanOrEqualTo(4 * 9_000);
    }

    /** A.15. */
    @Test
    void tenTimesTheBandwidthIsFoundByStepsThatDouble() {
        VirtualPath path = path();
        path.queueBytes = path.bdp() / 5;
        assertThat(path.run(20 * SECOND, () -> path.bbr.bounds().longTerm() < Bounds.NONE))
                .isTrue();
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        path.rate *= 10;
        path.queueBytes *= 10;
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        long start = path.bbr.round();
        List<Long> bounds = new ArrayList<>();
        path.run(SECOND, () -> {
            if (path.bbr.round() - start >= bounds.size())
                bounds.add(path.bbr.bounds().longTerm());
            return path.bbr.state() != BbrState.PROBE_BW_UP;
        });
        List<Double> steps = new ArrayList<>();
        for (int i = 1; i < bounds.size(); i++) {
            double step = bounds.get(i) - bounds.get(i - 1);
            if (step > 0) steps.add(step);
            else if (!steps.isEmpty()) break; // the flight has to grow up to the bound first
        }
        assertThat(steps).hasSizeGreaterThan(4);
        for (int i = 1; i < steps.size(); i++) {
            assertThat(steps.get(i) / steps.get(i - 1)).as("steps " + steps).isBetween(1.5, 2.5);
        }
        assertThat(path.run(SECOND, () -> path.bbr.bandwidthBytesPerSecond() > path.rate * 9 / 10))
                .isTrue();
        assertThat(path.bbr.round() - start).as("rounds, for 375 packets more").isLessThan(25);
    }

    /** A.16. */
    @Test
    void aTenthOfTheBandwidthIsLearntWithinTwoProbes() {
        VirtualPath path = new VirtualPath(100, 40);
        path.queueBytes = path.bdp();
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        path.rate /= 10;
        path.queueBytes /= 10;
        assertThat(path.run(2 * SECOND, () -> path.bbr.bounds().bandwidth() < path.rate * 2))
                .isTrue();
        List<BbrState> states = new ArrayList<>();
        assertThat(path.run(10 * SECOND, () -> {
                    if (states.isEmpty() || states.getLast() != path.bbr.state()) states.add(path.bbr.state());
                    return path.bbr.maxBandwidth() < path.rate * 11 / 10;
                }))
                .isTrue();
        assertThat(states.stream().filter(BbrState.PROBE_BW_UP::equals)).hasSize(2);
    }

    /** A.17. */
    @Test
    void aPolicerIsObeyed() {
        VirtualPath path = path();
        path.bucketBytes = 4.0 * path.bdp();
        assertThat(path.run(10 * SECOND, () -> path.bbr.state().isProbeBw())).isTrue();
        assertThat(path.bbr.bounds().bandwidth()).isEqualTo(Bounds.NONE);
        assertThat(path.bbr.bounds().shortTerm()).isEqualTo(Bounds.NONE);
        assertThat(path.run(
                        2 * SECOND,
                        () -> path.bbr.bounds().bandwidth() < path.rate * 11 / 10
                                && path.bbr.bounds().shortTerm() < path.bdp() * 5 / 4))
                .as("both bounds come down to the policer's rate")
                .isTrue();
        assertThat(path.bbr.maxBandwidth()).isGreaterThan(2 * path.rate);
        path.run(10 * SECOND);
        long sent = path.sentPackets;
        long lost = path.lostPackets;
        assertThat(share(path, 20 * SECOND)).isGreaterThan(0.8);
        assertThat((double) (path.lostPackets - lost) / (path.sentPackets - sent))
                .isLessThan(0.05);
    }

    /** A.18. */
    @Test
    void aLossThatWasNoneLeadsBackToTheProbe() {
        VirtualPath path = cruising();
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        long bound = path.bbr.bounds().longTerm();
        path.reordering = true;
        assertThat(path.run(SECOND, () -> path.bbr.state() == BbrState.PROBE_BW_DOWN))
                .isTrue();
        assertThat(path.bbr.bounds().longTerm()).isLessThan(bound);
        path.arriveLate();
        assertThat(path.bbr.state()).isEqualTo(BbrState.PROBE_BW_REFILL);
        assertThat(path.bbr.bounds().longTerm()).isEqualTo(bound);
    }

    /** A.19. */
    @Test
    void anOutageThatWasNoneGivesTheWindowBack() {
        VirtualPath path = cruising();
        long window = path.bbr.windowBytes();
        path.bbr.onPersistentCongestion();
        assertThat(path.bbr.windowBytes()).isEqualTo(4 * PACKET);
        path.bbr.onSpuriousLoss(path.nowNs);
        assertThat(path.bbr.windowBytes()).isEqualTo(window);
        assertThat(path.bbr.state()).isEqualTo(BbrState.PROBE_BW_CRUISE);
    }

    /** A.20. */
    @Test
    void aProbeOfTheRoundTripDuringStartupLeadsBackToStartup() {
        VirtualPath path = path();
        path.appRate = path.rate / 4.0;
        path.run(SECOND);
        path.othersNs = 10 * MS;
        assertThat(path.run(8 * SECOND, () -> path.bbr.state() == BbrState.PROBE_RTT))
                .isTrue();
        path.othersNs = 0;
        assertThat(path.run(SECOND, () -> path.bbr.state() != BbrState.PROBE_RTT))
                .isTrue();
        assertThat(path.bbr.state()).isEqualTo(BbrState.STARTUP);
    }

    /** A.21. */
    @Test
    void lossAboveTheBoundLowersItAndEndsTheProbe() {
        VirtualPath path = longPath();
        path.queueBytes = path.bdp() / 2;
        assertThat(path.run(30 * SECOND, () -> path.bbr.bounds().longTerm() < Bounds.NONE))
                .isTrue();
        assertThat(path.reach(BbrState.PROBE_BW_CRUISE)).isTrue();
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        long bound = path.bbr.bounds().longTerm();
        path.lossPpm = 25_000;
        long start = path.nowNs;
        assertThat(path.reach(BbrState.PROBE_BW_DOWN)).isTrue();
        assertThat(path.nowNs - start).isLessThan(200 * MS);
        assertThat(path.bbr.bounds().longTerm()).isLessThan(bound);
    }

    /** A.22. */
    @Test
    void aPauseWhileRefillingLowersNoEstimate() {
        VirtualPath path = cruising();
        assertThat(path.reach(BbrState.PROBE_BW_REFILL)).isTrue();
        long bandwidth = path.bbr.maxBandwidth();
        path.appRate = path.rate / 20.0;
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        assertThat(path.bbr.maxBandwidth()).isEqualTo(bandwidth);
        path.appRate = Double.MAX_VALUE;
        path.run(3 * SECOND);
        assertThat(share(path, 3 * SECOND)).isGreaterThan(0.9);
    }

    // What this implementation adds.

    /** The draft's BBRHandleRestartFromIdle: a probe that was broken off is not gone on with into the unknown. */
    @Test
    void whoWasIdleBeginsAgainAtExactlyTheBandwidth() {
        VirtualPath path = cruising();
        assertThat(path.reach(BbrState.PROBE_BW_UP)).isTrue();
        path.appRate = 0;
        assertThat(path.run(SECOND, () -> path.inFlight == 0)).isTrue();
        assertThat(path.bbr.state()).isEqualTo(BbrState.PROBE_BW_UP);
        long bandwidth = path.bbr.bandwidthBytesPerSecond();
        long window = path.bbr.windowBytes();
        assertThat((double) path.bbr.pacingRateBytesPerSecond())
                .as("the pace of a probe, until then")
                .isGreaterThan(1.2 * bandwidth);
        path.run(SECOND);
        path.appRate = Double.MAX_VALUE;
        assertThat(path.run(MS, () -> path.inFlight > 0)).isTrue();
        assertThat(path.bbr.pacingRateBytesPerSecond())
                .as("less the margin of a hundredth that any pace has")
                .isEqualTo((long) (bandwidth * 0.99));
        assertThat(path.bbr.windowBytes()).isEqualTo(window);
    }

    /** On a path with jitter some are missed a round later: they are the first ones' episode all the same. */
    @ParameterizedTest
    @EnumSource(names = {"STARTUP", "PROBE_BW_CRUISE"})
    void lossThatTwoRoundsNoticedAndThatWasNoneIsUndoneAsOne(BbrState state) {
        VirtualPath path = path();
        assertThat(path.run(20 * SECOND, () -> path.bbr.state() == state && path.bbr.round() > 2))
                .isTrue();
        long sent = path.sentPackets;
        path.reordering = true;
        path.run(20 * MS);
        long missedAtFirst = path.sentPackets - sent;
        path.lagNs = 80 * MS;
        path.run(10 * MS);
        long missed = path.sentPackets - sent;
        path.reordering = false;
        path.run(75 * MS);
        assertThat(path.lostPackets).isEqualTo(missedAtFirst);
        assertThat(path.bbr.state() != state || path.bbr.bounds().bandwidth() < Bounds.NONE)
                .as("the first round had its answer")
                .isTrue();
        path.run(120 * MS);
        assertThat(path.lostPackets).as("the second had more to answer").isEqualTo(missed);
        path.arriveLate();
        assertThat(path.bbr.state()).isEqualTo(state);
        assertThat(path.bbr.bounds().bandwidth()).isEqualTo(Bounds.NONE);
        assertThat(path.bbr.bounds().shortTerm()).isEqualTo(Bounds.NONE);
    }

    @ParameterizedTest
    @EnumSource(names = {"STARTUP", "PROBE_BW_UP"})
    void aMarkEndsASearchAsLossDoes(BbrState state) {
        VirtualPath path = path();
        assertThat(path.run(20 * SECOND, () -> path.bbr.state() == state && path.bbr.round() > 3))
                .isTrue();
        path.cePpm = 1_000_000;
        assertThat(path.run(200 * MS, () -> !path.bbr.state().isProbing())).isTrue();
        assertThat(path.bbr.bounds().longTerm()).isLessThan(Bounds.NONE);
    }

    @Test
    void marksWhileCruisingLowerThePace() {
        VirtualPath path = cruising();
        path.cePpm = 1_000_000;
        path.run(200 * MS);
        assertThat(path.bbr.bounds().bandwidth()).isLessThan(Bounds.NONE);
    }

    @ParameterizedTest
    @CsvSource({"50000", "100000", "150000"})
    void lossThatIsThePathsNatureLowersNothing(int lossPpm) {
        VirtualPath path = path();
        path.lossPpm = lossPpm;
        path.run(5 * SECOND);
        assertThat(share(path, 20 * SECOND)).isGreaterThan(0.93 * (1 - lossPpm / 1e6));
    }

    @Test
    void anEmptyPathIsNotEmptiedAgain() {
        VirtualPath path = cruising();
        assertThat(path.run(20 * SECOND, () -> path.bbr.state() == BbrState.PROBE_RTT))
                .isFalse();
    }
}
