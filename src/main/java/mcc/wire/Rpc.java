package mcc.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Invariant;
import org.jspecify.annotations.Nullable;

/**
 * One request or answer with its call number.
 *
 * @param call drawn by the asker; the answer carries the same number
 * @param leaf whether the sender says that strangers do not reach it
 */
public record Rpc(long call, Message body, boolean leaf) {
    private static final ByteString DIAL_BACK_PADDING = ByteString.copyFrom(new byte[Limits.DIAL_BACK_PADDING_BYTES]);

    /** Without a word about who reaches the sender. */
    public Rpc(long call, Message body) {
        this(call, body, false);
    }

    /** Returns the encoded form, at most {@link Limits#RPC_BYTES} bytes. */
    public static Bytes encode(Rpc rpc) {
        var out = mcc.wire.pb.Rpc.newBuilder().setCall(rpc.call).setLeaf(rpc.leaf);
        switch (rpc.body) {
            case Message.Ping _ -> out.setPing(mcc.wire.pb.Ping.getDefaultInstance());
            case Message.Pong m -> out.getPongBuilder().setClockMs(m.clockMs());
            case Message.FindNode m -> out.getFindNodeBuilder().setTarget(Fields.bytes(m.target()));
            case Message.Nodes m -> out.setNodes(proto(m));
            case Message.FindValue m ->
                out.getFindValueBuilder().setKey(Fields.bytes(m.key())).setCursor(m.cursor());
            case Message.Values m -> out.setValues(proto(m));
            case Message.Store m -> out.getStoreBuilder().setRecord(m.record().toProto());
            case Message.Stored m ->
                out.getStoredBuilder()
                        .setVerdict(proto(m.verdict()))
                        .setNewest(m.newest())
                        .setClockMs(m.clockMs());
            case Message.Beat m ->
                out.getBeatBuilder()
                        .setKey(Fields.bytes(m.key()))
                        .setSlot(Fields.bytes(m.slot()))
                        .setSeq(m.seq());
            case Message.Beaten m -> out.getBeatenBuilder().setKnown(m.known());
            case Message.DialBack m ->
                out.getDialBackBuilder()
                        .setTarget(Handshakes.endpoint(m.target()))
                        .setNonce(m.nonce())
                        .setOtherPort(m.otherPort())
                        .setPadding(DIAL_BACK_PADDING);
            case Message.DialedBack m -> out.getDialedBackBuilder().setResult(proto(m.result()));
            case Message.Reserve _ -> out.setReserve(mcc.wire.pb.Reserve.getDefaultInstance());
            case Message.Reserved m -> out.setReserved(proto(m));
            case Message.Connect m -> out.setConnect(proto(m));
            case Message.Connected m ->
                out.getConnectedBuilder().setVerdict(proto(m.verdict())).setCircuit(m.circuit());
            case Message.Punch m -> {
                var punch = out.getPunchBuilder()
                        .setReady(m.ready())
                        .setGo(m.go())
                        .setOutside(m.outside().proto());
                for (Address each : m.candidates()) punch.addCandidates(Contact.endpoint(each));
            }
            case Message.Punching m -> {
                var punching = out.getPunchingBuilder().setOutside(m.outside().proto());
                for (Address each : m.candidates()) punching.addCandidates(Contact.endpoint(each));
            }
        }
        byte[] bytes = out.build().toByteArray();
        Invariant.check(bytes.length <= Limits.RPC_BYTES, "an Rpc fits its limit");
        return Bytes.owning(bytes);
    }

    /** Decodes {@code len} bytes; null, counted as {@code wire.rpcMalformed}, when they are not a well-formed Rpc. */
    public static @Nullable Rpc decode(byte[] buf, int off, int len, Counters counters) {
        Rpc rpc = len > Limits.RPC_BYTES ? null : parse(buf, off, len);
        if (rpc == null) counters.add("wire.rpcMalformed");
        return rpc;
    }

    private static @Nullable Rpc parse(byte[] buf, int off, int len) {
        try {
            CodedInputStream in = CodedInputStream.newInstance(buf, off, len);
            in.setRecursionLimit(8);
            var pb = mcc.wire.pb.Rpc.parseFrom(in);
            Message body = body(pb);
            return body == null ? null : new Rpc(pb.getCall(), body, pb.getLeaf());
        } catch (IOException _) {
            return null; // Not protobuf: counted by the caller.
        } catch (IllegalArgumentException _) {
            return null; // A list that fits only in a denser encoding than ours, or a number out of its range.
        }
    }

    private static @Nullable Message body(mcc.wire.pb.Rpc pb) {
        return switch (pb.getBodyCase()) {
            case PING -> new Message.Ping();
            case PONG -> new Message.Pong(pb.getPong().getClockMs());
            case FIND_NODE -> findNode(pb.getFindNode());
            case NODES -> nodes(pb.getNodes());
            case FIND_VALUE -> findValue(pb.getFindValue());
            case VALUES -> values(pb.getValues());
            case STORE -> store(pb.getStore());
            case STORED -> stored(pb.getStored());
            case BEAT -> beat(pb.getBeat());
            case BEATEN -> new Message.Beaten(pb.getBeaten().getKnown());
            case DIAL_BACK -> dialBack(pb.getDialBack());
            case DIALED_BACK -> dialedBack(pb.getDialedBack());
            case RESERVE -> new Message.Reserve();
            case RESERVED -> reserved(pb.getReserved());
            case CONNECT -> connect(pb.getConnect());
            case CONNECTED -> connected(pb.getConnected());
            case PUNCH -> punch(pb.getPunch());
            case PUNCHING -> punching(pb.getPunching());
            case BODY_NOT_SET -> null;
        };
    }

    private static @Nullable Message findNode(mcc.wire.pb.FindNode pb) {
        Id target = Fields.id(pb.getTarget());
        return target == null ? null : new Message.FindNode(target);
    }

    private static @Nullable Message findValue(mcc.wire.pb.FindValue pb) {
        Id key = Fields.id(pb.getKey());
        return key == null ? null : new Message.FindValue(key, pb.getCursor());
    }

    private static @Nullable Message nodes(mcc.wire.pb.Nodes pb) {
        List<Contact> contacts = contacts(pb.getContactsList());
        return contacts == null ? null : new Message.Nodes(contacts);
    }

    private static @Nullable List<Contact> contacts(List<mcc.wire.pb.Contact> list) {
        List<Contact> out = new ArrayList<>(Math.min(list.size(), Limits.CONTACTS));
        if (list.size() > Limits.CONTACTS) return null;
        for (var pb : list) {
            Contact contact = Contact.of(pb);
            if (contact == null) return null;
            out.add(contact);
        }
        return out;
    }

    private static @Nullable Message values(mcc.wire.pb.Values pb) {
        List<Contact> contacts = contacts(pb.getContactsList());
        if (contacts == null || pb.getRecordsCount() > Limits.RECORDS) return null;
        List<Message.Held> records = new ArrayList<>(pb.getRecordsCount());
        for (var held : pb.getRecordsList()) {
            Record record = Record.of(held.getRecord());
            if (record == null) return null;
            records.add(new Message.Held(record, held.getBeatAgeMs()));
        }
        return new Message.Values(records, contacts, pb.getTotal(), pb.getCursor());
    }

    private static @Nullable Message punch(mcc.wire.pb.Punch pb) {
        List<Address> candidates = Contact.addresses(pb.getCandidatesList());
        return candidates == null
                ? null
                : new Message.Punch(candidates, pb.getReady(), pb.getGo(), Outside.of(pb.getOutside()));
    }

    private static @Nullable Message punching(mcc.wire.pb.Punching pb) {
        List<Address> candidates = Contact.addresses(pb.getCandidatesList());
        return candidates == null ? null : new Message.Punching(candidates, Outside.of(pb.getOutside()));
    }

    private static @Nullable Message reserved(mcc.wire.pb.Reserved pb) {
        Message.Relaying verdict = relaying(pb.getVerdict());
        List<Address> addresses = Contact.addresses(pb.getAddressesList());
        if (verdict == null || addresses == null || pb.getLeaseMs() < 0) return null;
        int load = Math.clamp(pb.getLoad() & 0xffff_ffffL, 0, 1_000);
        return new Message.Reserved(verdict, pb.getLeaseMs(), load, addresses);
    }

    private static @Nullable Message connect(mcc.wire.pb.Connect pb) {
        Id to = Fields.id(pb.getTo());
        List<Contact> via = Contact.relays(pb.getViaList());
        return to == null || via == null ? null : new Message.Connect(to, via);
    }

    private static @Nullable Message connected(mcc.wire.pb.Connected pb) {
        Message.Relaying verdict = relaying(pb.getVerdict());
        return verdict == null ? null : new Message.Connected(verdict, pb.getCircuit());
    }

    private static mcc.wire.pb.Reserved proto(Message.Reserved m) {
        var out = mcc.wire.pb.Reserved.newBuilder()
                .setVerdict(proto(m.verdict()))
                .setLeaseMs(m.leaseMs())
                .setLoad(m.load());
        for (Address address : m.addresses()) out.addAddresses(Contact.endpoint(address));
        return out.build();
    }

    private static mcc.wire.pb.Connect proto(Message.Connect m) {
        var out = mcc.wire.pb.Connect.newBuilder().setTo(Fields.bytes(m.to()));
        for (Contact relay : m.via()) out.addVia(relay.toProto());
        return out.build();
    }

    private static Message.@Nullable Relaying relaying(mcc.wire.pb.Relaying verdict) {
        return switch (verdict) {
            case OK -> Message.Relaying.OK;
            case RELAYING_FULL -> Message.Relaying.FULL;
            case REFUSED -> Message.Relaying.REFUSED;
            case NOT_HERE -> Message.Relaying.NOT_HERE;
            case RELAYING_UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }

    private static mcc.wire.pb.Relaying proto(Message.Relaying verdict) {
        return switch (verdict) {
            case OK -> mcc.wire.pb.Relaying.OK;
            case FULL -> mcc.wire.pb.Relaying.RELAYING_FULL;
            case REFUSED -> mcc.wire.pb.Relaying.REFUSED;
            case NOT_HERE -> mcc.wire.pb.Relaying.NOT_HERE;
        };
    }

    private static mcc.wire.pb.Nodes proto(Message.Nodes m) {
        var out = mcc.wire.pb.Nodes.newBuilder();
        for (Contact contact : m.contacts()) out.addContacts(contact.toProto());
        return out.build();
    }

    private static mcc.wire.pb.Values proto(Message.Values m) {
        var out = mcc.wire.pb.Values.newBuilder().setTotal(m.total()).setCursor(m.cursor());
        for (Message.Held held : m.records()) {
            out.addRecordsBuilder().setRecord(held.record().toProto()).setBeatAgeMs(held.beatAgeMs());
        }
        for (Contact contact : m.contacts()) out.addContacts(contact.toProto());
        return out.build();
    }

    private static @Nullable Message store(mcc.wire.pb.Store pb) {
        Record record = Record.of(pb.getRecord());
        return record == null ? null : new Message.Store(record);
    }

    private static @Nullable Message beat(mcc.wire.pb.Beat pb) {
        Id key = Fields.id(pb.getKey());
        Id slot = Fields.id(pb.getSlot());
        return key == null || slot == null ? null : new Message.Beat(key, slot, pb.getSeq());
    }

    private static @Nullable Message dialBack(mcc.wire.pb.DialBack pb) {
        Address target = Handshakes.address(pb.getTarget());
        boolean paid = pb.getPadding().size() >= Limits.DIAL_BACK_PADDING_BYTES;
        return target == null || !paid ? null : new Message.DialBack(target, pb.getNonce(), pb.getOtherPort());
    }

    private static @Nullable Message dialedBack(mcc.wire.pb.DialedBack pb) {
        return switch (pb.getResult()) {
            case SENT -> new Message.DialedBack(Message.Dialed.SENT);
            case REFUSED -> new Message.DialedBack(Message.Dialed.REFUSED);
            case BUSY -> new Message.DialedBack(Message.Dialed.BUSY);
            case UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }

    private static mcc.wire.pb.DialedBack.Result proto(Message.Dialed result) {
        return switch (result) {
            case SENT -> mcc.wire.pb.DialedBack.Result.SENT;
            case REFUSED -> mcc.wire.pb.DialedBack.Result.REFUSED;
            case BUSY -> mcc.wire.pb.DialedBack.Result.BUSY;
        };
    }

    private static @Nullable Message stored(mcc.wire.pb.Stored pb) {
        Message.Verdict verdict = switch (pb.getVerdict()) {
            case KEPT -> Message.Verdict.KEPT;
            case OLD -> Message.Verdict.OLD;
            case INVALID -> Message.Verdict.INVALID;
            case FULL -> Message.Verdict.FULL;
            case UNSPECIFIED, UNRECOGNIZED -> null;
        };
        return verdict == null ? null : new Message.Stored(verdict, pb.getNewest(), pb.getClockMs());
    }

    private static mcc.wire.pb.Stored.Verdict proto(Message.Verdict verdict) {
        return switch (verdict) {
            case KEPT -> mcc.wire.pb.Stored.Verdict.KEPT;
            case OLD -> mcc.wire.pb.Stored.Verdict.OLD;
            case INVALID -> mcc.wire.pb.Stored.Verdict.INVALID;
            case FULL -> mcc.wire.pb.Stored.Verdict.FULL;
        };
    }
}
