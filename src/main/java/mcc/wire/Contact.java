package mcc.wire;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/**
 * A node and the ways to it.
 *
 * @param node the Ed25519 public key
 * @param addresses best first, at most {@link Limits#CONTACT_ADDRESSES}, unicast, each once; may be empty
 * @param relays that keep a place for it, best first, at most {@link Limits#RELAYS}, each with at most
 *     {@link Limits#RELAY_ADDRESSES} addresses and no relays of its own
 */
public record Contact(Id node, List<Address> addresses, List<Contact> relays) {
    /** A node without relays. */
    public Contact(Id node, List<Address> addresses) {
        this(node, addresses, List.of());
    }

    /** Refuses too many addresses and relays, and addresses to which nothing can be sent. */
    public Contact {
        if (relays.size() > Limits.RELAYS) {
            throw new IllegalArgumentException("a contact has at most " + Limits.RELAYS + " relays");
        }
        for (Contact relay : relays) {
            if (!relay.mayBeRelay()) throw new IllegalArgumentException("a relay has relays, or too many addresses");
        }
        relays = List.copyOf(relays);
        if (addresses.size() > Limits.CONTACT_ADDRESSES) {
            throw new IllegalArgumentException("a contact has at most " + Limits.CONTACT_ADDRESSES + " addresses");
        }
        for (Address address : addresses) {
            if (!address.isUnicast()) throw new IllegalArgumentException("nothing can be sent to " + address);
        }
        addresses = List.copyOf(addresses);
    }

    /** Returns this contact with {@code first} as its best address; the last one is dropped if there are too many. */
    public Contact heardAt(Address first) {
        if (!addresses.isEmpty() && addresses.getFirst().equals(first)) return this;
        if (!first.isUnicast()) return this;
        List<Address> out = new ArrayList<>(Limits.CONTACT_ADDRESSES);
        out.add(first);
        for (Address address : addresses) {
            if (out.size() < Limits.CONTACT_ADDRESSES && !address.equals(first)) out.add(address);
        }
        return new Contact(node, out, relays);
    }

    private boolean mayBeRelay() {
        return relays.isEmpty() && addresses.size() <= Limits.RELAY_ADDRESSES;
    }

    /** Returns this contact as others name it among their relays: with fewer addresses. */
    public Contact asRelay() {
        return new Contact(node, addresses.subList(0, Math.min(addresses.size(), Limits.RELAY_ADDRESSES)));
    }

    /** Returns the size as an element of a repeated field, in bytes. */
    int wireBytes() {
        int n = 2 + Id.BYTES;
        for (Address address : addresses) n += 2 + endpointBytes(address);
        for (Contact relay : relays) n += relay.wireBytes();
        return n + (n < 128 ? 2 : 3);
    }

    /** Returns more than {@link #wireBytes} or as much, whatever the addresses are. */
    int wireBytesMax() {
        int n = 2 + Id.BYTES + (2 + 2 + 16 + 1 + 3) * addresses.size() + 3;
        for (Contact relay : relays) n += relay.wireBytesMax();
        return n;
    }

    private static int endpointBytes(Address address) {
        int port = address.port();
        return 2 + (address.isV4() ? 4 : 16) + 1 + (port < 128 ? 1 : port < 16_384 ? 2 : 3);
    }

    mcc.wire.pb.Contact toProto() {
        var out = mcc.wire.pb.Contact.newBuilder().setNode(Fields.bytes(node));
        for (Address address : addresses) out.addAddresses(endpoint(address));
        for (Contact relay : relays) out.addRelays(relay.toProto());
        return out.build();
    }

    static @Nullable Contact of(mcc.wire.pb.Contact pb) {
        Id node = Fields.id(pb.getNode());
        List<Address> addresses = addresses(pb.getAddressesList());
        List<Contact> relays = relays(pb.getRelaysList());
        return node == null || addresses == null || relays == null ? null : new Contact(node, addresses, relays);
    }

    static @Nullable List<Contact> relays(List<mcc.wire.pb.Contact> list) {
        if (list.size() > Limits.RELAYS) return null;
        List<Contact> out = new ArrayList<>(list.size());
        for (var pb : list) {
            Contact relay = pb.getRelaysCount() > 0 ? null : of(pb);
            if (relay == null || !relay.mayBeRelay()) return null;
            out.add(relay);
        }
        return out;
    }

    static @Nullable List<Address> addresses(List<mcc.wire.pb.Endpoint> endpoints) {
        if (endpoints.size() > Limits.CONTACT_ADDRESSES) return null;
        List<Address> out = new ArrayList<>(endpoints.size());
        for (var endpoint : endpoints) {
            Address address = Address.of(endpoint.getIp().toByteArray(), endpoint.getPort());
            if (address == null || !address.isUnicast()) return null;
            out.add(address);
        }
        return out;
    }

    static mcc.wire.pb.Endpoint endpoint(Address address) {
        return mcc.wire.pb.Endpoint.newBuilder()
                .setIp(ByteString.copyFrom(address.ip()))
                .setPort(address.port())
                .build();
    }
}
