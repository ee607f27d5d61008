package mcc.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import mcc.wire.pb.Control;
import mcc.wire.pb.FindNode;
import mcc.wire.pb.RecordContent;
import org.junit.jupiter.api.Test;

/** What a parser makes of encodings that no writer of ours makes: section 2.4 of {@code docs/protocol.md}. */
class EncodingsTest {
    private static final long TWO_TO_63 = Long.MIN_VALUE;

    private final Rng rng = Rng.seeded(31);
    private final Counters counters = new Counters();
    private final FramesReader frames = new FramesReader();

    // ---- Protobuf's own parsers
    // ---------------------------------------------------------------------------------------

    @Test
    void ofASingularFieldThatComesAgainTheLastCounts() {
        Id first = Id.random(rng);
        Id last = Id.random(rng);
        byte[] twice = join(target(first), target(last));
        assertThat(find(twice)).isEqualTo(new Message.FindNode(last));
        byte[] calls = join(new byte[] {8, 5, 8, 7}, field(4, target(last)));
        assertThat(decode(calls).call()).isEqualTo(7);
    }

    @Test
    void aMessageThatComesAgainIsMergedAndOfAOneofTheLastMemberCounts() {
        Id key = Id.random(rng);
        byte[] halves = join(field(6, join(new byte[] {10, 32}, key.toBytes())), field(6, new byte[] {16, 9}));
        assertThat(decode(halves).body()).isEqualTo(new Message.FindValue(key, 9));
        byte[] members = join(field(4, target(key)), field(2));
        assertThat(decode(members).body()).isEqualTo(new Message.Ping());
    }

    @Test
    void whatIsUnknownIsSkippedAGroupToo() {
        Id target = Id.random(rng);
        byte[] group = HexFormat.of().parseHex("a306" + "0801" + "a406");
        assertThat(find(join(group, target(target)))).isEqualTo(new Message.FindNode(target));
        byte[] open = HexFormat.of().parseHex("a306" + "0801");
        assertThat(Rpc.decode(join(field(2), open), 0, 6, counters)).isNull();
        assertThat(Rpc.decode(new byte[] {0x12, 0, 0, 0}, 0, 4, counters))
                .as("field 0")
                .isNull();
    }

    @Test
    void aMemberOfAOneofIsThereThoughItsValueIsNothing() {
        byte[] close = Frames.control(Control.newBuilder().setClose(0).build().toByteArray());
        assertThat(close).isEqualTo(new byte[] {0x7a, 2, 0x28, 0});
        Control nothing = Handshakes.control(new byte[0], 0, 0);
        assertThat(nothing.getKindCase()).as("a close must be written").isEqualTo(Control.KindCase.KIND_NOT_SET);
        assertThat(Rpc.encode(new Rpc(1, new Message.Ping())).toArray()).isEqualTo(new byte[] {8, 1, 0x12, 0});
        assertThat(Rpc.decode(new byte[] {8, 1}, 0, 2, counters))
                .as("without a body")
                .isNull();
    }

    // ---- numbers and sizes of records
    // ---------------------------------------------------------------------------------

    @Test
    void aRecordBeyondAnyLimitIsNoRpcAndGetsNoAnswer() {
        assertThat(store(_ -> {})).as("within them").isNotNull();
        assertThat(store(c -> c.setSeq(Long.MAX_VALUE).setIssuedAtMs(Long.MAX_VALUE)))
                .isNotNull();
        List<Consumer<RecordContent.Builder>> wrong = List.of(
                c -> c.setVersion(2),
                c -> c.clearKey(),
                c -> c.setWriter(ByteString.copyFrom(new byte[31])),
                c -> c.setSlot(ByteString.copyFrom(new byte[33])),
                c -> c.setSeq(TWO_TO_63),
                c -> c.setIssuedAtMs(TWO_TO_63),
                c -> c.setLeaseMs(Limits.LEASE_MS + 1),
                c -> c.setLeaseMs(TWO_TO_63),
                c -> c.setBeatMs(Limits.LEASE_MS + 1),
                c -> c.setAdmit(ByteString.copyFrom(new byte[Limits.ADMIT_BYTES + 1])),
                c -> c.setBody(ByteString.copyFrom(new byte[Limits.BODY_BYTES + 1])),
                c -> c.setBody(ByteString.copyFrom(new byte[Limits.BODY_BYTES]))
                        .setAdmit(ByteString.copyFrom(new byte[Limits.ADMIT_BYTES]))
                        .setUnknownFields(com.google.protobuf.UnknownFieldSet.newBuilder()
                                .addField(
                                        99,
                                        com.google.protobuf.UnknownFieldSet.Field.newBuilder()
                                                .addLengthDelimited(ByteString.copyFrom(new byte[60]))
                                                .build())
                                .build()));
        for (int i = 0; i < wrong.size(); i++)
            assertThat(store(wrong.get(i))).as("case " + i).isNull();
        assertThat(counters.value("wire.rpcMalformed")).isEqualTo(wrong.size());
        var shortSignature = mcc.wire.pb.Rpc.newBuilder();
        shortSignature
                .getStoreBuilder()
                .getRecordBuilder()
                .setContent(content().build().toByteString());
        assertThat(decoded(shortSignature)).isNull();
    }

    @Test
    void otherNumbersOfAnRpcAreBelowTwoToThe63AsWell() {
        ByteString id = ByteString.copyFrom(Id.random(rng).toBytes());
        var beat = mcc.wire.pb.Rpc.newBuilder();
        beat.getBeatBuilder().setKey(id).setSlot(id).setSeq(TWO_TO_63);
        var pong = mcc.wire.pb.Rpc.newBuilder();
        pong.getPongBuilder().setClockMs(TWO_TO_63);
        var stored = mcc.wire.pb.Rpc.newBuilder();
        stored.getStoredBuilder().setVerdictValue(2).setNewest(TWO_TO_63);
        var total = mcc.wire.pb.Rpc.newBuilder();
        total.getValuesBuilder().setTotal(Integer.MIN_VALUE);
        for (var rpc : List.of(beat, pong, stored, total))
            assertThat(decoded(rpc)).isNull();
        beat.getBeatBuilder().setSeq(Long.MAX_VALUE);
        assertThat(decoded(beat)).isNotNull();
        beat.setCall(-1);
        assertThat(decoded(beat).call()).as("any 64 bits").isEqualTo(-1);
        stored.getStoredBuilder().setNewest(1).setVerdictValue(5);
        assertThat(decoded(stored)).as("an unknown verdict").isNull();
    }

    // ---- providers
    // ----------------------------------------------------------------------------------------------------

    @Test
    void metaIsTakenInAnyOrderAndOfTwoEntriesTheLastCounts() {
        var pb = mcc.wire.pb.Provider.newBuilder()
                .setRegistration(ByteString.copyFrom(Id.random(rng).toBytes()))
                .setNode(ByteString.copyFrom(Id.random(rng).toBytes()))
                .setProtocolValue(1)
                .setWeight(1)
                .setOrg("open")
                .setService("web");
        for (String entry : List.of("z=1", "a=2", "z=3")) {
            pb.addMetaBuilder().setKey(entry.substring(0, 1)).setValue(entry.substring(2));
        }
        Id slot = Id.random(rng);
        Provider read = Provider.parse(slot, Bytes.owning(pb.build().toByteArray()));
        assertThat(read).isNotNull();
        assertThat(read.meta()).containsExactly(java.util.Map.entry("z", "3"), java.util.Map.entry("a", "2"));
        byte[] latin = join(pb.build().toByteArray(), field(10, new byte[] {(byte) 0xfc}));
        assertThat(Provider.parse(slot, Bytes.owning(latin)))
                .as("text is UTF-8")
                .isNull();
        pb.setProtocolValue(4);
        assertThat(Provider.parse(slot, Bytes.owning(pb.build().toByteArray())))
                .as("an unknown protocol")
                .isNull();
    }

    // ---- frames
    // -------------------------------------------------------------------------------------------------------

    @Test
    void ofAFieldThatComesAgainInAFrameTheLastCounts() {
        assertThat(walk("0801" + "2208" + "0802" + "0804" + "2200" + "2200")).isTrue();
        assertThat(frames.value()).isEqualTo(4);
        assertThat(walk("0801" + "2a06" + "0802" + "1003" + "1005")).isTrue();
        assertThat(frames.offset()).isEqualTo(5);
    }

    @Test
    void groupsFieldZeroAndOtherWireTypesMakeAPacketMalformed() {
        assertThat(walk("0801" + "5001")).isTrue();
        for (String bad : List.of(
                "0801" + "a306" + "a406", // an unknown group
                "0801" + "a406",
                "0801" + "a606", // wire types 6 and 7
                "0801" + "a706",
                "0801" + "0001", // field 0
                "0801" + "0200",
                "0801" + "55" + "00000000", // ping as fixed32
                "0801" + "3201" + "05", // max_data as bytes
                "0801" + "2202" + "0d00", // an id as fixed32, cut off
                "0801" + "2204" + "0802" + "0001", // field 0 within a frame
                "0801" + "2204" + "0802" + "2b2c")) { // a group within a frame
            assertThat(walk(bad)).as(bad).isFalse();
        }
        assertThat(walk("0801" + "2205" + "0802" + "2d" + "00"))
                .as("an unknown fixed32 within a frame, cut off")
                .isFalse();
        assertThat(walk("0801" + "2207" + "0802" + "2d" + "00000000"))
                .as("whole, it is skipped")
                .isTrue();
    }

    /** Whether the packet is well-formed; the reader then stands at its last frame. */
    private boolean walk(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        frames.begin(bytes, 0, bytes.length);
        while (frames.next()) continue;
        return !frames.malformed();
    }

    // ---- by hand
    // ------------------------------------------------------------------------------------------------------

    private RecordContent.Builder content() {
        return RecordContent.newBuilder()
                .setVersion(1)
                .setKey(ByteString.copyFrom(new byte[32]))
                .setWriter(ByteString.copyFrom(new byte[32]))
                .setSeq(1)
                .setIssuedAtMs(1)
                .setLeaseMs(Limits.LEASE_MS)
                .setBeatMs(Limits.LEASE_MS);
    }

    private Rpc store(Consumer<RecordContent.Builder> change) {
        RecordContent.Builder content = content();
        change.accept(content);
        var rpc = mcc.wire.pb.Rpc.newBuilder();
        rpc.getStoreBuilder()
                .getRecordBuilder()
                .setContent(content.build().toByteString())
                .setSignature(ByteString.copyFrom(new byte[64]));
        return decoded(rpc);
    }

    private Rpc decoded(mcc.wire.pb.Rpc.Builder rpc) {
        byte[] bytes = rpc.build().toByteArray();
        return Rpc.decode(bytes, 0, bytes.length, counters);
    }

    private Rpc decode(byte[] bytes) {
        Rpc rpc = Rpc.decode(bytes, 0, bytes.length, counters);
        assertThat(rpc).isNotNull();
        return rpc;
    }

    private Message find(byte[] findNode) {
        return decode(field(4, findNode)).body();
    }

    private static byte[] target(Id target) {
        return FindNode.newBuilder()
                .setTarget(ByteString.copyFrom(target.toBytes()))
                .build()
                .toByteArray();
    }

    private static byte[] field(int number, byte... value) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            CodedOutputStream coded = CodedOutputStream.newInstance(out);
            coded.writeByteArray(number, value);
            coded.flush();
            return out.toByteArray();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] join(byte[] a, byte[] b) {
        byte[] out = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, out, a.length, b.length);
        return out;
    }
}
