package mcc.portmap;

import java.util.function.Consumer;
import mcc.core.Address;
import mcc.core.Bytes;
import mcc.core.Counters;
import mcc.portmap.PortMapReport.Protocol;

/** Asks by {@link Pcp}. */
final class PcpTalk extends Talk {
    PcpTalk(long nowNs, Wish wish, Counters counters, Consumer<PortMap.Output> out) {
        super(wish, counters, out);
        ask(nowNs);
    }

    @Override
    Protocol protocol() {
        return Protocol.PCP;
    }

    @Override
    void send() {
        out.accept(new PortMap.Output.Send(
                PortMap.port(wish.gateway().router(), Pcp.PORT),
                Bytes.owning(Pcp.map(wish.nonce(), wish.gateway().internal(), wish.external(), LIFETIME_S))));
    }

    @Override
    void datagram(long nowNs, Address from, byte[] bytes) {
        if (from.port() != Pcp.PORT) return;
        if (NatPmp.isUnsupportedVersion(bytes)) {
            fail(Failure.SILENT);
            return;
        }
        Pcp.Response r = Pcp.response(bytes, wish.nonce(), wish.gateway().internal());
        if (r == null) {
            counters.add("portmap.malformed");
            return;
        }
        boolean isOfAnEnd = r.result() == Pcp.OK && r.lifetimeS() == 0; // the answer to an earlier request
        if (r.isAnnouncement() || isOfAnEnd) return;
        Address external = r.external();
        if (external != null) grant(external, r.lifetimeS(), null);
        else if (r.result() == Pcp.ADDRESS_MISMATCH) fail(Failure.SECOND_NAT);
        else fail(r.result() == Pcp.UNSUPPORTED_VERSION ? Failure.SILENT : Failure.REFUSED);
    }

    @Override
    void fetched(long nowNs, long ticket, int status, String body) {}
}
