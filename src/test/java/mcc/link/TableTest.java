package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import mcc.stream.Stream;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** Who gives way when the table of links is full. */
class TableTest extends VirtualNet {
    /** What the hosts of {@link VirtualNet} have room for. */
    private static final int LINKS = 100;

    private final Host node = host("192.0.2.1:1");

    private Host joins(String at, boolean streams) {
        Host peer = host(at);
        peer.input(new LinkInput.Ask(node.contact(), 1, new Message.Ping()));
        if (streams) {
            Stream stream = peer.links.open(now, node.contact());
            stream.write(new byte[100], 0, 100);
            peer.turn();
        }
        run(SECOND);
        return peer;
    }

    private boolean knows(Host peer) {
        return node.links.peer(peer.identity.id()) != null;
    }

    @Test
    void theSourceThatTakesMostGivesWayWhereEachLinkHasAStream() {
        List<Host> honest = new ArrayList<>();
        for (int i = 0; i < 20; i++) honest.add(joins("198.51.100." + (i + 1) + ":1", true));
        List<Host> crowd = new ArrayList<>();
        for (int i = 0; i < LINKS - 20; i++) crowd.add(joins("203.0.113.5:" + (i + 1), true));
        for (int i = 20; i < 60; i++) {
            Host late = joins("198.51.100." + (i + 1) + ":1", true);
            assertThat(knows(late)).as("newcomer " + i).isTrue();
            honest.add(late);
        }
        assertThat(honest).allMatch(this::knows);
        assertThat(crowd.stream().filter(this::knows)).hasSize(LINKS - 60);
        assertThat(node.counters.value("link.table.full")).isZero();
    }

    @Test
    void aLinkThatNobodyUsesGivesWayBeforeOneWithAStream() {
        List<Host> used = new ArrayList<>();
        List<Host> idle = new ArrayList<>();
        for (int i = 0; i < LINKS; i++) {
            (i % 2 == 0 ? used : idle).add(joins("198.51.100." + (i + 1) + ":1", i % 2 == 0));
        }
        for (int i = 0; i < 10; i++)
            assertThat(knows(joins("203.0.113." + (i + 1) + ":1", true))).isTrue();
        assertThat(used).allMatch(this::knows);
        assertThat(idle.subList(0, 10)).noneMatch(this::knows);
        assertThat(idle.subList(10, idle.size())).allMatch(this::knows);
    }

    @Test
    void whereNobodyTakesMoreThanOthersTheNewcomerIsRefusedAndNobodyElseHarmed() {
        List<Host> used = new ArrayList<>();
        for (int i = 0; i < LINKS; i++) used.add(joins("198.51.100." + (i + 1) + ":1", true));
        assertThat(knows(joins("203.0.113.1:1", true))).isFalse();
        assertThat(used).allMatch(this::knows);
        assertThat(node.counters.value("link.table.full")).isPositive();
    }
}
