package mcc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CliTest {
    private static final String NODE = """
            {"id":"abcdefghijkl","name":"n1","network":"open","uptimeMs":3723000,"upkeep":{"bytesPerMonth":9400000},"version":"0.2.0","udp":["127.0.0.1:1"],
            "http":"http://127.0.0.1:2","draining":false,"problems":[%s]}""";
    private static final String OPEN_NETWORK =
            "{\"code\":\"open-network\",\"severity\":\"warn\",\"title\":\"open to all\",\"hint\":\"share nothing\"}";
    private static final String FORWARD_DOWN =
            "{\"code\":\"tunnel-1\",\"severity\":\"error\",\"title\":\"forward down\",\"hint\":\"free the port\"}";

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
        return mcc(false, args);
    }

    private int mcc(boolean terminal, String... args) {
        ByteArrayOutputStream stdout = new ByteArrayOutputStream();
        ByteArrayOutputStream stderr = new ByteArrayOutputStream();
        Cli cli = new Cli(
                new PrintStream(stdout, true, StandardCharsets.UTF_8),
                new PrintStream(stderr, true, StandardCharsets.UTF_8),
                environment,
                terminal);
        int exit = Cli.run(cli, args);
        out = stdout.toString(StandardCharsets.UTF_8);
        err = stderr.toString(StandardCharsets.UTF_8);
        return exit;
    }

    private static String problem(int status, String code) {
        return "{\"type\":\"x\",\"title\":\"The title\",\"status\":" + status + ",\"code\":\"" + code
                + "\",\"detail\":\"the detail\",\"hint\":\"the hint\"}";
    }

    @ParameterizedTest
    @CsvSource({
        "400,validation,2",
        "401,unauthenticated,5",
        "403,policy-denied,4",
        "403,scope-missing,4",
        "404,not-found,3",
        "409,conflict,1",
        "410,gone,3",
        "429,rate-limited,1",
        "502,upstream-unreachable,1",
        "503,overloaded,1",
        "504,lookup-timeout,7",
        "504,punch-timeout,7"
    })
    void everyProblemHasItsExitCodeAndIsToldOnStandardError(int status, String code, int exit) {
        node.on("GET /api/v1/peers", status, problem(status, code));
        assertThat(mcc("peers")).isEqualTo(exit);
        assertThat(out).isEmpty();
        assertThat(err).isEqualTo("The title: the detail\n  hint: the hint\n");
    }

    @Test
    void faultsOfFieldsAreToldWithTheirPointers() {
        String faults = problem(400, "validation")
                .replace("\"hint\"", "\"errors\":[{\"pointer\":\"/port\",\"detail\":\"1 to 65535\"}],\"hint\"");
        node.on("PUT /api/v1/registrations/web", 400, faults);
        assertThat(mcc("register", "web", "--port", "0")).isEqualTo(2);
        assertThat(err).contains("the detail\n  /port: 1 to 65535");
    }

    @Test
    void aNodeThatIsNotThereIsUnreachable() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        assertThat(mcc("status", "--node", "http://127.0.0.1:" + free)).isEqualTo(6);
        assertThat(err).startsWith("No node at http://127.0.0.1:" + free).contains("hint: start one with 'mcc run'");
        assertThat(out).isEmpty();
    }

    @Test
    void anAnswerThatNeverComesTimesOut() {
        node.raw("GET /api/v1/peers", "");
        assertThat(mcc("peers", "--timeout", "100ms")).isEqualTo(7);
    }

    @Test
    void anAnswerThatBreaksOffIsNotTakenForWhole() {
        node.raw("GET /api/v1/peers", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"items\":[]}");
        assertThat(mcc("peers")).isEqualTo(6);
        assertThat(out).isEmpty();
    }

    @Test
    void aServerThatIsNoNodeIsRecognised() {
        node.raw("GET /api/v1/peers", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<ht>");
        assertThat(mcc("peers")).isEqualTo(1);
        assertThat(err).contains("is this an MCC node?");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "stauts",
                "peers --bogus",
                "ping",
                "register web",
                "peers --timeout soon",
                "tunnel",
                "id --node :"
            })
    void wrongUsageExitsWithTwoAndKeepsStandardOutputClean(String line) {
        assertThat(mcc(line.split(" "))).isEqualTo(2);
        assertThat(out).isEmpty();
        assertThat(err).contains("Wrong usage");
    }

    @Test
    void aPeerIsPingedAsOftenAsAsked() {
        String three = "{\"pings\":[{\"rttMs\":1,\"path\":\"lan\"},{\"rttMs\":null,\"path\":\"lan\"}]}";
        node.on("POST /api/v1/peers/abcdefgh/ping?count=2", 200, three);
        assertThat(mcc("ping", "abcdefgh", "-c", "2")).isZero();
        assertThat(out).isEqualTo("1  lan  1.0 ms\n2  lan  no answer\n");
        assertThat(mcc("ping", "abcdefgh", "-c", "21")).isEqualTo(2);
    }

    @Test
    void withJsonTheAnswerIsPrintedAsItCameButForWhatSteersATerminal() {
        String body = "{\"items\":[ {\"id\" : \"a\\u001b[2Jb\"}],\"next\":null}";
        node.on("GET /api/v1/peers", 200, body);
        assertThat(mcc("peers", "--json")).isZero();
        assertThat(out).isEqualTo(body + "\n");
        assertThat(mcc("--json", "peers")).isZero();
        assertThat(out).isEqualTo(body + "\n");
    }

    @Test
    void noWordOfAnotherMachineReachesTheTerminalAsMoreThanAWord() {
        String steering = "\u009b31m \u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069\u007f";
        node.on(
                "GET /api/v1/services/web/providers",
                200,
                "{\"items\":[{\"tags\":[\"" + steering + "\"],\"org\":\"" + steering + "\"}]}");
        for (List<String> verb : List.of(List.of("discover", "web"), List.of("discover", "web", "--json"))) {
            assertThat(mcc(verb.toArray(String[]::new))).isZero();
            assertThat(out.chars().filter(c -> c != '\n' && steering.indexOf(c) >= 0 && c > '~'))
                    .as(verb + ": " + out)
                    .isEmpty();
        }
        assertThat(Json.parse(out)
                        .at("items")
                        .items()
                        .getFirst()
                        .at("tags")
                        .items()
                        .getFirst()
                        .text(""))
                .as("the same text")
                .isEqualTo(Text.clean(steering));
        assertThat(out).contains("\\u009b31m");
        node.on(
                "GET /api/v1/services/web/providers",
                404,
                problem(404, "not-found").replace("the detail", steering));
        assertThat(mcc("discover", "web")).isEqualTo(3);
        assertThat(err.chars().filter(c -> c > '~')).as(err).isEmpty();
    }

    @Test
    void whatOthersChoseNeverSteersTheTerminal() {
        node.on("GET /api/v1/peers", 200, "{\"items\":[{\"id\":\"x\",\"name\":\"evil\\u001b[2J\\u202e\\r\"}]}");
        assertThat(mcc("peers")).isZero();
        assertThat(out).contains("evil?[2J??").doesNotContain("\u001b", "\u202e", "\r");
    }

    @Test
    void statusLeadsWithProblemsAndSaysThatTheNodeIsDegraded() {
        node.on("GET /api/v1/node", 200, NODE.formatted(OPEN_NETWORK + "," + FORWARD_DOWN))
                .on("GET /api/v1/dht", 200, "{\"contacts\":3,\"estimatedNodes\":4}")
                .on("GET /api/v1/peers", 200, "{\"items\":[]}");
        assertThat(mcc("status")).isEqualTo(8);
        assertThat(out.lines().toList())
                .startsWith("! open to all", "    share nothing", "x forward down", "    free the port")
                .contains(
                        "n1  abcdefgh  network open  up 1h2m  version 0.2.0  DHT 3 contacts (about 4 nodes)  upkeep 9.4 MB a month");
    }

    @Test
    void anOpenNetworkIsAChoiceAndNoFault() {
        node.on("GET /api/v1/node", 200, NODE.formatted(OPEN_NETWORK))
                .on("GET /api/v1/dht", 200, "{}")
                .on("GET /api/v1/peers", 200, "{\"items\":[]}");
        assertThat(mcc("status")).isZero();
        assertThat(out).startsWith("! open to all");
    }

    @Test
    void colourIsForTerminalsThatWantIt() {
        node.on(
                "GET /api/v1/peers",
                200,
                "{\"items\":[{\"id\":\"x\",\"path\":{\"tx\":\"direct\",\"rx\":\"direct\"}}]}");
        assertThat(mcc(true, "peers")).isZero();
        assertThat(out).contains("\u001b[32mdirect\u001b[0m");
        environment.put("NO_COLOR", "1");
        assertThat(mcc(true, "peers")).isZero();
        assertThat(out).doesNotContain("\u001b");
        environment.remove("NO_COLOR");
        assertThat(mcc(false, "peers")).isZero();
        assertThat(out).doesNotContain("\u001b");
    }

    @Test
    void registerSaysOnlyWhatItWasTold() {
        node.on("PUT /api/v1/registrations/", 201, "{\"service\":\"open/web\",\"endpoint\":\"abcdefghijk\"}");
        assertThat(mcc("register", "web", "--port", "8000")).isZero();
        assertThat(node.only().line()).isEqualTo("PUT /api/v1/registrations/web HTTP/1.1");
        assertThat(node.only().body()).isEqualTo("{\"service\":\"web\",\"port\":8000}");
        assertThat(node.only().headers()).contains("Content-Type: application/json");
        assertThat(out).startsWith("registered open/web#abcdefgh").contains("mcc deregister web");
    }

    @Test
    void portsAreSentAsTheInterfaceHasThem() {
        node.on(
                "PUT /api/v1/registrations/",
                201,
                "{\"service\":\"open/dns\",\"host\":\"127.0.0.1\",\"port\":53,\"ports\":[{\"port\":53,\"protocol\":\"udp\"},"
                        + "{\"port\":53,\"protocol\":\"tcp\"},{\"port\":50000,\"endPort\":50100,\"protocol\":\"tcp\"}]}");
        assertThat(mcc("register", "dns", "--port", "53/udp+tcp,50000-50100", "--port", "853/http", "--proxy", "v2"))
                .isZero();
        assertThat(node.only().body())
                .isEqualTo("{\"service\":\"dns\",\"ports\":[{\"port\":53,\"protocol\":\"udp\"},"
                        + "{\"port\":53,\"protocol\":\"tcp\"},{\"port\":50000,\"endPort\":50100},"
                        + "{\"port\":853,\"protocol\":\"http\"}],\"proxy\":\"v2\"}");
        assertThat(out).contains("at 127.0.0.1 53/udp+tcp,50000-50100/tcp").contains("datagrams have none");
        assertThat(mcc("register", "dns", "--port", "53/udp")).isZero();
        assertThat(node.requests().getLast().body())
                .isEqualTo("{\"service\":\"dns\",\"port\":53,\"protocol\":\"udp\"}");
        assertThat(mcc("register", "dns", "--port", "53,54", "--udp", "--check", "tcp", "--check-port", "80"))
                .isZero();
        assertThat(node.requests().getLast().body())
                .contains("{\"port\":54,\"protocol\":\"udp\"}", "\"check\":{\"type\":\"tcp\",\"port\":80}");
        for (String wrong : List.of("", "53/sctp", "53-", "x", "53/udp/tcp", "123456", "-1", "53/")) {
            assertThat(mcc("register", "dns", "--port=" + wrong)).as(wrong).isEqualTo(2);
        }
        assertThat(node.requests()).hasSize(3);
    }

    @Test
    void aForwardNamesThePortBehindTheService() {
        String made = "{\"id\":\"t-1\",\"listen\":\"127.0.0.1:9\",\"service\":\"open/db\",\"port\":5432}";
        node.on("POST /api/v1/tunnels", 201, made);
        assertThat(mcc("tunnel", "open", "acme/db#abcdefgh:5432", "9")).isZero();
        assertThat(node.only().body())
                .isEqualTo("{\"service\":\"acme/db#abcdefgh\",\"port\":5432,\"listen\":\"127.0.0.1:9\"}");
        assertThat(out).contains("127.0.0.1:9 -> open/db:5432");
        for (String wrong : List.of("db:", "db:x", "db:123456")) {
            assertThat(mcc("tunnel", "open", wrong)).as(wrong).isEqualTo(2);
        }
    }

    @Test
    void registerSendsEveryOptionInTheWordsOfTheInterface() {
        node.on("PUT /api/v1/registrations/", 200, "{\"service\":\"acme/web\"}");
        String line = "register acme/web --port 80 --host 10.0.0.7 --check http:/health --interval 5s --weight 50"
                + " --tag eu --tag new --meta zone=a --lease 1m --id web-1 --protocol http -q";
        assertThat(mcc(line.split(" "))).isZero();
        assertThat(node.only().line()).startsWith("PUT /api/v1/registrations/web-1 ");
        assertThat(node.only().body())
                .isEqualTo("{\"service\":\"acme/web\",\"port\":80,\"protocol\":\"http\",\"host\":\"10.0.0.7\","
                        + "\"weight\":50,\"tags\":[\"eu\",\"new\"],\"meta\":{\"zone\":\"a\"},\"leaseMs\":60000,"
                        + "\"check\":{\"type\":\"http\",\"path\":\"/health\",\"intervalMs\":5000}}");
        assertThat(out.lines()).hasSize(1).first().asString().startsWith("renewed ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--check http", "--check tcp:/x", "--check magic", "--interval 5s", "--lease 5"})
    void aCheckOrLeaseThatCannotBeMeantIsRefusedBeforeAnythingIsSent(String options) {
        assertThat(mcc(("register web --port 80 " + options).split(" "))).isEqualTo(2);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void aServiceNameKeepsItsSlashInThePath() {
        node.on(
                "GET /api/v1/services/acme%2Fweb/providers",
                200, "{\"items\":[{\"endpoint\":\"e\",\"health\":\"pass\"}]}");
        assertThat(mcc("discover", "acme/web")).isZero();
    }

    @Test
    void aServiceWithoutProvidersIsNotFound() {
        node.on("GET /api/v1/services/web/providers", 200, "{\"items\":[]}");
        assertThat(mcc("discover", "web")).isEqualTo(3);
        assertThat(out).isEmpty();
    }

    @Test
    void eventsOfOtherServicesAreNotShown() {
        node.on("GET /api/v1/services/web/providers", 200, "{\"items\":[]}")
                .events(
                        "GET /api/v1/events?types=service.*&watch=web ",
                        ": welcome\n\nid: a-1\nevent: service.joined\ndata: " + event("open/web", "e1") + "\n\n",
                        "id: a-2\nevent: service.left\nda",
                        "ta: " + event("open/other", "e2") + "\n\nid: a-3\nevent: service.left\ndata: "
                                + event("open/web", "e1") + "\n\n");
        assertThat(mcc("watch", "web")).isEqualTo(6);
        assertThat(out.lines().filter(l -> l.contains("12:03:40")))
                .containsExactly("12:03:40  + joined   e1 @ n  pass", "12:03:40  - left     e1 @ n  pass");
        assertThat(err).contains("The node went away");
    }

    private static String event(String service, String endpoint) {
        return "{\"id\":\"a-1\",\"at\":\"2026-01-02T12:03:40.5Z\",\"data\":{\"service\":\"" + service
                + "\",\"provider\":{\"endpoint\":\"" + endpoint + "\",\"node\":\"n\",\"health\":\"pass\"}}}";
    }

    @Test
    void forwardTellsItsPortAndEachFailoverOfItsOwn() {
        String failover = "{\"at\":\"2026-01-02T12:03:40Z\",\"data\":{\"id\":\"%s\",\"provider\":\"new-node-1\","
                + "\"tookMs\":312,\"failed\":[{\"provider\":\"old-node-1\",\"reason\":\"unreachable\"}]}}";
        node.on(
                        "POST /api/v1/tunnels",
                        201,
                        "{\"id\":\"t-1\",\"listen\":\"127.0.0.1:9000\",\"service\":\"open/web\",\"provider\":\"old-node-1\","
                                + "\"rttMs\":1.2,\"path\":{\"tx\":\"lan\",\"rx\":\"lan\"}}")
                .events(
                        "GET /api/v1/events?types=tunnel.* ",
                        "event: tunnel.failover\ndata: " + failover.formatted("t-2") + "\n\n",
                        "event: tunnel.failover\ndata: " + failover.formatted("t-1") + "\n\n",
                        "event: tunnel.closed\ndata: {\"data\":{\"id\":\"t-1\"}}\n\n");
        assertThat(mcc("forward", "web", "9000")).isZero();
        assertThat(node.requests().getFirst().body()).isEqualTo("{\"service\":\"web\",\"listen\":\"127.0.0.1:9000\"}");
        assertThat(out.lines())
                .containsExactly(
                        "127.0.0.1:9000 -> open/web @ old-node lan 1.2 ms",
                        "ctrl-C closes it",
                        "12:03:40  failover to new-node in 312ms; old-node: unreachable");
    }

    @Test
    void aForwardOfDatagramsIsAskedForAndNamedSo() {
        node.on(
                        "POST /api/v1/tunnels",
                        201,
                        "{\"id\":\"t-1\",\"listen\":\"127.0.0.1:5353\",\"service\":\"open/dns\",\"protocol\":\"udp\"}")
                .events(
                        "GET /api/v1/events?types=tunnel.* ",
                        "event: tunnel.closed\ndata: {\"data\":{\"id\":\"t-1\"}}\n\n");
        assertThat(mcc("forward", "dns", "5353", "--udp")).isZero();
        assertThat(node.requests().getFirst().body())
                .isEqualTo("{\"service\":\"dns\",\"listen\":\"127.0.0.1:5353\",\"protocol\":\"udp\"}");
        assertThat(out.lines()).containsExactly("udp 127.0.0.1:5353 -> open/dns", "ctrl-C closes it");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aMeasurementIsDrawnEachSecondAndSummedUp(boolean terminal) {
        String progress = "event: bench.progress\ndata: {\"data\":{\"id\":\"%s\",\"second\":%d,\"bitsPerSecond\":%d,"
                + "\"rttMs\":%s,\"lossPpm\":%d}}\n\n";
        String finished = "event: bench.finished\ndata: {\"data\":{\"id\":\"b-1\",\"bytes\":412500000,\"tookMs\":2040,"
                + "\"bitsPerSecond\":1617647058,\"rttIdleMs\":0.4,\"rttLoadedMs\":12.3,\"lossPpm\":1000,"
                + "\"path\":\"lan\",\"cpuSecondsPerGbitHere\":0.31,\"cpuSecondsPerGbitThere\":0.28}}\n\n";
        node.on("POST /api/v1/peers/abcdefgh/bench", 201, "{\"id\":\"b-1\"}")
                .events(
                        "GET /api/v1/events?types=bench.* ",
                        progress.formatted("b-2", 1, 5_000_000, "1", 0),
                        progress.formatted("b-1", 1, 100_000_000, "9.87", 1_000),
                        progress.formatted("b-1", 2, 3_200_000_000L, "12.3", 500_000),
                        finished);
        assertThat(mcc(terminal, "bench", "peer", "abcdefgh", "-s", "2")).isZero();
        assertThat(node.requests().getLast().body()).isEqualTo("{\"seconds\":2}");
        assertThat(out.lines())
                .containsExactly(
                        "  1 s   100.0 Mbit/s  rtt   9.9 ms  loss  0.1 %  " + "█".repeat(16),
                        "  2 s    3.20 Gbit/s  rtt    12 ms  loss 50.0 %  " + "█".repeat(28),
                        "412.5 MB in 2s: 1.62 Gbit/s by lan",
                        "rtt 0.4 ms idle, 12 ms under load   loss 0.1 %",
                        "CPU 0.31 s per Gbit here, 0.28 there");
    }

    @Test
    void aMeasurementThatFailsSaysWhy() {
        node.on("POST /api/v1/peers/abcdefgh/bench", 201, "{\"id\":\"b-1\"}")
                .events(
                        "GET /api/v1/events?types=bench.* ",
                        "event: bench.failed\ndata: {\"data\":{\"id\":\"b-1\",\"reason\":\"it is gone\"}}\n\n");
        assertThat(mcc("bench", "peer", "abcdefgh")).isEqualTo(1);
        assertThat(out).isEmpty();
        assertThat(err).isEqualTo("Not measured: it is gone\n  hint: see its path: mcc peers\n");
        assertThat(mcc("bench")).isEqualTo(2);
    }

    @Test
    void aLookupTellsAnIdFromAName() {
        node.on("POST /api/v1/dht/lookups", 200, "{\"steps\":[],\"result\":{}}");
        String id = "a".repeat(52);
        assertThat(mcc("lookup", id)).isZero();
        assertThat(mcc("lookup", "web")).isZero();
        assertThat(node.requests().stream().map(StubNode.Request::body))
                .containsExactly("{\"target\":\"" + id + "\"}", "{\"service\":\"web\"}");
    }

    @Test
    void theAdminTokenOfThisMachineIsForVerbsThatNeedItOnly(@TempDir Path data) throws IOException {
        Files.writeString(data.resolve("admin.token"), "mcc_secret\n");
        environment.put("MCC_DATA", data.toString());
        node.on("GET /api/v1/plugins", 200, "{\"items\":[]}").on("GET /api/v1/peers", 200, "{\"items\":[]}");
        assertThat(mcc("plugin", "ls")).isZero();
        assertThat(mcc("peers")).isZero();
        assertThat(mcc("peers", "--token", "mcc_given")).isZero();
        List<Boolean> secret = new ArrayList<>();
        for (StubNode.Request r : node.requests()) secret.add(r.headers().contains("Authorization: Bearer mcc_secret"));
        assertThat(secret).containsExactly(true, false, false);
        assertThat(node.requests().getLast().headers()).contains("Authorization: Bearer mcc_given");
    }

    @Test
    void aPluginThatWasTakenButDoesNotRunIsAFailureWithItsReason(@TempDir Path folder) throws IOException {
        Path jar = Files.write(folder.resolve("n.jar"), new byte[] {1});
        String plugin = "{\"id\":\"n\",\"name\":\"n\",\"version\":\"1\",\"state\":\"%s\",\"failure\":%s}";
        node.on("POST /api/v1/plugins ", 201, plugin.formatted("failed", "\"the jar has no class A\""))
                .on("POST /api/v1/plugins/n/restart", 200, plugin.formatted("backoff", "\"it broke\""));
        assertThat(mcc("plugin", "deploy", jar.toString())).isEqualTo(1);
        assertThat(out).isEmpty();
        assertThat(err).contains("The plugin does not run: n  n 1  failed: the jar has no class A", "mcc plugin rm n");
        assertThat(mcc("plugin", "restart", "n")).isEqualTo(1);
        assertThat(err).contains("n  n 1  backoff: it broke", "tries again");
        assertThat(mcc("plugin", "deploy", jar.toString(), "--json")).isEqualTo(1);
        assertThat(out).startsWith("{\"id\":\"n\"");
        node.on("POST /api/v1/plugins ", 201, plugin.formatted("running", "null"));
        assertThat(mcc("plugin", "deploy", jar.toString())).isZero();
        assertThat(out).isEqualTo("deployed n  n 1  running\n");
    }

    @Test
    void aTokenFoundOnThisMachineStaysOnIt() {
        assertThat(Rest.at("http://127.0.0.1:1", 1, null).isLocal()).isTrue();
        assertThat(Rest.at("http://[::1]:1/", 1, null).isLocal()).isTrue();
        assertThat(Rest.at("http://192.0.2.1:1", 1, null).isLocal()).isFalse();
        assertThat(Rest.at("http://127.evil.example:1", 1, null).isLocal()).isFalse();
    }

    @Test
    void doctorTellsEachFindingWithItsRemedy() {
        node.on("GET /api/v1/node", 200, NODE.formatted(FORWARD_DOWN))
                .on(
                        "GET /health/ready",
                        503,
                        "{\"checks\":[{\"id\":\"dht\",\"status\":\"down\",\"detail\":\"no answer\"}]}")
                .on("GET /api/v1/peers", 200, "{\"items\":[]}")
                .on("GET /api/v1/nat", 200, "{\"verdict\":\"No NAT\",\"mapping\":\"none\"}")
                .on("GET /api/v1/registrations", 200, "{\"items\":[]}");
        assertThat(mcc("doctor")).isEqualTo(8);
        assertThat(out.lines().skip(1))
                .containsExactly(
                        "ok    node abcdefgh answers, up 1h2m",
                        "fail  dht: no answer",
                        "      -> wait for it, or see: mcc events --history",
                        "warn  no peers: this node is alone",
                        "      -> mcc run --bootstrap HOST:PORT, with the UDP address of any other node",
                        "ok    NAT: No NAT",
                        "fail  forward down",
                        "      -> free the port");
    }

    @Test
    void netcheckSaysWhatNatThereIsInOneLineAndWhatToDoInTheNext() {
        String side = "{\"address\":%s,\"mapping\":\"%s\",\"ports\":\"%s\",\"publicAddresses\":[%s],"
                + "\"filtering\":\"%s\",\"reachable\":\"%s\"}";
        String v4 = side.formatted(
                "\"198.51.100.9:9376\"",
                "endpoint-dependent",
                "sequential +1",
                "\"198.51.100.9\",\"198.51.100.10\"",
                "address-dependent",
                "no");
        String v6 = side.formatted("null", "unknown", "unknown", "", "unknown", "unknown");
        node.on(
                "GET /api/v1/nat",
                200,
                "{\"verdict\":\"Relays help.\",\"udp\":\"ok\",\"ipv4\":" + v4 + ",\"ipv6\":" + v6
                        + ",\"addresses\":[\"192.168.1.5:9376\"],\"votes\":[],\"portMapping\":{\"verdict\":\"PCP ok\","
                        + "\"address\":\"198.51.100.9:50000\"}}");
        assertThat(mcc("netcheck")).isZero();
        assertThat(out.lines())
                .startsWith(
                        "UDP ok · IPv4 198.51.100.9:9376 · IPv6 none · mapping endpoint-dependent, ports sequential +1"
                                + " · filtering address-dependent · reachable no",
                        "public addresses 198.51.100.9, 198.51.100.10",
                        "=> Relays help.",
                        "PCP ok · 198.51.100.9:50000",
                        "addresses 192.168.1.5:9376");
    }

    @Test
    void configCheckNamesTheUnknownKeyAndTheNearest(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("mcc.yaml"), "htttp: 127.0.0.1:1\n");
        assertThat(mcc("config", "check", "--config", file.toString())).isEqualTo(1);
        assertThat(err).contains("unknown key 'htttp'").contains("did you mean 'http'?");
        for (String bad : List.of("listen: foo", "socks: foo", "bootstrap: KEY@127.0.0.1:1", "bootstrap: [a:1, b]")) {
            Files.writeString(file, bad + "\n");
            assertThat(mcc("config", "check", "--config", file.toString()))
                    .as(bad)
                    .isEqualTo(1);
            assertThat(err).contains(bad.substring(0, bad.indexOf(':')));
        }
        Files.writeString(file, "http: 127.0.0.1:1\n");
        assertThat(mcc("config", "check", "--config", file.toString())).isZero();
        assertThat(out).containsPattern("http +127.0.0.1:1 ");
    }

    @Test
    void helpAndVersionAndCompletionNeedNoNode() {
        assertThat(mcc("--help")).isZero();
        for (String verb : List.of("run", "demo", "register", "forward", "status", "doctor")) {
            assertThat(out).containsPattern("(?m)^  " + verb + " +\\w");
        }
        String help = out;
        assertThat(mcc("help")).isZero();
        assertThat(out).isEqualTo(help);
        for (String verb : List.of("forward", "run")) {
            assertThat(mcc(verb, "--help")).isZero();
            help = out;
            assertThat(mcc("help", verb)).isZero();
            assertThat(out).isEqualTo(help).contains("mcc " + verb);
        }
        assertThat(mcc("--version")).isZero();
        assertThat(out).startsWith("mcc ").contains("Java ");
        for (String shell : List.of("bash", "zsh", "fish")) {
            assertThat(mcc("completion", shell)).isZero();
            assertThat(out).contains("forward", "discover", "--bootstrap".substring(2));
        }
        assertThat(mcc("run", "--help")).isZero();
        assertThat(out).contains("--bootstrap=VALUE", "--tun[=VALUE]", "default 127.0.0.1:8080");
        assertThat(mcc()).isEqualTo(2);
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void everyVerbIsInTheHelpText() {
        PrintStream nowhere = new PrintStream(PrintStream.nullOutputStream());
        Cli cli = new Cli(nowhere, nowhere, Map.of(), false);
        assertThat(mcc("--help")).isZero();
        for (String verb : cli.commandLine(List.of()).getSubcommands().keySet()) {
            assertThat(out).containsPattern("(?m)^  " + verb + " +\\w");
        }
    }

    @Test
    void aSimulationPrintsOneLineOfJson() {
        assertThat(mcc("sim", "lookups", "--nodes", "20", "--seed", "7", "--json"))
                .isZero();
        Json report = Json.parse(out);
        assertThat(report).isNotNull();
        assertThat(report.at("scenario").text("")).isEqualTo("lookups");
        assertThat(report.at("nodes").number(0)).isEqualTo(20);
        assertThat(report.at("traceHash").text("")).hasSize(16);
        assertThat(report.at("requestsMean").text("")).matches("[1-9][0-9]?\\.[0-9]{3}");
        assertThat(mcc("sim", "nothing")).isEqualTo(2);
        assertThat(mcc("sim", "--list")).isZero();
        assertThat(out.lines()).contains("lookups");
    }

    @Test
    void aSimulationSaysNothingOfWhatItDoesNotMeasureAndRefusesWhatItWouldIgnore() {
        assertThat(mcc("sim", "registry", "--nodes", "20", "--seed", "5")).isZero();
        assertThat(out).contains("successPermille").doesNotContain("requests");
        assertThat(mcc("sim", "registry", "--churn-median-min", "60")).isEqualTo(2);
        assertThat(err).contains("no node dies at random in 'registry'", "leave --churn-median-min out");
        assertThat(mcc("sim", "packets", "--churn-median-min", "0")).isEqualTo(2);
        assertThat(mcc("sim", "lookups", "--nodes", "20", "--churn-median-min", "30"))
                .isZero();
    }

    /** What the line says that replays a failed run, the command line reads. */
    @Test
    void aSimulationTakesEveryFaultAsAnOption() {
        String all = "--fidelity messages --loss-ppm 1000 --latency-min 10ms --latency-max 20ms --stall-ppm 5000"
                + " --liars-permille 1 --one-way-permille 2 --stale-address-permille 3 --dead-bootstraps-permille 4"
                + " --cut-off-permille 5";
        assertThat(mcc(("sim registry --nodes 20 --seed 5 " + all).split(" "))).isZero();
        assertThat(mcc("sim", "registry", "--fidelity", "atoms")).isEqualTo(2);
        assertThat(err).contains("there is no fidelity 'atoms'", "one of: messages, packets");
        assertThat(mcc("sim", "registry", "--liars-permille", "1001")).isEqualTo(2);
        assertThat(err).contains("a share is 0 to 1000 of 1,000");
        assertThat(mcc("sim", "packets", "--fidelity", "messages")).isEqualTo(2);
    }
}
