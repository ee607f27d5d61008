package mcc.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import mcc.core.Address;
import mcc.stream.Stream;
import mcc.wire.Contact;
import mcc.wire.Message;
import org.junit.jupiter.api.Test;

/** Peers that were never reached, or are gone. */
class UnreachableTest extends VirtualNet {
    private static final byte[] HELLO = {1, 2, 3};

    @Test
    void aStreamToAPeerThatWasNeverReachedEnds() {
        Host a = host("192.0.2.1:1");
        Contact dead = dead();
        Stream stream = a.links.open(now, dead);
        stream.write(HELLO, 0, HELLO.length);
        a.turn();
        run(60 * SECOND);
        assertThat(a.all(LinkOutput.StreamsLost.class)).hasSize(1);
        assertThat(a.links.peer(dead.node())).isNull();
    }

    @Test
    void whatIsOpenBesideADeadPeerGoesOn() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Contact dead = dead();
        a.links.open(now, dead);
        a.turn();
        run(20 * SECOND);
        a.input(new LinkInput.Ask(b.contact(), 7, new Message.Ping()));
        run(20 * SECOND);
        assertThat(a.all(LinkOutput.Answered.class)).hasSize(1);
    }

    @Test
    void whoGaveAStreamUpLooksForItsPeerNoLonger() {
        Host a = host("192.0.2.1:1");
        Contact dead = dead();
        Stream stream = a.links.open(now, dead);
        stream.write(HELLO, 0, HELLO.length);
        a.turn();
        run(SECOND);
        stream.reset(now, 0);
        a.turn();
        int before = datagrams;
        run(60 * SECOND);
        assertThat(datagrams).isEqualTo(before);
        assertThat(a.links.peer(dead.node())).isNull();
    }

    @Test
    void streamsThatWereGivenUpKeepNoDeadPeerAlive() {
        Host a = host("192.0.2.1:1");
        Host b = host("192.0.2.2:1");
        Stream stream = a.links.open(now, b.contact());
        stream.write(HELLO, 0, HELLO.length);
        a.turn();
        run(SECOND);
        b.silent = true;
        stream.reset(now, 0);
        a.turn();
        run(12 * SECOND);
        assertThat(a.links.peer(b.identity.id())).isNull();
    }

    private Contact dead() {
        return new Contact(mcc.crypto.Identity.fromSeed(rng.bytes(32)).id(), List.of(Address.parse("192.0.2.99:1")));
    }
}
