package mcc.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Bytes;
import mcc.core.Id;
import mcc.core.Invariant;
import mcc.core.Rng;
import mcc.wire.Contact;
import org.jspecify.annotations.Nullable;

/**
 * What nodes send each other at packet fidelity beside the messages of their cores: streams of bytes, and packets of virtual
 * interfaces. Remembers all that was sent, to compare it with what arrives.
 */
final class Traffic {
    private static final int PACKET_BYTES = 200;
    /** The first byte of an IPv6 packet, which is all that links look at. */
    private static final byte IPV6 = 0x60;

    /** A stream as its reader identifies it. */
    private record Way(Id from, Id to, long stream) {}

    /** Bytes on their way from one node to another. */
    static final class Transfer {
        final SimNode from;
        final SimNode to;
        final Contact contact;
        final byte[] content;
        int written;
        /** How often its user begins anew where the stream is lost. */
        int triesMore;

        private int read;

        Transfer(SimNode from, SimNode to, Contact contact, byte[] content) {
            this.from = from;
            this.to = to;
            this.contact = contact;
            this.content = content;
        }

        /** Compares what was read with what was written. */
        void read(byte[] bytes, int length) {
            boolean known = length <= written - read && Arrays.equals(bytes, 0, length, content, read, read + length);
            Invariant.check(known, "what is read is a prefix of what was written");
            read += length;
        }

        /** Its stream was lost, and with it what came of it. */
        void beginAnew() {
            triesMore--;
            written = 0;
            read = 0;
        }

        boolean isWhole() {
            return read == content.length;
        }
    }

    private record Packet(Id from, Bytes bytes) {}

    private final Map<Way, Transfer> transfers = new HashMap<>(); // Looked up, never iterated.
    private final List<Packet> packets = new ArrayList<>();
    private int sent;
    private int arrived;

    void begins(Transfer transfer, long stream) {
        transfers.put(new Way(transfer.from.id, transfer.to.id, stream), transfer);
    }

    /** The transfer that a stream carries; null when nobody began one. */
    @Nullable
    Transfer find(Id from, Id to, long stream) {
        return transfers.get(new Way(from, to, stream));
    }

    /** Makes a packet that {@code from} will send. */
    Bytes packet(SimNode from, Rng rng) {
        byte[] bytes = rng.bytes(PACKET_BYTES);
        bytes[0] = IPV6;
        int number = packets.size();
        for (int i = 0; i < Integer.BYTES; i++) bytes[1 + i] = (byte) (number >>> 8 * i);
        Bytes packet = Bytes.owning(bytes);
        packets.add(new Packet(from.id, packet));
        return packet;
    }

    void sent() {
        sent++;
    }

    /** Compares a packet with what its sender sent. */
    void arrived(Id from, Bytes bytes) {
        int number = 0;
        for (int i = 0; i < Integer.BYTES; i++) number |= (bytes.at(1 + i) & 0xff) << 8 * i;
        boolean known =
                number >= 0 && number < packets.size() && packets.get(number).equals(new Packet(from, bytes));
        Invariant.check(known, "a packet arrives as it was sent");
        arrived++;
    }

    /** How many of 1,000 sealed packets arrived; 1,000 when none was sealed. */
    int arrivedPermille() {
        return sent == 0 ? 1_000 : (int) (arrived * 1_000L / sent);
    }

    int sentPackets() {
        return sent;
    }
}
