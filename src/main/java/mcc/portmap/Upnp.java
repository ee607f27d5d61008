package mcc.portmap;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import mcc.core.Address;
import mcc.core.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * What UPnP's Internet Gateway Devices are told, and what they say (UPnP Device Architecture 1.0; WANIPConnection:1 and :2;
 * WANPPPConnection:1). Hosts are addresses here: no name is looked up.
 */
final class Upnp {
    /** Where devices are searched for. */
    static final Address SSDP = Address.v4(0xeffffffa, 1_900);

    /** Errors of UPnP that have a way out. */
    static final int INVALID_ACTION = 401;

    static final int CONFLICT = 718;
    static final int SAME_PORT_REQUIRED = 724;
    static final int PERMANENT_ONLY = 725;
    static final int CONFLICT_OTHER = 729;

    private static final String TYPE = "urn:schemas-upnp-org:service:";
    private static final String IP_2 = TYPE + "WANIPConnection:2";
    /** Those that make mappings, the best first. */
    private static final List<String> TYPES = List.of(IP_2, TYPE + "WANIPConnection:1", TYPE + "WANPPPConnection:1");

    private static final int SERVICES_MAX = 4;
    private static final int PATH_MAX = 256;
    private static final int ANSWER_MAX = 2_048;

    private Upnp() {}

    /** A resource of HTTP at a host. */
    record Place(Address host, String path) {}

    /** A service that makes port mappings, and where it is controlled. */
    record Service(String type, Place control) {
        /** Whether it chooses another external port where the one that is wished for is taken. */
        boolean choosesPorts() {
            return type.equals(IP_2);
        }
    }

    /** The question whether there is such a device; those of version 2 answer it as well. */
    static Bytes search() {
        return Bytes.utf8(String.join(
                "\r\n",
                "M-SEARCH * HTTP/1.1",
                "HOST: 239.255.255.250:1900",
                "MAN: \"ssdp:discover\"",
                "MX: 1",
                "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1",
                "",
                ""));
    }

    /** Where an answer to {@link #search} says that the device describes itself; null if it is no answer. */
    static @Nullable Place location(byte[] answer) {
        if (answer.length > ANSWER_MAX) return null;
        String[] lines = new String(answer, StandardCharsets.ISO_8859_1).split("\r?\n");
        if (!lines[0].startsWith("HTTP/1.") || !lines[0].contains(" 200")) return null;
        for (String line : lines) {
            if (line.toLowerCase(Locale.ROOT).startsWith("location:")) {
                return place(line.substring(9).strip());
            }
        }
        return null;
    }

    /** Reads a URL whose host is an address; null for any other. */
    static @Nullable Place place(String url) {
        if (!url.regionMatches(true, 0, "http://", 0, 7)) return null;
        int slash = url.indexOf('/', 7);
        String host = slash < 0 ? url.substring(7) : url.substring(7, slash);
        Address at = Address.parse(host.indexOf(':') < 0 ? host + ":80" : host);
        String path = slash < 0 ? "/" : url.substring(slash);
        return at == null || at.port() == 0 || !isPath(path) ? null : new Place(at, path);
    }

    private static boolean isPath(String path) {
        if (!path.startsWith("/") || path.length() > PATH_MAX) return false;
        for (int i = 0; i < path.length(); i++) if (path.charAt(i) <= ' ' || path.charAt(i) > '~') return false;
        return true;
    }

    /** The services of a device that may be used, the best first; what is at another host than its description is none. */
    static List<Service> services(Place description, String text) {
        Xml.Element root = Xml.read(text);
        List<Service> out = new ArrayList<>();
        if (root == null) return out;
        List<Xml.Element> all = new ArrayList<>();
        root.find("service", all);
        String base = root.text("URLBase");
        Place from = base.isEmpty() ? description : place(base);
        for (String type : TYPES) {
            for (Xml.Element each : all) {
                if (!each.text("serviceType").equals(type) || out.size() >= SERVICES_MAX || from == null) continue;
                Place control = resolve(from, each.text("controlURL"));
                if (control != null && control.host.sameIp(description.host)) out.add(new Service(type, control));
            }
        }
        return List.copyOf(out);
    }

    private static @Nullable Place resolve(Place base, String url) {
        if (url.isEmpty()) return null;
        if (url.contains("://")) return place(url);
        String folder = base.path.substring(0, base.path.lastIndexOf('/') + 1);
        String path = url.startsWith("/") ? url : folder + url;
        return isPath(path) ? new Place(base.host, path) : null;
    }

    /** The body of a call; names and values in turn. */
    static String call(Service service, String action, String... arguments) {
        StringBuilder out = new StringBuilder(
                        "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/")
                .append("soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:")
                .append(action)
                .append(" xmlns:u=\"")
                .append(service.type)
                .append("\">");
        for (int i = 0; i < arguments.length; i += 2) {
            out.append('<').append(arguments[i]).append('>').append(arguments[i + 1]);
            out.append("</").append(arguments[i]).append('>');
        }
        return out.append("</u:")
                .append(action)
                .append("></s:Body></s:Envelope>\r\n")
                .toString();
    }

    /**
     * What a call came to.
     *
     * @param error 0 for none, UPnP's number, or −1 where the answer is no answer
     * @param value of the element that was asked for; empty where it is not there
     */
    record Result(int error, String value) {}

    /** Reads the answer to a call. */
    static Result result(int status, String body, String action, String element) {
        Xml.Element root = Xml.read(body);
        if (root == null) return new Result(-1, "");
        Xml.Element answer = root.first(action + "Response");
        if (status == 200 && answer != null) return new Result(0, answer.text(element));
        Xml.Element code = root.first("errorCode");
        return new Result(
                code != null && code.text().matches("[1-9][0-9]{0,4}") ? Integer.parseInt(code.text()) : -1, "");
    }
}
