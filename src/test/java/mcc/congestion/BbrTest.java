package mcc.congestion;

import static mcc.congestion.VirtualPath.MS;
import static mcc.congestion.VirtualPath.PACKET;
import static org.assertj.core.api.Assertions.assertThat;

import mcc.congestion.Bbr.State;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The example cases of draft-ietf-ccwg-bbr, in its order, and what this implementation adds to them. */
class BbrTest {
    private static final long SECOND = 1_000 * MS;

    private static VirtualPath path() {
        VirtualPath path = new VirtualPath(10, 40);
        path.queueBytes = 2 * path.bdp();
        return path;
    }

    private static VirtualPath cruising() {
        VirtualPath path = path();
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        return path;
    }

    private static double share(VirtualPath path, long forNs) {
        long before = path.deliveredBytes;
        path.run(forNs);
        return (path.deliveredBytes - before) / (path.rate * (forNs / 1e9));
    }

    @ParameterizedTest
    @CsvSource({"0.5, 40", "10, 40", "10, 300", "100, 5", "100, 1", "500, 2"})
    void startupEndsOnAPlateauOfTheBandwidth(double mbit, int rttMs) {
        VirtualPath path = new VirtualPath(mbit, rttMs);
        assertThat(path.bbr.state()).isEqualTo(State.STARTUP);
        assertThat(path.leave(State.STARTUP)).isTrue();
        assertThat(path.bbr.pipe().isNow()).isTrue();
        assertThat(path.bbr.pipe().isReached()).isTrue();
        assertThat((double) path.bbr.bandwidthBytesPerSecond()).isBetween(0.97 * path.rate, 1.03 * path.rate);
    }

    @Test
    void startupEndsOnLossEvenWhenTheApplicationSetsThePace() {
        VirtualPath path = path();
        path.appRate = path.rate / 2.0;
        path.run(2 * SECOND);
        assertThat(path.bbr.state()).isEqualTo(State.STARTUP);
        path.lossPpm = 700_000;
        assertThat(path.leave(State.STARTUP)).isTrue();
        assertThat(path.bbr.pipe().isReached()).isTrue();
        assertThat(path.bbr.bounds().longTerm()).isLessThan(Bounds.NONE);
    }

    @Test
    void drainEndsWhenTheFlightFitsThePath() {
        VirtualPath path = path();
        assertThat(path.reach(State.DRAIN)).isTrue();
        long start = path.nowNs;
        assertThat((double) path.bbr.pacingRateBytesPerSecond()).isBetween(0.49 * path.rate, 0.51 * path.rate);
        assertThat(path.inFlight).isGreaterThan(path.bdp());
        assertThat(path.leave(State.DRAIN)).isTrue();
        assertThat(path.inFlight).isLessThan(path.bdp() * 11 / 10);
        assertThat(path.nowNs - start).isLessThan(200 * MS);
    }

    @Test
    void drainEndsAfterThreeRoundsAtTheLatest() {
        VirtualPath path = path();
        assertThat(path.reach(State.DRAIN)).isTrue();
        path.rate /= 4;
        long round = path.bbr.round();
        assertThat(path.leave(State.DRAIN)).isTrue();
        assertThat(path.inFlight).isGreaterThan(path.bdp() * 3 / 2);
        assertThat(path.bbr.round()).isEqualTo(round + 4);
    }

    @Test
    void aProbeEndsOnAPlateauOfTheBandwidth() {
        VirtualPath path = cruising();
        assertThat(path.reach(State.PROBE_BW_UP)).isTrue();
        long lost = path.lostPackets;
        assertThat(path.bbr.pipe().isNow()).isFalse();
        assertThat(path.reach(State.PROBE_BW_DOWN)).isTrue();
        assertThat(path.lostPackets).isEqualTo(lost);
        assertThat(path.bbr.pipe().isNow()).isTrue();
    }

    @Test
    void aProbeEndsOnLossEvenWhenTheApplicationSetsThePace() {
        VirtualPath path = cruising();
        path.appRate = path.rate / 2.0;
        assertThat(path.reach(State.PROBE_BW_UP)).isTrue();
        path.lossPpm = 400_000;
        long start = path.nowNs;
        assertThat(path.reach(State.PROBE_BW_DOWN)).isTrue();
        assertThat(path.nowNs - start).isLessThan(300 * MS);
        assertThat(path.bbr.bounds().longTerm())
                .as("what the application sent says nothing about what fits")
                .isEqualTo(Bounds.NONE);
    }

    @Test
    void noSearchEndsWhileTheApplicationSetsThePaceAndNothingIsLost() {
        VirtualPath path = path();
        path.appRate = path.rate / 4.0;
        path.run(20 * SECOND);
        assertThat(path.bbr.state()).isEqualTo(State.STARTUP);
        VirtualPath later = cruising();
        later.appRate = later.rate / 4.0;
        assertThat(later.reach(State.PROBE_BW_UP)).isTrue();
        later.run(20 * SECOND);
        assertThat(later.bbr.state()).isEqualTo(State.PROBE_BW_UP);
    }

    @Test
    void goingDownEndsWhenTheFlightFitsThePathAndLeavesHeadroom() {
        VirtualPath path = path();
        path.queueBytes = path.bdp() / 5;
        assertThat(path.reach(State.PROBE_BW_UP)).isTrue();
        assertThat(path.reach(State.PROBE_BW_DOWN)).isTrue();
        assertThat((double) path.bbr.pacingRateBytesPerSecond()).isBetween(0.73 * path.rate, 0.77 * path.rate);
        assertThat(path.bbr.bounds().longTerm()).isLessThan(Bounds.NONE);
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        assertThat(path.inFlight).isLessThanOrEqualTo(path.bbr.bounds().withHeadroom(PACKET));
        assertThat(path.inFlight).isLessThan(path.bdp() * 11 / 10);
    }

    @Test
    void goingDownLeadsToAProbeWhenItsTimeIsOver() {
        VirtualPath path = path();
        assertThat(path.reach(State.PROBE_BW_UP)).isTrue();
        assertThat(path.reach(State.PROBE_BW_DOWN)).isTrue();
        long start = path.nowNs;
        path.rate = path.rate * 7 / 10;
        boolean[] cruised = {false};
        assertThat(path.run(4 * SECOND, () -> {
                    cruised[0] |= path.bbr.state() == State.PROBE_BW_CRUISE;
                    return path.bbr.state() == State.PROBE_BW_REFILL;
                }))
                .isTrue();
        assertThat(cruised[0]).isFalse();
        assertThat(path.nowNs - start).isBetween(SECOND, 3 * SECOND + 100 * MS);
    }

    /** The queue of another flow hides the least round trip. */
    @Test
    void aQueueThatStandsForFiveSecondsIsEmptiedForAMoment() {
        VirtualPath path = cruising();
        path.run(7 * SECOND, () -> {
            path.freeNs = Math.max(path.freeNs, path.nowNs + 10 * MS);
            return path.bbr.state() == State.PROBE_RTT;
        });
        assertThat(path.bbr.state()).isEqualTo(State.PROBE_RTT);
        long start = path.nowNs;
        path.run(10 * MS);
        assertThat(path.bbr.windowBytes()).isLessThanOrEqualTo(path.bdp() * 6 / 10);
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        assertThat(path.nowNs - start).isBetween(200 * MS, 400 * MS);
        assertThat(share(path, SECOND)).isGreaterThan(0.9);
    }

    @Test
    void idlenessIsAsGoodAsAProbeOfTheRoundTrip() {
        VirtualPath path = cruising();
        path.appRate = 0;
        path.run(6 * SECOND);
        assertThat(path.inFlight).isZero();
        path.appRate = Double.MAX_VALUE;
        assertThat(path.run(200 * MS, () -> path.bbr.state() == State.PROBE_RTT))
                .isFalse();
        assertThat(share(path, SECOND)).isGreaterThan(0.85);
    }

    @Test
    void startupFindsTheBandwidthOfAPathThatBatchesAcknowledgements() {
        VirtualPath path = new VirtualPath(50, 20);
        path.batchNs = 20 * MS;
        assertThat(path.reach(State.DRAIN)).isTrue();
        assertThat(path.bbr.extraAckedBytes()).isGreaterThan(path.bdp() / 2);
        assertThat(path.bbr.windowBytes()).isGreaterThan(2 * path.bdp());
        assertThat((double) path.bbr.bandwidthBytesPerSecond()).isBetween(0.9 * path.rate, 1.1 * path.rate);
    }

    @Test
    void cruisingKeepsAPathBusyThatBatchesAcknowledgements() {
        VirtualPath path = new VirtualPath(50, 20);
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        path.batchNs = 60 * MS;
        path.run(3 * SECOND);
        assertThat(path.bbr.extraAckedBytes()).isGreaterThan(path.bdp());
        assertThat(share(path, 3 * SECOND)).isGreaterThan(0.9);
    }

    @Test
    void fourPacketsAreTheLeastWindow() {
        VirtualPath path = new VirtualPath(0.1, 10);
        assertThat(path.bdp()).isLessThan(PACKET);
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        path.run(5 * SECOND);
        assertThat(path.bbr.windowBytes()).isGreaterThanOrEqualTo(4 * PACKET);
        assertThat(path.bbr.bandwidthBytesPerSecond()).isBetween(path.rate * 9 / 10, path.rate * 11 / 10);
        assertThat(share(path, 5 * SECOND)).isGreaterThan(0.9);
        path.bbr.packetBytes(9_000);
        assertThat(path.bbr.windowBytes()).isGreaterThanOrEqualTo(4 * 9_000);
    }

    @Test
    void tenTimesTheBandwidthIsFound() {
        VirtualPath path = path();
        path.queueBytes = path.bdp() / 5;
        assertThat(path.run(20 * SECOND, () -> path.bbr.bounds().longTerm() < Bounds.NONE))
                .isTrue();
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        path.rate *= 10;
        path.queueBytes *= 10;
        assertThat(path.run(10 * SECOND, () -> path.bbr.bandwidthBytesPerSecond() > path.rate * 9 / 10))
                .isTrue();
    }

    @Test
    void aTenthOfTheBandwidthIsLearntWithinTwoProbes() {
        VirtualPath path = new VirtualPath(100, 40);
        path.queueBytes = path.bdp();
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        path.rate /= 10;
        path.queueBytes /= 10;
        assertThat(path.run(2 * SECOND, () -> path.bbr.bounds().bandwidth() < path.rate * 2))
                .isTrue();
        assertThat(path.run(10 * SECOND, () -> path.bbr.maxBandwidth() < path.rate * 11 / 10))
                .isTrue();
    }

    @Test
    void aPolicerIsObeyed() {
        VirtualPath path = path();
        path.bucketBytes = 4.0 * path.bdp();
        path.run(10 * SECOND);
        long sent = path.sentPackets;
        long lost = path.lostPackets;
        assertThat(share(path, 20 * SECOND)).isGreaterThan(0.8);
        assertThat((double) (path.lostPackets - lost) / (path.sentPackets - sent))
                .isLessThan(0.05);
    }

    @Test
    void aLossThatWasNoneLeadsBackToTheProbe() {
        VirtualPath path = cruising();
        assertThat(path.reach(State.PROBE_BW_UP)).isTrue();
        long bound = path.bbr.bounds().longTerm();
        path.reordering = true;
        assertThat(path.run(SECOND, () -> path.bbr.state() == State.PROBE_BW_DOWN))
                .isTrue();
        assertThat(path.bbr.bounds().longTerm()).isLessThan(bound);
        path.arriveLate();
        assertThat(path.bbr.state()).isEqualTo(State.PROBE_BW_REFILL);
        assertThat(path.bbr.bounds().longTerm()).isEqualTo(bound);
    }

    @Test
    void anOutageThatWasNoneGivesTheWindowBack() {
        VirtualPath path = cruising();
        long window = path.bbr.windowBytes();
        path.bbr.onPersistentCongestion();
        assertThat(path.bbr.windowBytes()).isEqualTo(4 * PACKET);
        path.bbr.onSpuriousLoss(path.nowNs);
        assertThat(path.bbr.windowBytes()).isEqualTo(window);
        assertThat(path.bbr.state()).isEqualTo(State.PROBE_BW_CRUISE);
    }

    @Test
    void aProbeOfTheRoundTripDuringStartupLeadsBackToStartup() {
        VirtualPath path = path();
        path.appRate = path.rate / 4.0;
        path.run(9 * SECOND, () -> {
            if (path.nowNs > SECOND) path.freeNs = Math.max(path.freeNs, path.nowNs + 10 * MS);
            return path.bbr.state() == State.PROBE_RTT;
        });
        assertThat(path.bbr.state()).isEqualTo(State.PROBE_RTT);
        assertThat(path.run(SECOND, () -> path.bbr.state() != State.PROBE_RTT)).isTrue();
        assertThat(path.bbr.state()).isEqualTo(State.STARTUP);
    }

    @Test
    void lossAboveTheBoundLowersItAndEndsTheProbe() {
        VirtualPath path = path();
        path.queueBytes = path.bdp() / 2;
        assertThat(path.run(30 * SECOND, () -> path.bbr.bounds().longTerm() < Bounds.NONE))
                .isTrue();
        assertThat(path.reach(State.PROBE_BW_CRUISE)).isTrue();
        assertThat(path.reach(State.PROBE_BW_UP)).isTrue();
        long bound = path.bbr.bounds().longTerm();
        path.lossPpm = 400_000;
        long start = path.nowNs;
        assertThat(path.reach(State.PROBE_BW_DOWN)).isTrue();
        assertThat(path.nowNs - start).isLessThan(200 * MS);
        assertThat(path.bbr.bounds().longTerm()).isLessThan(bound);
    }

    @Test
    void aPauseWhileRefillingLowersNoEstimate() {
        VirtualPath path = cruising();
        assertThat(path.reach(State.PROBE_BW_REFILL)).isTrue();
        long bandwidth = path.bbr.maxBandwidth();
        path.appRate = path.rate / 20.0;
        assertThat(path.reach(State.PROBE_BW_UP)).isTrue();
        assertThat(path.bbr.maxBandwidth()).isEqualTo(bandwidth);
        path.appRate = Double.MAX_VALUE;
        path.run(3 * SECOND);
        assertThat(share(path, 3 * SECOND)).isGreaterThan(0.9);
    }

    // What this implementation adds.

    @ParameterizedTest
    @EnumSource(names = {"STARTUP", "PROBE_BW_UP"})
    void aMarkEndsASearchAsLossDoes(State state) {
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
        assertThat(path.run(20 * SECOND, () -> path.bbr.state() == State.PROBE_RTT))
                .isFalse();
    }
}
