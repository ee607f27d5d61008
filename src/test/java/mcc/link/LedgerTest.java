package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import mcc.core.Address;
import mcc.core.Id;
import mcc.link.Ledger.Purpose;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

class LedgerTest extends VirtualNet {
    private final Host a = host("192.0.2.1:9376");
    private final Host b = host("198.51.100.1:9376");
    private final Host relay = host("203.0.113.9:9376");
    private final Host six = host("[2001:db8::1]:9376");

    @Test
    void everyDatagramCountsOnceWithItsHeaders() {
        long[] flown = new long[2];
        tap = flight -> {
            int bytes = flight.bytes().length + (flight.to().isV4() ? 28 : 48);
            if (flight.from().equals(a.at)) flown[0] += bytes;
            if (flight.to().equals(a.at)) flown[1] += bytes;
        };
        relay.links.relayBy(relay.sink);
        joinByRelay();
        for (int i = 0; i < 20; i++) {
            a.input(new LinkInput.Ask(b.contact(), 100 + i, new Message.FindNode(Id.ZERO)));
            a.input(new LinkInput.Ask(relay.contact(), 200 + i, new Message.Ping()));
            run(30 * SECOND);
        }
        assertThat(sum(a, "tx")).isEqualTo(flown[0]).isPositive();
        assertThat(sum(a, "rx")).isEqualTo(flown[1]).isPositive();
        assertThat(value(relay, "tx", Purpose.RELAYED)).isPositive();
        assertThat(value(relay, "rx", Purpose.RELAYED))
                .as("a relay sends as much as it gets")
                .isEqualTo(value(relay, "tx", Purpose.RELAYED));
    }

    @Test
    void eachKindOfRequestHasItsPurpose() {
        a.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(value(a, "tx", Purpose.HANDSHAKE)).isPositive();
        run(5 * SECOND);
        Map<Message, Purpose> purposes = Map.of(
                new Message.Ping(), Purpose.DHT,
                new Message.FindNode(Id.ZERO), Purpose.DHT,
                new Message.FindValue(Id.ZERO, 0), Purpose.RECORD,
                new Message.Beat(Id.ZERO, Id.ZERO, 1), Purpose.RECORD,
                new Message.Reserve(), Purpose.RELAY,
                new Message.DialBack(a.at, 5, false), Purpose.NAT,
                new Message.Connect(Id.ZERO, List.of()), Purpose.RELAY);
        purposes.forEach((request, purpose) -> {
            Map<Purpose, Long> before = all(a, "tx");
            a.input(new LinkInput.Ask(b.contact(), Long.MIN_VALUE, request, true));
            run(10 * MS);
            Map<Purpose, Long> after = all(a, "tx");
            for (Purpose each : Purpose.values()) {
                if (each == Purpose.PATH || each == Purpose.HANDSHAKE) continue; // the link's own affairs
                if (each == purpose)
                    assertThat(after.get(each)).as("%s", request).isGreaterThan(before.get(each));
                else assertThat(after.get(each)).as("%s as %s", request, each).isEqualTo(before.get(each));
            }
        });
    }

    @Test
    void whatKeepsTheWayToARelayAndWhatGoesToAddressesOfSixCountsAsSuch() {
        a.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping()));
        run(SECOND);
        a.input(new LinkInput.Welcome(List.of(id(relay))));
        run(65 * SECOND);
        assertThat(value(a, "tx", Purpose.RELAY)).as("three keepalives").isBetween(150L, 300L);
        tap = flight -> assertThat(flight.bytes()).isNotEmpty();
        long before = sum(six, "rx");
        six.input(new LinkInput.Ask(b.contact(), 1, new Message.Ping()));
        run(SECOND);
        assertThat(sum(six, "tx")).isGreaterThan(48);
        assertThat(sum(six, "rx")).isGreaterThan(before);
    }

    private void joinByRelay() {
        for (Host host : List.of(a, b)) host.input(new LinkInput.Ask(relay.contact(), 1, new Message.Ping()));
        run(SECOND);
        b.input(new LinkInput.Welcome(List.of(id(relay))));
        Contact behind = new Contact(id(b), List.of(Address.parse("203.0.113.77:9")), List.of(relay.contact()));
        assertThat(a.links.open(now, behind)).isNotNull();
        a.turn();
        run(3 * SECOND);
        relay.input(new LinkInput.Bind(id(a), 7, id(b), 8, 0));
        a.input(new LinkInput.Way(id(b), id(relay), 7));
        run(3 * SECOND);
    }

    private static Id id(Host host) {
        return host.identity.id();
    }

    private static long sum(Host host, String direction) {
        return all(host, direction).values().stream().mapToLong(Long::longValue).sum();
    }

    private static Map<Purpose, Long> all(Host host, String direction) {
        Map<Purpose, Long> out = new EnumMap<>(Purpose.class);
        for (Purpose each : Purpose.values()) out.put(each, value(host, direction, each));
        return out;
    }

    private static long value(Host host, String direction, Purpose purpose) {
        return host.counters.value("link.ip." + direction + "." + purpose.name().toLowerCase(Locale.ROOT));
    }
}
