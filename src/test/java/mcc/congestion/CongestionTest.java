package mcc.congestion;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.List;
import mcc.core.Rng;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CongestionTest {
    private static final long MS = 1_000_000;

    /** RFC 9002 section 5.3 with its own arithmetic. */
    @Test
    void theRttIsSmoothedAndItsDelayTakenOff() {
        RttEstimator rtt = new RttEstimator();
        assertThat(rtt.smoothedNs()).isEqualTo(333 * MS);
        rtt.add(100 * MS, 20 * MS);
        assertThat(rtt.smoothedNs()).as("the first sample keeps its delay").isEqualTo(100 * MS);
        assertThat(rtt.ptoNs(25 * MS)).isEqualTo(100 * MS + 4 * 50 * MS + 25 * MS);
        rtt.add(180 * MS, 20 * MS);
        assertThat(rtt.smoothedNs()).isEqualTo((7 * 100 + 160) * MS / 8);
        assertThat(rtt.minNs()).isEqualTo(100 * MS);
        rtt.add(105 * MS, 20 * MS);
        assertThat(rtt.latestNs())
                .as("a delay that would fall below the minimum is ignored")
                .isEqualTo(105 * MS);
        assertThat(rtt.smoothedNs()).isEqualTo((7 * (7 * 100 + 160) * MS / 8 + 105 * MS) / 8);
    }

    @Test
    void newRenoDoublesThenHalvesOncePerRoundAndUndoes() {
        NewReno reno = new NewReno();
        DeliveryRate rate = new DeliveryRate();
        RttEstimator rtt = new RttEstimator();
        rtt.add(10 * MS, 0);
        long window = reno.windowBytes();
        SendState[] flight = new SendState[10];
        for (int i = 0; i < 10; i++) {
            flight[i] = new SendState();
            rate.onSent(i, flight[i], 1_200, 1_200L * i);
        }
        rate.beginAck();
        for (SendState p : flight) rate.onAcked(10 * MS, p);
        reno.onAck(10 * MS, rate.finishAck(rtt.minNs()), 0, rtt);
        assertThat(reno.windowBytes()).isEqualTo(2 * window);
        SendState a = new SendState();
        SendState b = new SendState();
        rate.onSent(20 * MS, a, 1_200, 0);
        rate.onSent(21 * MS, b, 1_200, 1_200);
        reno.onLost(30 * MS, a, true);
        reno.onLost(31 * MS, b, false);
        assertThat(reno.windowBytes()).as("one answer for one round").isEqualTo(window);
        reno.onSpuriousLoss(40 * MS);
        assertThat(reno.windowBytes()).isEqualTo(2 * window);
        reno.onPersistentCongestion();
        assertThat(reno.windowBytes()).isEqualTo(2 * CongestionControl.PACKET_BYTES);
    }

    @Test
    void theRateIsWhatTheSlowerOfSendingAndAcknowledgingShows() {
        DeliveryRate rate = new DeliveryRate();
        SendState first = new SendState();
        SendState second = new SendState();
        rate.onSent(0, first, 1_000, 0);
        rate.onSent(100, second, 1_000, 1_000);
        rate.beginAck();
        rate.onAcked(10 * MS, first);
        assertThat(rate.finishAck(1).rateBytesPerSecond).isEqualTo(100_000);
        rate.beginAck();
        rate.onAcked(20 * MS, second);
        RateSample sample = rate.finishAck(1);
        assertThat(sample.rateBytesPerSecond).isEqualTo(2_000 * 1_000 / 20);
        assertThat(sample.appLimited).isFalse();
        rate.onAppLimited(0);
        SendState idle = new SendState();
        rate.onSent(30 * MS, idle, 1_000, 0);
        rate.beginAck();
        rate.onAcked(40 * MS, idle);
        assertThat(rate.finishAck(1).appLimited).isTrue();
        rate.beginAck();
        rate.onAcked(40 * MS, first);
        assertThat(rate.finishAck(Long.MAX_VALUE).rateBytesPerSecond)
                .as("an interval below the least round trip proves nothing")
                .isZero();
    }

    @Test
    void lossUpToTheFloorIsThePathsNature() {
        NoiseFloor floor = new NoiseFloor();
        assertThat(floor.isExceeded(15, 100, false)).isFalse();
        assertThat(floor.isExceeded(10, 100, true))
                .as("with a queue, before the floor is known")
                .isTrue();
        assertThat(floor.isExceeded(60, 100, false)).isTrue();
        for (int i = 0; i < 16; i++) floor.learn(10, 100);
        assertThat(floor.isExceeded(130, 1_000, true)).isTrue();
        assertThat(floor.isExceeded(115, 1_000, true)).isFalse();
        assertThat(floor.isExceeded(2, 2, true)).isFalse();
        for (int i = 0; i < 16; i++) floor.learn(50, 100);
        assertThat(floor.isExceeded(300, 1_000, false))
                .as("never more than 20 %")
                .isTrue();
    }

    /** A path of fixed rate and delay without loss; returns bytes delivered in the last second of five. */
    private static long lastSecond(CongestionControl control, long rateBytes, long delayNs, int lossPpm) {
        DeliveryRate sampler = new DeliveryRate();
        RttEstimator rtt = new RttEstimator();
        Pacer pacer = new Pacer();
        Rng rng = Rng.seeded(4);
        record Flight(SendState state, long ackNs, boolean lost) {}
        ArrayDeque<Flight> flights = new ArrayDeque<>();
        long inFlight = 0;
        long freeNs = 0;
        long late = 0;
        long episodeNs = -1;
        for (long now = MS; now < 5_000 * MS; now += MS / 2) {
            sampler.beginAck();
            boolean acked = false;
            while (!flights.isEmpty() && flights.peek().ackNs <= now) {
                Flight f = flights.poll();
                inFlight -= f.state.bytes();
                if (f.lost) {
                    sampler.onLost(f.state);
                    control.onLost(now, f.state, f.state.sentNs() > episodeNs);
                    if (f.state.sentNs() > episodeNs) episodeNs = now;
                    continue;
                }
                acked = true;
                sampler.onAcked(now, f.state);
                rtt.add(now - f.state.sentNs(), 0);
                if (now > 4_000 * MS) late += f.state.bytes();
            }
            if (acked) control.onAck(now, sampler.finishAck(rtt.minNs()), inFlight, rtt);
            while (inFlight + 1_200 <= control.windowBytes() && pacer.allows(now, control)) {
                SendState p = new SendState();
                sampler.onSent(now, p, 1_200, inFlight);
                control.onSent(now, p, inFlight);
                pacer.onSent(1_200);
                inFlight += 1_200;
                freeNs = Math.max(freeNs, now) + 1_200 * 1_000_000_000L / rateBytes;
                flights.add(new Flight(p, freeNs + delayNs, rng.chance(lossPpm)));
            }
        }
        return late;
    }

    private static List<CongestionControl> rules() {
        return List.of(new Bbr(Rng.seeded(1)), new NewReno());
    }

    @ParameterizedTest
    @MethodSource("rules")
    void aCleanPathIsFilled(CongestionControl rule) {
        long got = lastSecond(rule, 5_000_000, 40 * MS, 0);
        assertThat(got).isBetween(4_300_000L, 5_100_000L);
    }

    @Test
    void bbrKeepsItsEstimateUnderRandomLoss() {
        CongestionControl bbr = new Bbr(Rng.seeded(1));
        assertThat(lastSecond(bbr, 5_000_000, 40 * MS, 100_000)).isGreaterThan(3_500_000);
        assertThat(bbr.bandwidthBytesPerSecond()).isBetween(4_000_000L, 5_500_000L);
        assertThat(bbr.windowBytes()).isLessThan(2 * 5_000_000L / 20);
    }

    @Test
    void theBoundOfTheFlightVanishesWhenLossDoes() {
        CongestionControl bbr = new Bbr(Rng.seeded(1));
        RttEstimator rtt = new RttEstimator();
        DeliveryRate rate = new DeliveryRate();
        long now = MS;
        for (int i = 0; i < 5_000; i++) {
            SendState p = new SendState();
            rate.onSent(now, p, 60_000, 0);
            now += 10 * MS;
            rate.beginAck();
            if (i == 100) for (int k = 0; k < 10; k++) bbr.onLost(now, p, k == 0);
            rate.onAcked(now, p);
            rtt.add(10 * MS, 0);
            bbr.onAck(now, rate.finishAck(1), 0, rtt);
        }
        assertThat(bbr.windowBytes()).isGreaterThan(2 * 60_000);
    }

    @Test
    void thePacerReleasesWhenItSaid() {
        CongestionControl reno = new NewReno();
        Pacer pacer = new Pacer();
        long now = MS;
        int sent = 0;
        for (int i = 0; i < 1_000; i++) {
            while (pacer.allows(now, reno)) {
                pacer.onSent(1_200);
                sent++;
            }
            long release = pacer.releaseNs(now, reno);
            assertThat(release).isGreaterThanOrEqualTo(now + MS);
            now = release;
            assertThat(pacer.allows(now, reno)).isTrue();
        }
        assertThat(1e9 * sent * 1_200 / now)
                .isBetween(0.97 * reno.pacingRateBytesPerSecond(), 1.05 * reno.pacingRateBytesPerSecond());
    }
}
