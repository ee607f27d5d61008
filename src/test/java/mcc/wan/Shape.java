package mcc.wan;

import java.util.LinkedHashMap;
import java.util.Map;

/** What one direction of an emulated link does to packets; every value is a number, 0 unless set. */
public final class Shape {
    /** Bits of IP per millisecond; 0 is unlimited, and then there is no queue. */
    long rateKbit;
    /** Bytes that may wait for their turn; what does not fit is dropped at its tail. */
    long queueBytes = 1 << 20;
    /** From the end of sending to arrival. */
    long delayUs;
    /** Added to the delay: evenly from 0 to this, for each packet alone, so that packets overtake each other. */
    long jitterUs;
    /** 1: jitter never lets a packet overtake another. */
    long ordered;

    long lossPpm;
    /** Packets that are lost one after another once loss begins; the share lost stays {@link #lossPpm}. */
    long burst = 1;

    long duplicatePpm;
    /** The share that arrives {@link #reorderUs} later. */
    long reorderPpm;

    long reorderUs = 20_000;
    /** The share that comes a second time, up to {@link #replayUs} later. */
    long replayPpm;

    long replayUs = 2_000_000;
    /** The share of UDP packets with a wrong byte. */
    long corruptPpm;
    /** 1: a wrong or cut packet has a checksum that lets it pass the kernel, so that the program must notice. */
    long mend = 1;
    /** The share of UDP packets that are cut short. */
    long truncatePpm;

    /** Sets {@code name=value}; throws when there is no such name. */
    public void set(String word) {
        String name = word.substring(0, Math.max(0, word.indexOf('=')));
        long value = Long.parseLong(word.substring(word.indexOf('=') + 1));
        switch (name) {
            case "rate-kbit" -> rateKbit = value;
            case "queue-bytes" -> queueBytes = value;
            case "delay-us" -> delayUs = value;
            case "jitter-us" -> jitterUs = value;
            case "ordered" -> ordered = value;
            case "loss-ppm" -> lossPpm = value;
            case "burst" -> burst = Math.max(1, value);
            case "duplicate-ppm" -> duplicatePpm = value;
            case "reorder-ppm" -> reorderPpm = value;
            case "reorder-us" -> reorderUs = value;
            case "replay-ppm" -> replayPpm = value;
            case "replay-us" -> replayUs = value;
            case "corrupt-ppm" -> corruptPpm = value;
            case "mend" -> mend = value;
            case "truncate-ppm" -> truncatePpm = value;
            default -> throw new IllegalArgumentException("no value of a link is called '" + name + "'");
        }
    }

    /** What happened in one direction; times in nanoseconds, summed. */
    static final class Tally {
        long packets;
        long bytes;
        long lost;
        long full;
        long duplicated;
        long reordered;
        long replayed;
        long corrupted;
        long truncated;
        long waitedNs;
        long waitedMaxNs;

        Map<String, Long> values() {
            Map<String, Long> out = new LinkedHashMap<>();
            out.put("packets", packets);
            out.put("bytes", bytes);
            out.put("lost", lost);
            out.put("full", full);
            out.put("duplicated", duplicated);
            out.put("reordered", reordered);
            out.put("replayed", replayed);
            out.put("corrupted", corrupted);
            out.put("truncated", truncated);
            out.put("waited-us", waitedNs / 1_000);
            out.put("waited-max-us", waitedMaxNs / 1_000);
            return out;
        }
    }
}
