package mcc.portmap;

import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.portmap.PortMapReport.Protocol;
import org.jspecify.annotations.Nullable;

/** Asks by {@link NatPmp}: for the router's external address, then for the mapping. */
final class NatPmpTalk extends Talk {
    private @Nullable Address external;

    NatPmpTalk(long nowNs, Wish wish, Counters counters, Consumer<PortMap.Output> out) {
        super(wish, counters, out);
        ask(nowNs);
    }

    @Override
    Protocol protocol() {
        return Protocol.NAT_PMP;
    }

    @Override
    void send() {
        byte[] request = external == null
                ? NatPmp.address()
                : NatPmp.map(wish.gateway().internal().port(), wish.external().port(), LIFETIME_S);
        out.accept(new PortMap.Output.Send(PortMap.port(wish.gateway().router(), Pcp.PORT), Bytes.owning(request)));
    }

    @Override
    void datagram(long nowNs, Address from, byte[] bytes) {
        if (from.port() != Pcp.PORT) return;
        NatPmp.Response r = NatPmp.response(bytes);
        if (r == null) {
            counters.add("portmap.malformed");
            return;
        }
        Address known = external;
        if (r.isAboutAddress() != (known == null)) return; // a copy that is late
        if (!r.isAboutAddress() && r.result() == NatPmp.OK && r.lifetimeS() == 0) return; // that of an earlier end
        if (r.result() != NatPmp.OK) {
            fail(Failure.REFUSED);
        } else if (known == null) {
            Address said = r.external();
            if (said == null || said.isUnspecified()) {
                fail(Failure.REFUSED);
                return;
            }
            external = said;
            ask(nowNs);
        } else if (r.internalPort() == wish.gateway().internal().port()) {
            grant(PortMap.port(known, r.externalPort()), r.lifetimeS(), null);
        }
    }

    @Override
    void fetched(long nowNs, long ticket, int status, String body) {}
}
