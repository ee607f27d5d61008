package mcc.portmap;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Bytes;

/** A router in virtual time, by whose script it speaks some protocols, lies, or is silent. Written from the specifications. */
final class FakeRouter {
    static final Address IP = Address.parse("192.168.1.1:0");
    static final Address PUBLIC = Address.parse("203.0.113.7:0");

    boolean pcp = true;
    boolean pmp = true;
    boolean upnp = true;
    Address external = PUBLIC;
    int pcpResult;
    int pmpResult;
    /** What it grants at most, in seconds. */
    long lifetimeS = 7_200;
    /** What it adds to the port that is wished for. */
    int shift;
    /** Errors that UPnP says to the next calls for a mapping. */
    final List<Integer> upnpErrors = new ArrayList<>();

    int igd = 2;
    String controlUrl = "/ctl/IPConn";
    String locationHost = "192.168.1.1:5000";
    boolean garbage;
    long startedNs;
    /** The mappings that it has: internal port by external port. */
    final Map<Integer, Integer> mappings = new LinkedHashMap<>();
    /** What it was asked: a word for each request. */
    final List<String> asked = new ArrayList<>();
    /** The nonce by which the mappings were made. */
    Bytes nonce = Bytes.EMPTY;

    /** An answer by HTTP. */
    record Page(int status, String body) {}

    void restart(long nowNs) {
        startedNs = nowNs;
        mappings.clear();
    }

    private int epochS(long nowNs) {
        return (int) ((nowNs - startedNs) / 1_000_000_000L);
    }

    /** The answer to a datagram, and from which port; null for silence. */
    PortMap.Input datagram(long nowNs, Address to, byte[] b) {
        if (to.equals(Upnp.SSDP)) {
            asked.add("search");
            assertSearch(new String(b, StandardCharsets.US_ASCII));
            if (!upnp) return null;
            String text = garbage
                    ? "HTTP/1.1 200 OK\r\nLOCATION: nowhere\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: x\r\nLocation: http://" + locationHost
                            + "/rootDesc.xml\r\n\r\n";
            return answer(1_900, text.getBytes(StandardCharsets.US_ASCII));
        }
        if (!to.sameIp(IP) || to.port() != 5351) throw new AssertionError("sent to a stranger: " + to);
        if (b[0] == 2) return pcp(nowNs, b);
        return pmp(nowNs, b);
    }

    private static void assertSearch(String text) {
        if (!text.contains("MAN: \"ssdp:discover\"\r\n")) throw new AssertionError(text);
    }

    private PortMap.Input pcp(long nowNs, byte[] b) {
        asked.add(Pcp.get32(b, 4) == 0 ? "pcp end" : "pcp map");
        if (!pcp && pmp) return answer(5351, new byte[] {0, (byte) 0x80, 0, 1, 0, 0, 0, 0});
        if (!pcp) return null;
        byte[] out = b.clone();
        out[1] |= (byte) 0x80;
        out[3] = (byte) pcpResult;
        Pcp.put32(out, 8, epochS(nowNs));
        int internal = Pcp.get16(b, 40);
        int port = Pcp.get16(b, 42) + shift;
        nonce = Bytes.copyOf(b, 24, 12);
        long lifetime = Math.min(lifetimeS, Pcp.get32(b, 4));
        Pcp.put32(out, 4, lifetime);
        Pcp.put16(out, 42, port);
        Pcp.put32(out, 56, external.v4Bits() & 0xffffffffL);
        out[54] = out[55] = (byte) 0xff;
        if (pcpResult == 0 && lifetime == 0) mappings.values().removeIf(p -> p == internal);
        else if (pcpResult == 0) mappings.put(port, internal);
        if (garbage) out[30] ^= 1; // another nonce
        return answer(5351, out);
    }

    private PortMap.Input pmp(long nowNs, byte[] b) {
        boolean address = b[1] == 0;
        asked.add(address ? "pmp address" : Pcp.get32(b, 8) == 0 ? "pmp end" : "pmp map");
        if (!pmp) return null;
        byte[] out = new byte[address ? 12 : 16];
        out[1] = (byte) (0x80 | b[1]);
        Pcp.put16(out, 2, pmpResult);
        Pcp.put32(out, 4, epochS(nowNs));
        if (address) {
            Pcp.put32(out, 8, external.v4Bits() & 0xffffffffL);
        } else {
            int internal = Pcp.get16(b, 4);
            int port = Pcp.get16(b, 6) + shift;
            long lifetime = Math.min(lifetimeS, Pcp.get32(b, 8));
            Pcp.put16(out, 8, internal);
            Pcp.put16(out, 10, port);
            Pcp.put32(out, 12, lifetime);
            if (lifetime == 0) mappings.values().removeIf(p -> p == internal);
            else mappings.put(port, internal);
        }
        return answer(5351, out);
    }

    private static PortMap.Input answer(int port, byte[] bytes) {
        return new PortMap.Input.Datagram(PortMap.port(IP, port), Bytes.copyOf(bytes));
    }

    /** The answer to a request by HTTP. */
    Page fetch(PortMap.Output.Fetch f) {
        if (!f.host().sameIp(IP)) throw new AssertionError("fetched from a stranger: " + f.host());
        if (f.soapAction().isEmpty()) {
            asked.add("describe");
            return new Page(200, description());
        }
        String type = "urn:schemas-upnp-org:service:WANIPConnection:" + igd;
        String action = f.soapAction().substring(f.soapAction().indexOf('#') + 1);
        asked.add(action);
        if (!f.soapAction().startsWith(type + "#") || !f.path().equals(controlUrl)) return new Page(404, "");
        Xml.Element body = Xml.read(f.body());
        Xml.Element call = body == null ? null : body.first(action);
        if (call == null) throw new AssertionError("no call: " + f.body());
        return switch (action) {
            case "GetExternalIPAddress" ->
                new Page(200, said(action, "<NewExternalIPAddress>" + external.host() + "</NewExternalIPAddress>"));
            case "AddPortMapping", "AddAnyPortMapping" -> add(action, call);
            case "DeletePortMapping" -> {
                mappings.remove(Integer.parseInt(call.text("NewExternalPort")));
                yield new Page(200, said(action, ""));
            }
            default -> new Page(500, error(401));
        };
    }

    private Page add(String action, Xml.Element call) {
        if (igd == 1 && action.equals("AddAnyPortMapping")) return new Page(500, error(401));
        if (!upnpErrors.isEmpty()) return new Page(500, error(upnpErrors.removeFirst()));
        int port = Integer.parseInt(call.text("NewExternalPort")) + shift;
        mappings.put(port, Integer.parseInt(call.text("NewInternalPort")));
        boolean any = action.equals("AddAnyPortMapping");
        return new Page(200, said(action, any ? "<NewReservedPort>" + port + "</NewReservedPort>" : ""));
    }

    private static String said(String action, String inside) {
        return "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:"
                + action + "Response xmlns:u=\"x\">" + inside + "</u:" + action + "Response></s:Body></s:Envelope>";
    }

    private static String error(int code) {
        return "<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><detail><UPnPError><errorCode>" + code
                + "</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>";
    }

    private String description() {
        return """
                <?xml version="1.0"?>
                <root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><deviceList><device>
                <serviceList>
                <service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType>
                <controlURL>/ctl/other</controlURL></service>
                <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:%d</serviceType>
                <controlURL>%s</controlURL></service>
                </serviceList></device></deviceList></device></deviceList></device></root>
                """.formatted(igd, controlUrl);
    }
}
