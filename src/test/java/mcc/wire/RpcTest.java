package mcc.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RpcTest {
    private static final Bytes NETWORK = Bytes.utf8("test");
    private final Rng rng = Rng.seeded(3);
    private final Counters counters = new Counters();

    @Test
    void everyMessageRoundTrips() {
        for (int i = 0; i < 300; i++) {
            for (Message message : all()) {
                Rpc rpc = new Rpc(rng.nextLong(), message, rng.nextInt() < 0);
                byte[] bytes = Rpc.encode(rpc).toArray();
                assertThat(bytes.length).isLessThanOrEqualTo(Limits.RPC_BYTES);
                assertThat(Rpc.decode(bytes, 0, bytes.length, counters)).isEqualTo(rpc);
            }
        }
        assertThat(counters.value("wire.rpcMalformed")).isZero();
    }

    @Test
    void theLargestRecordFitsWithItsNeighbours() {
        Record record = record(Limits.BODY_BYTES, Limits.ADMIT_BYTES, Long.MAX_VALUE, Limits.LEASE_MS);
        assertThat(record.raw().size()).isLessThanOrEqualTo(Limits.CONTENT_BYTES);
        Message.Held held = new Message.Held(record, Long.MAX_VALUE);
        Message values = Message.Values.of(List.of(held), contacts(16, 4), Integer.MAX_VALUE, -1);
        assertThat(Rpc.encode(new Rpc(-1, values)).size()).isLessThanOrEqualTo(Limits.RPC_BYTES);
        values = Message.Values.of(List.of(held), contacts(16, 4), 1 << 21, -1);
        assertThat(Rpc.encode(new Rpc(-1, values, true)).size()).isLessThanOrEqualTo(Limits.RPC_BYTES);
        assertThat(Rpc.encode(new Rpc(-1, new Message.Store(record))).size()).isLessThanOrEqualTo(Limits.RPC_BYTES);
    }

    @Test
    void contactsLoseAddressesBeforeTheyAreLost() {
        Message.Nodes nodes = Message.Nodes.fitting(contacts(20, 4));
        assertThat(nodes.contacts()).hasSize(16).allMatch(c -> c.addresses().size() == 1);
        assertThat(Message.Nodes.fitting(contacts(3, 4)).contacts())
                .allMatch(c -> c.addresses().size() == 4);
    }

    @Test
    void aSizeThatIsCalculatedIsTheSizeThatIsWritten() {
        for (int i = 0; i < 300; i++) {
            Contact contact = contacts(1, rng.below(5)).getFirst();
            int size = contact.toProto().getSerializedSize();
            assertThat(contact.wireBytes()).isEqualTo(Record.field(size));
            Record record = record(rng.below(701), rng.below(113), rng.nextLong() >>> 1, rng.below(7_000_000));
            assertThat(record.wireBytes())
                    .isEqualTo(Record.field(record.toProto().getSerializedSize()));
        }
    }

    @Test
    void randomBytesNeverThrow() {
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = rng.bytes(rng.below(200));
            Rpc.decode(bytes, 0, bytes.length, counters);
        }
        assertThat(counters.value("wire.rpcMalformed")).isGreaterThan(15_000);
    }

    @Test
    void flippedAndTruncatedMessagesNeverThrowAndWhatParsesEncodes() {
        for (int i = 0; i < 2_000; i++) {
            for (Message message : all()) {
                byte[] bytes = Rpc.encode(new Rpc(i, message)).toArray();
                for (int flips = rng.below(3); flips >= 0; flips--) {
                    bytes[rng.below(bytes.length)] ^= (byte) (1 << rng.below(8));
                }
                int from = rng.below(4) == 0 ? rng.below(bytes.length) : 0;
                Rpc rpc = Rpc.decode(bytes, from, rng.below(bytes.length - from + 1), counters);
                if (rpc != null) assertThat(Rpc.encode(rpc).size()).isLessThanOrEqualTo(Limits.RPC_BYTES);
            }
        }
    }

    @Test
    void anOversizedRpcIsRefused() {
        byte[] bytes = new byte[Limits.RPC_BYTES + 1];
        assertThat(Rpc.decode(bytes, 0, bytes.length, counters)).isNull();
    }

    @Test
    void theSignatureCoversNetworkAndContent() {
        List<byte[]> seen = new ArrayList<>();
        Record record = Record.sign(content(3, 0, 7, 1000), NETWORK, message -> {
            seen.add(message);
            return Bytes.owning(new byte[64]);
        });
        assertThat(record.signedBytes(NETWORK)).isEqualTo(seen.getFirst());
        assertThat(record.signedBytes(Bytes.utf8("other"))).isNotEqualTo(seen.getFirst());
        assertThat(Record.parse(record.raw(), record.signature())).isEqualTo(record);
    }

    @Test
    void whatIsOutOfRangeIsNoRecordAndNoContact() {
        assertThatThrownBy(() -> content(Limits.BODY_BYTES + 1, 0, 1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> content(1, Limits.ADMIT_BYTES + 1, 1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> content(1, 1, -1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> content(1, 1, 1, Limits.LEASE_MS + 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Contact(Id.ZERO, List.of(Address.v4(0, 5))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> contacts(1, 5)).isInstanceOf(IllegalArgumentException.class);
        Contact nested = new Contact(Id.ZERO, List.of(), contacts(1, 1));
        assertThatThrownBy(() -> new Contact(Id.ZERO, List.of(), List.of(nested)))
                .as("a relay has no relays")
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Contact(Id.ZERO, List.of(), contacts(1, 4)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Contact(Id.ZERO, List.of(), contacts(3, 1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Message.Connect(Id.ZERO, contacts(3, 1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Message.Connected(Message.Relaying.OK, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void relaysAreLeftOutBeforeAddressesAre() {
        List<Contact> hidden = new ArrayList<>();
        for (int i = 0; i < 16; i++) hidden.add(new Contact(Id.random(rng), List.of(), contacts(2, 2)));
        Message.Nodes few = Message.Nodes.fitting(hidden.subList(0, 3));
        assertThat(few.contacts()).isEqualTo(hidden.subList(0, 3));
        byte[] bytes = Rpc.encode(new Rpc(1, few)).toArray();
        assertThat(Rpc.decode(bytes, 0, bytes.length, new Counters())).isEqualTo(new Rpc(1, few));
        Message.Nodes all = Message.Nodes.fitting(hidden);
        assertThat(all.contacts())
                .hasSize(16)
                .allMatch(contact -> contact.relays().isEmpty());
    }

    @Test
    void theAddressAPeerWasHeardAtComesFirst() {
        Contact contact = contacts(1, 4).getFirst();
        Address seen = Address.v4(0x01020304, 9);
        assertThat(contact.heardAt(seen).addresses()).hasSize(4).startsWith(seen);
        assertThat(contact.heardAt(seen).heardAt(seen)).isEqualTo(contact.heardAt(seen));
        assertThat(contact.heardAt(contact.addresses().get(2)).addresses())
                .containsExactlyInAnyOrderElementsOf(contact.addresses());
    }

    private List<Message> all() {
        Message.Held held =
                new Message.Held(record(rng.below(300), 0, rng.nextInt() & 0xffff, 30_000), rng.below(9999));
        return List.of(
                new Message.Ping(),
                new Message.Pong(rng.nextLong() >>> 1),
                new Message.FindNode(Id.random(rng)),
                Message.Nodes.fitting(contacts(rng.below(17), 1 + rng.below(4))),
                new Message.FindValue(Id.random(rng), rng.nextLong()),
                Message.Values.of(List.of(held), contacts(rng.below(17), 2), rng.below(100), rng.nextLong()),
                Message.Values.of(List.of(), contacts(rng.below(17), 2), 0, 0),
                new Message.Store(record(rng.below(701), rng.below(113), 5, 5)),
                new Message.Stored(Message.Verdict.values()[rng.below(4)], rng.nextLong() >>> 1, rng.nextLong() >>> 1),
                new Message.Beat(Id.random(rng), Id.random(rng), rng.nextInt() & 0xff),
                new Message.Beaten(rng.below(2) == 0),
                new Message.DialBack(
                        Address.v4(rng.nextInt() & 0x7fffffff | 1, 1 + rng.below(65_535)),
                        rng.nextLong(),
                        rng.below(2) == 0),
                new Message.DialedBack(Message.Dialed.values()[rng.below(3)]),
                new Message.Reserve(),
                new Message.Reserved(
                        Message.Relaying.values()[rng.below(4)],
                        rng.nextLong() >>> 1,
                        rng.below(1_001),
                        contacts(1, rng.below(5)).getFirst().addresses()),
                new Message.Connect(Id.random(rng), contacts(rng.below(3), 2)),
                new Message.Connected(Message.Relaying.OK, rng.nextLong() | 1),
                new Message.Connected(Message.Relaying.FULL, 0),
                new Message.Punch(
                        contacts(1, rng.below(5)).getFirst().addresses(),
                        rng.below(2) == 0,
                        rng.below(2) == 0,
                        outside()),
                new Message.Punching(contacts(1, rng.below(5)).getFirst().addresses(), outside()));
    }

    private Outside outside() {
        Outside.Allocation allocation = Outside.Allocation.values()[rng.below(6)];
        if (rng.below(2) == 0) return Outside.of(allocation);
        int port = 1 + rng.below(65_535);
        return new Outside(allocation, Address.v4(rng.nextInt() & 0x7fffffff | 1, port), 1 + rng.below(65_536 - port));
    }

    @Test
    void whatIsNoRangeOfPortsIsNotKnown() {
        for (int[] each : new int[][] {{65_000, 537}, {65_000, -1}, {65_000, 0}, {65_000, Integer.MIN_VALUE}}) {
            var expected = mcc.wire.pb.Endpoint.newBuilder()
                    .setIp(ByteString.copyFrom(new byte[] {1, 2, 3, 4}))
                    .setPort(each[0]);
            byte[] bytes = mcc.wire.pb.Rpc.newBuilder()
                    .setPunching(mcc.wire.pb.Punching.newBuilder()
                            .setOutside(mcc.wire.pb.Outside.newBuilder()
                                    .setAllocation(99)
                                    .setExpected(expected)
                                    .setCount(each[1])))
                    .build()
                    .toByteArray();
            Rpc read = Rpc.decode(bytes, 0, bytes.length, new Counters());
            assertThat(((Message.Punching) read.body()).outside()).isEqualTo(Outside.UNKNOWN);
        }
    }

    @Test
    void aDialBackPaysForWhatItCausesAndNamesAHost() {
        var target = mcc.wire.pb.Endpoint.newBuilder().setIp(ByteString.copyFrom(new byte[] {1, 2, 3, 4}));
        ByteString paid = ByteString.copyFrom(new byte[Limits.DIAL_BACK_PADDING_BYTES]);
        assertThat(decoded(target.setPort(5).build(), paid)).isNotNull();
        assertThat(decoded(target.setPort(5).build(), paid.substring(1))).isNull();
        assertThat(decoded(target.setPort(0).build(), paid)).isNull();
        assertThat(decoded(mcc.wire.pb.Endpoint.getDefaultInstance(), paid)).isNull();
    }

    private @Nullable Rpc decoded(mcc.wire.pb.Endpoint target, ByteString padding) {
        byte[] bytes = mcc.wire.pb.Rpc.newBuilder()
                .setDialBack(mcc.wire.pb.DialBack.newBuilder().setTarget(target).setPadding(padding))
                .build()
                .toByteArray();
        return Rpc.decode(bytes, 0, bytes.length, new Counters());
    }

    private List<Contact> contacts(int count, int addresses) {
        List<Contact> out = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<Address> list = new ArrayList<>();
            for (int j = 0; j < addresses; j++) {
                int port = 1 + rng.below(65_535);
                list.add(
                        j % 2 == 0
                                ? new Address(0x20010db8_00000000L, rng.nextLong(), port)
                                : Address.v4(0x0a000000 | rng.below(1 << 24), port));
            }
            out.add(new Contact(Id.random(rng), list));
        }
        return out;
    }

    private Record record(int body, int admit, long seq, long leaseMs) {
        return Record.sign(content(body, admit, seq, leaseMs), NETWORK, _ -> Bytes.owning(rng.bytes(64)));
    }

    private Record.Content content(int body, int admit, long seq, long leaseMs) {
        Id slot = rng.below(2) == 0 ? Id.ZERO : Id.random(rng);
        Bytes admitBytes = Bytes.copyOf(rng.bytes(admit));
        Bytes bodyBytes = Bytes.copyOf(rng.bytes(body));
        return new Record.Content(
                Id.random(rng), Id.random(rng), slot, seq, seq, leaseMs, leaseMs, admitBytes, bodyBytes);
    }
}
