package mcc.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Ports as people write them, {@code 53/udp+tcp,50000-50100/tcp}, converted to and from the REST interface's form. */
final class PortList {
    private static final Pattern ONE =
            Pattern.compile("([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/((?:tcp|udp|http)(?:\\+(?:tcp|udp|http))*))?");

    private PortList() {}

    /**
     * Adds ports to the body of a registration: a single one as the fields that nodes of every version know, several as a
     * list.
     *
     * @param protocol of ports that name none; null for the node's default
     */
    static void put(Map<String, Object> body, List<String> texts, @Nullable String protocol) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (String text : texts) {
            Matcher m = ONE.matcher(text.strip());
            if (!m.matches()) {
                throw Failure.usage("--port: '" + text + "'", "write 8080, 53/udp+tcp or 21,50000-50100/tcp");
            }
            for (String each :
                    m.group(3) == null ? new String[] {protocol} : m.group(3).split("\\+")) {
                Map<String, Object> one = new LinkedHashMap<>();
                one.put("port", Integer.parseInt(m.group(1)));
                if (m.group(2) != null) one.put("endPort", Integer.parseInt(m.group(2)));
                if (each != null) one.put("protocol", each);
                all.add(one);
            }
        }
        if (all.size() > 1 || all.getFirst().containsKey("endPort")) body.put("ports", all);
        else body.putAll(all.getFirst());
    }

    /** The ports of a registration or provider; its protocol if it lists no ports. */
    static String text(Json of) {
        Map<String, List<String>> protocols = new LinkedHashMap<>();
        for (Json one : of.at("ports").items()) {
            String numbers = one.at("port").text("-");
            if (!one.at("endPort").isMissing())
                numbers += "-" + one.at("endPort").text("-");
            protocols
                    .computeIfAbsent(numbers, _ -> new ArrayList<>())
                    .add(one.at("protocol").text("-"));
        }
        List<String> out = new ArrayList<>();
        protocols.forEach((numbers, all) -> out.add(numbers + "/" + String.join("+", all)));
        return out.isEmpty() ? of.at("protocol").text("-") : String.join(",", out);
    }
}
