/**
 * How fast may we send? Round-trip times, delivery rate, pacing, and the window and rate that follow from them.
 *
 * <p>May use {@code mcc.core} only. Knows neither the contents of packets nor their numbers; {@code mcc.stream} decides which
 * packets are lost, and reports every sent, acknowledged and lost packet here.
 *
 * <p>Read in this order: {@link mcc.congestion.SendState} (what is remembered of a sent packet),
 * {@link mcc.congestion.DeliveryRate} (samples of the path's rate), {@link mcc.congestion.RttEstimator},
 * {@link mcc.congestion.CongestionControl} (the contract), {@link mcc.congestion.Bbr} with {@link mcc.congestion.BbrState}
 * and its parts {@link mcc.congestion.BandwidthFilter}, {@link mcc.congestion.MinRtt},
 * {@link mcc.congestion.AckAggregation}, {@link mcc.congestion.FullPipe}, {@link mcc.congestion.LossRound},
 * {@link mcc.congestion.NoiseFloor}, {@link mcc.congestion.Bounds}, {@link mcc.congestion.Climb} and
 * {@link mcc.congestion.FlightSize}; {@link mcc.congestion.Pacer}.
 *
 * <p>Invariants: all numbers are bytes, bytes per second and nanoseconds; a window is never below two packets; a rate is
 * never below one packet a second, so that nothing waits for ever. Nothing here is allocated per packet.
 *
 * <p>Sources: RFC 9002 (RTT section 5); draft-ietf-ccwg-bbr (delivery rate, BBR);
 * Cardwell et al., BBR: Congestion-Based Congestion Control, ACM Queue 14(5), 2016.
 */
@NullMarked
package mcc.congestion;

import org.jspecify.annotations.NullMarked;
