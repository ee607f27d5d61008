package mcc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code mcc ping} and {@code mcc explain path} against prepared answers. */
final class PathVerbsTest {
    private static final String RELAY = "fra" + "a".repeat(49);
    private static final String PING = "POST /api/v1/peers/abcdefgh/ping?count=1";
    private static final String PATH = "GET /api/v1/peers/abcdefgh/path";
    private static final String RELAYED =
            "{\"pings\":[{\"rttMs\":38,\"path\":\"relay\",\"relay\":\"" + RELAY + "\",\"address\":null}]}";
    private static final String DIRECT =
            "{\"pings\":[{\"rttMs\":9,\"path\":\"direct\",\"relay\":null,\"address\":\"203.0.113.7:41641\"}]}";
    private static final String BEFORE = "{\"changes\":[],\"punching\":{\"attempts\":[]}}";
    private static final String PUNCHING =
            "{\"changes\":[],\"punching\":{\"attempts\":[{\"candidates\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]}]}}";
    private static final String UPGRADED = """
            {"changes":[{"at":"2026-01-01T10:00:00.000Z","path":"relay"},{"at":"2026-01-01T10:00:00.900Z","path":"relay"},
            {"at":"2026-01-01T10:00:01.500Z","path":"direct"},{"at":"2026-01-01T10:00:09.500Z","path":"direct"}]}""";

    private final Map<String, String> environment = new HashMap<>();
    private StubNode node;
    private String out = "";
    private String err = "";

    @BeforeEach
    void start() throws IOException {
        node = new StubNode();
        environment.put("MCC_NODE", node.url());
    }

    @AfterEach
    void stop() throws IOException {
        node.close();
    }

    private int mcc(String... args) {
        ByteArrayOutputStream stdout = new ByteArrayOutputStream();
        ByteArrayOutputStream stderr = new ByteArrayOutputStream();
        Cli cli = new Cli(
                new PrintStream(stdout, true, StandardCharsets.UTF_8),
                new PrintStream(stderr, true, StandardCharsets.UTF_8),
                environment,
                false);
        int exit = Cli.run(cli, args);
        out = stdout.toString(StandardCharsets.UTF_8);
        err = stderr.toString(StandardCharsets.UTF_8);
        return exit;
    }

    @Test
    void pingsGoOnUntilThePathIsDirectAndTellWhatHappens() {
        node.inTurn(PING, RELAYED, RELAYED, DIRECT).inTurn(PATH, BEFORE, PUNCHING, UPGRADED);
        assertThat(mcc("ping", "abcdefgh", "--until-direct", "--interval", "1ms"))
                .isZero();
        assertThat(out).isEqualTo("""
                1  relay fraaaaaa  38 ms
                2  relay fraaaaaa  38 ms   punching: 6 candidates
                3  direct 203.0.113.7:41641  9.0 ms   upgraded after 1.5 s
                """);
    }

    @Test
    void aPathThatIsDirectAtOnceNeedsOnePing() {
        node.inTurn(PING, DIRECT);
        assertThat(mcc("ping", "abcdefgh", "--until-direct")).isZero();
        assertThat(out).isEqualTo("1  direct 203.0.113.7:41641  9.0 ms\n");
        assertThat(node.requests()).hasSize(1);
    }

    @Test
    void aPathThatStaysRelayedFailsAndSaysWhereToLook() {
        node.inTurn(PING, RELAYED).inTurn(PATH, BEFORE);
        assertThat(mcc("ping", "abcdefgh", "--until-direct", "--interval", "1ms", "--count", "3"))
                .isEqualTo(1);
        assertThat(out.lines()).hasSize(3);
        assertThat(err).contains("No direct path: after 3 pings", "hint: mcc explain path abcdefgh");
    }

    @Test
    void aPeerThatDoesNotAnswerFailsWithOneOrIsWaitedFor() {
        String silent =
                "{\"title\":\"The lookup timed out\",\"status\":504,\"code\":\"lookup-timeout\",\"detail\":\"silent\"}";
        node.on("POST /api/v1/peers/abcdefgh/ping", 504, silent);
        assertThat(mcc("ping", "abcdefgh")).isEqualTo(1);
        assertThat(err).contains("silent");
        assertThat(mcc("ping", "abcdefgh", "--until-direct", "--interval", "1ms", "-c", "2"))
                .isEqualTo(1);
        assertThat(out).isEqualTo("1  no answer\n2  no answer\n");
        assertThat(mcc("ping", "unknown1", "--until-direct"))
                .as("there is none")
                .isEqualTo(3);
    }

    @Test
    void withJsonEveryAnswerIsPrintedAsItCame() {
        node.inTurn(PING, RELAYED, DIRECT);
        assertThat(mcc("ping", "abcdefgh", "--until-direct", "--interval", "1ms", "--json"))
                .isZero();
        assertThat(out).isEqualTo(RELAYED + "\n" + DIRECT + "\n");
    }

    @Test
    void anInstanceOfAServiceIsNamedByItsEndpoint() {
        node.on("POST /api/v1/peers/acme%2Forders%237f2a91c4/ping?count=3", 200, DIRECT);
        assertThat(mcc("ping", "acme/orders#7f2a91c4")).isZero();
        assertThat(mcc("ping", "abcdefgh", "--count", "21")).isEqualTo(2);
        assertThat(mcc("ping", "abcdefgh", "--until-direct", "--interval", "soon"))
                .isEqualTo(2);
    }

    @Test
    void explainPathTellsBothSidesEveryAddressAndWhatWasSpent() {
        String answer = """
                {"id":"abcdefghijkl","path":{"tx":"relay","rx":"relay","via":["%s"],"address":null},"rttMs":38,
                "verdict":"A relay carries the packets.",
                "advice":[{"side":"this","text":"map UDP 9376"},{"side":"peer","text":"run mcc netcheck there"}],
                "here":{"mapping":"address-dependent","filtering":"unknown","reachable":"no","voices":3,"seenByPeer":null},
                "there":{"mapping":"endpoint-dependent","ports":"random"},
                "changes":[{"at":"x","path":"relay","relay":"%s","address":null,"why":"a handshake went through","rttMs":null}],
                "tries":[{"address":"203.0.113.7:41641","relay":null,"state":"silent","times":7,"firstAt":"x","lastAt":"x",
                "answeredAt":null,"rttMs":null}],"dropped":2,
                "punching":{"nextInMs":25000,"attemptsTotal":1,"challenges":7,"refused":0,
                "attempts":[{"at":"x","outcome":"tried","challenges":7,"tookMs":null,"candidates":["203.0.113.7:41641"]}]}}""".formatted(RELAY, RELAY);
        node.on(PATH, 200, answer);
        assertThat(mcc("explain", "path", "abcdefgh")).isZero();
        assertThat(out).isEqualTo("""
                abcdefgh  relay fraaaaaa  38 ms
                => A relay carries the packets.
                this node  mapping address-dependent, filtering unknown, reachable no; 3 networks say what they see
                           -> map UDP 9376
                the peer   mapping endpoint-dependent, ports random
                           -> run mcc netcheck there
                SINCE  PATH   WHERE         RTT  WHY
                -      relay  via fraaaaaa  -    a handshake went through
                TRIED              STATE   TIMES  FIRST  LAST  ANSWERED  RTT
                203.0.113.7:41641  silent  7      -      -     -         -
                PUNCHED  OUTCOME  CHALLENGES  TOOK  ADDRESSES
                -        tried    7           -     203.0.113.7:41641
                spent: 1 attempt, 7 challenges; refused: 0, the next one in 25s
                2 older entries were dropped
                """);
        assertThat(mcc("explain", "path", "abcdefgh", "--json")).isZero();
        assertThat(out).isEqualTo(answer + "\n");
        assertThat(mcc("explain", "path", "unknown1")).isEqualTo(3);
        assertThat(mcc("explain")).isEqualTo(2);
        assertThat(err).contains("mcc explain path PEER");
    }

    @Test
    void netcheckWaitsForTheCheckThatItAskedFor() {
        String nat = "{\"verdict\":\"Relays help.\",\"checking\":%s}";
        node.on("POST /api/v1/nat/check", 200, nat.formatted(true))
                .inTurn("GET /api/v1/nat", nat.formatted(true), nat.formatted(false));
        assertThat(mcc("netcheck", "--again")).isZero();
        assertThat(out).contains("=> Relays help.");
        assertThat(node.requests())
                .extracting(r -> r.line().split(" ")[0])
                .containsExactly("POST", "GET", "GET", "GET");
        node.inTurn("GET /api/v1/nat", nat.formatted(true));
        assertThat(mcc("netcheck", "--again", "--timeout", "300ms")).isEqualTo(7);
    }
}
