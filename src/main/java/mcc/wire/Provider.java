package mcc.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * The offer of one service by one node, the body of a {@link Record}.
 *
 * @param endpoint the instance's ID; it is the record's slot, so it is not in the body
 * @param node the node that offers it
 * @param registration SHA-256(registration ID): together with the node it proves the endpoint ID
 * @param addresses of that node, at most {@link Limits#CONTACT_ADDRESSES}
 * @param relays by which it is reached where its addresses do not answer, at most {@link Limits#RELAYS}, each with at most
 *     one address
 * @param protocol of the first port
 * @param ports unknown if the node has an earlier version
 * @param weight 1 to 1,000
 * @param loadPermille from 0 (idle) to 1,000 (full)
 * @param tags at most 8 of at most 32 bytes
 * @param meta at most 8, names to 32 and values to 64 bytes, in the order of the encoding
 * @param org the organisation's name, at most 63 bytes
 * @param service the service's name within it, at most 63 bytes
 */
public record Provider(
        Id endpoint,
        Id node,
        Id registration,
        List<Address> addresses,
        List<Contact> relays,
        Protocol protocol,
        Ports ports,
        int weight,
        int loadPermille,
        List<String> tags,
        Map<String, String> meta,
        String org,
        String service) {
    /** Most tags, and most entries of meta. */
    public static final int LABELS = 8;
    /** Largest tag or name in meta, in bytes of UTF-8. */
    public static final int LABEL_BYTES = 32;
    /** Largest value in meta, in bytes of UTF-8. */
    public static final int VALUE_BYTES = 64;
    /** Largest weight. */
    public static final int WEIGHT = 1_000;
    /**
     * Space for all tags, meta and ports together, so that the whole fits one record: 4 bytes more per tag, 8 more per entry
     * of meta, and {@link Ports#RANGE_BYTES} for each range after the first.
     */
    public static final int LABELS_BYTES = 360;

    private static final int NAME_BYTES = 63;

    /** The protocol spoken at a port. */
    public enum Protocol {
        TCP,
        UDP,
        HTTP
    }

    /** Without relays. */
    public Provider(
            Id endpoint,
            Id node,
            Id registration,
            List<Address> addresses,
            Protocol protocol,
            Ports ports,
            int weight,
            int loadPermille,
            List<String> tags,
            Map<String, String> meta,
            String org,
            String service) {
        this(
                endpoint,
                node,
                registration,
                addresses,
                List.of(),
                protocol,
                ports,
                weight,
                loadPermille,
                tags,
                meta,
                org,
                service);
    }

    /** Copies the collections; refuses what is out of range. */
    public Provider {
        addresses = List.copyOf(addresses);
        relays = List.copyOf(relays);
        if (relays.size() > Limits.RELAYS
                || relays.stream().anyMatch(r -> r.addresses().size() > 1)) {
            throw new IllegalArgumentException("too many relays, or addresses of one");
        }
        tags = List.copyOf(tags);
        meta = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(meta));
        if (!isValid(addresses, weight, loadPermille, tags, meta)
                || labelsBytes(tags, meta, ports) > LABELS_BYTES
                || ports.isKnown() && ports.ranges().getFirst().protocol() != protocol
                || bytes(org) > NAME_BYTES
                || bytes(service) > NAME_BYTES) {
            throw new IllegalArgumentException("a provider out of range");
        }
    }

    /** Whether it has this port, as far as is known; 0 means any port of the protocol. */
    public boolean has(boolean udp, int port) {
        return ports.isKnown() ? ports.choose(udp, port) != 0 : udp == (protocol == Protocol.UDP);
    }

    private static boolean isValid(
            List<Address> addresses, int weight, int load, List<String> tags, Map<String, String> meta) {
        return addresses.size() <= Limits.CONTACT_ADDRESSES
                && weight >= 1
                && weight <= WEIGHT
                && load >= 0
                && load <= 1_000
                && tags.size() <= LABELS
                && meta.size() <= LABELS
                && tags.stream().allMatch(t -> bytes(t) <= LABEL_BYTES)
                && meta.entrySet().stream()
                        .allMatch(e -> bytes(e.getKey()) <= LABEL_BYTES && bytes(e.getValue()) <= VALUE_BYTES);
    }

    /** Returns the same offer with another load. */
    public Provider withLoad(int permille) {
        return new Provider(
                endpoint,
                node,
                registration,
                addresses,
                relays,
                protocol,
                ports,
                weight,
                permille,
                tags,
                meta,
                org,
                service);
    }

    /** Returns the same offer at other addresses and relays: as many of them as fit one record, the best first. */
    public Provider at(List<Address> addresses, List<Contact> relays) {
        List<Contact> near = new ArrayList<>();
        for (Contact relay : relays) {
            near.add(new Contact(
                    relay.node(),
                    relay.addresses().subList(0, Math.min(1, relay.addresses().size()))));
        }
        List<Address> own = new ArrayList<>(addresses);
        while (true) {
            Provider out = new Provider(
                    endpoint,
                    node,
                    registration,
                    own,
                    near,
                    protocol,
                    ports,
                    weight,
                    loadPermille,
                    tags,
                    meta,
                    org,
                    service);
            if (near.isEmpty() || out.encode().size() <= Limits.BODY_BYTES) return out;
            if (own.size() > 1) own.removeLast();
            else near.removeLast();
        }
    }

    /** Returns how much of {@link #LABELS_BYTES} tags, meta and ports take. */
    public static int labelsBytes(List<String> tags, Map<String, String> meta, Ports ports) {
        int n = ports.moreBytes();
        for (String tag : tags) n += 4 + bytes(tag);
        for (var entry : meta.entrySet()) n += 8 + bytes(entry.getKey()) + bytes(entry.getValue());
        return n;
    }

    private static int bytes(String text) {
        return Bytes.utf8(text).size();
    }

    /** Returns the encoded form, at most {@link Limits#BODY_BYTES}. */
    public Bytes encode() {
        var out = mcc.wire.pb.Provider.newBuilder()
                .setRegistration(Fields.bytes(registration))
                .setNode(Fields.bytes(node))
                .setProtocol(encode(protocol))
                .addAllPorts(ports.encode())
                .setWeight(weight)
                .setLoadPermille(loadPermille)
                .addAllTags(tags)
                .setOrg(org)
                .setService(service);
        for (Address address : addresses) out.addAddresses(Contact.endpoint(address));
        for (Contact relay : relays) out.addRelays(relay.toProto());
        meta.forEach((key, value) -> out.addMetaBuilder().setKey(key).setValue(value));
        return Bytes.owning(out.build().toByteArray());
    }

    static mcc.wire.pb.Provider.Protocol encode(Protocol protocol) {
        return switch (protocol) {
            case TCP -> mcc.wire.pb.Provider.Protocol.TCP;
            case UDP -> mcc.wire.pb.Provider.Protocol.UDP;
            case HTTP -> mcc.wire.pb.Provider.Protocol.HTTP;
        };
    }

    static @Nullable Protocol decode(mcc.wire.pb.Provider.Protocol protocol) {
        return switch (protocol) {
            case TCP -> Protocol.TCP;
            case UDP -> Protocol.UDP;
            case HTTP -> Protocol.HTTP;
            case UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }

    /** Parses the encoded form, found under the slot {@code endpoint}; null if it is malformed. */
    public static @Nullable Provider parse(Id endpoint, Bytes body) {
        try {
            return of(endpoint, mcc.wire.pb.Provider.parseFrom(body.toArray()));
        } catch (InvalidProtocolBufferException | IllegalArgumentException _) {
            return null; // Not protobuf, or out of range: the caller counts it.
        }
    }

    private static @Nullable Provider of(Id endpoint, mcc.wire.pb.Provider pb) {
        Id node = Fields.id(pb.getNode());
        Id registration = Fields.id(pb.getRegistration());
        List<Address> addresses = Contact.addresses(pb.getAddressesList());
        List<Contact> relays = Contact.relays(pb.getRelaysList());
        Protocol protocol = decode(pb.getProtocol());
        if (node == null || registration == null || addresses == null || relays == null || protocol == null)
            return null;
        if (pb.getMetaCount() > LABELS) return null;
        Map<String, String> meta = new LinkedHashMap<>();
        for (var entry : pb.getMetaList()) meta.put(entry.getKey(), entry.getValue());
        int load = pb.getLoadPermille();
        List<String> tags = new ArrayList<>(pb.getTagsList());
        return new Provider(
                endpoint,
                node,
                registration,
                addresses,
                relays,
                protocol,
                Ports.decode(pb.getPortsList()),
                pb.getWeight(),
                load,
                tags,
                meta,
                pb.getOrg(),
                pb.getService());
    }
}
