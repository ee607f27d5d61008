package mcc.cli;

import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs about the way to a peer: how long it is, and why it is this one. */
final class PathVerbs {
    private static final String WHO =
            "8 or more characters of its ID, see 'mcc peers'; or SERVICE#ENDPOINT, see 'mcc" + " discover'";
    private static final int PINGS = 3;
    /** With {@code --until-direct}: a punch that succeeds does so within seconds, the second one after five. */
    private static final int PINGS_UNTIL_DIRECT = 30;

    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss.S", Locale.ROOT);

    private final Cli cli;

    PathVerbs(Cli cli) {
        this.cli = cli;
    }

    void addTo(Map<String, Supplier<Object>> verbs) {
        verbs.put("ping", Ping::new);
        verbs.put(
                "explain",
                () -> Verb.group("explain", "why the path to a peer is what it is", "mcc explain path PEER")
                        .addSubcommand("path", new ExplainPath()));
    }

    private static String pathOf(String peer) {
        return "/peers/" + Rest.segment(peer) + "/path";
    }

    /** The kind of a path, and the relay or the address on it. */
    private static String way(String kind, Json relay, Json address) {
        String where = relay.isMissing() ? address.text("") : Text.shortId(relay.text(""));
        return where.isEmpty() ? kind : kind + " " + where;
    }

    @Command(
            description = "the round-trip time and the path to a peer",
            footer =
                    "%nExit code 0 if the peer answered, with --until-direct once a path without a relay stands; else 1.")
    final class Ping implements Callable<Integer> {
        @Parameters(paramLabel = "PEER", description = WHO)
        String peer = "";

        @Option(
                names = {"-c", "--count"},
                paramLabel = "N",
                description = "how often; default " + PINGS + ", with --until-direct at most " + PINGS_UNTIL_DIRECT)
        int count;

        @Option(names = "--until-direct", description = "ping until the path needs no relay")
        boolean untilDirect;

        @Option(
                names = "--interval",
                paramLabel = "TIME",
                defaultValue = "1s",
                description = "with --until-direct: from one ping to the next; default ${DEFAULT-VALUE}")
        String interval = "1s";

        @Override
        public Integer call() {
            int max = untilDirect ? 1_000 : 20;
            if (count < 0 || count > max) throw Failure.usage("--count " + count, "ping 1 to " + max + " times");
            if (untilDirect) return untilDirect(count == 0 ? PINGS_UNTIL_DIRECT : count);
            Rest.Reply reply = ping(count == 0 ? PINGS : count);
            return cli.show(reply, answer -> {
                int number = 0;
                for (Json ping : answer.at("pings").items()) line(++number, ping, "");
            });
        }

        private Rest.Reply ping(int times) {
            try {
                return cli.rest().post("/peers/" + Rest.segment(peer) + "/ping?count=" + times, null);
            } catch (Failure f) {
                if (f.exit() != Failure.TIMED_OUT) throw f;
                throw new Failure(Failure.FAILED, f.title(), f.detail(), f.hint());
            }
        }

        private int untilDirect(int times) {
            long pauseMs = Cli.ms("--interval", interval);
            boolean relayed = false;
            for (int number = 1; number <= times; number++) {
                if (number > 1) Cli.pause(pauseMs);
                Rest.@Nullable Reply reply = tried();
                if (reply == null) {
                    if (!cli.json) cli.out.println(number + "  no answer");
                    continue;
                }
                Json ping = reply.json().at("pings").items().getFirst();
                String kind = ping.at("path").text("none");
                boolean direct = kind.equals("direct") || kind.equals("lan");
                if (cli.json) cli.printJson(reply.body());
                else line(number, ping, direct && !relayed ? "" : progress(direct));
                if (direct) return Failure.OK;
                relayed = true;
            }
            throw new Failure(
                    Failure.FAILED,
                    "No direct path",
                    "after " + times + (times == 1 ? " ping" : " pings"),
                    "mcc explain path " + peer);
        }

        /** Null where no answer came; whatever else fails ends the pings. */
        private Rest.@Nullable Reply tried() {
            try {
                return ping(1);
            } catch (Failure f) {
                if (f.exit() != Failure.FAILED) throw f;
                return null;
            }
        }

        private String progress(boolean direct) {
            Json path = cli.rest().get(pathOf(peer)).json();
            if (direct) {
                String took = upgrade(path.at("changes").items());
                return took.isEmpty() ? "" : "upgraded after " + took;
            }
            List<Json> attempts = path.at("punching").at("attempts").items();
            int candidates = attempts.isEmpty()
                    ? 0
                    : attempts.getLast().at("candidates").items().size();
            if (candidates == 0) return "";
            return "punching: " + candidates + (candidates == 1 ? " candidate" : " candidates");
        }

        private void line(int number, Json ping, String progress) {
            String rtt = ping.at("rttMs").isMissing() ? "no answer" : Text.latency(ping.at("rttMs"));
            String way = way(ping.at("path").text("-"), ping.at("relay"), ping.at("address"));
            cli.out.println(number + "  " + way + "  " + rtt + (progress.isEmpty() ? "" : "   " + progress));
        }
    }

    /** How long relays served before the newest direct path, such as {@code 1.5 s}; empty if none did. */
    private static String upgrade(List<Json> changes) {
        Instant relayed = null;
        Instant direct = null;
        for (Json change : changes) {
            boolean relay = change.at("path").text("").equals("relay");
            Instant at = instant(change.at("at"));
            if (relay && (relayed == null || direct != null)) {
                relayed = at;
                direct = null;
            } else if (!relay && direct == null) direct = at;
        }
        if (relayed == null || direct == null) return "";
        long ms = direct.toEpochMilli() - relayed.toEpochMilli();
        return String.format(Locale.ROOT, "%.1f s", ms / 1_000.0);
    }

    private static @Nullable Instant instant(Json time) {
        try {
            return Instant.parse(time.text(""));
        } catch (DateTimeParseException _) {
            return null;
        }
    }

    private static String clock(Json time) {
        Instant at = instant(time);
        return at == null
                ? "-"
                : LocalTime.ofInstant(at, ZoneId.systemDefault()).format(CLOCK);
    }

    @Command(
            description = "why the path to a peer is what it is, what was tried, and who could change what",
            footer = "%nAn address is silent when neither a handshake nor a challenge was answered there.")
    final class ExplainPath implements Callable<Integer> {
        @Parameters(paramLabel = "PEER", description = WHO)
        String peer = "";

        @Override
        public Integer call() throws Exception {
            return cli.repeat(() -> cli.show(cli.rest().get(pathOf(peer)), this::print));
        }

        private void print(Json answer) {
            Json path = answer.at("path");
            cli.out.println(Text.shortId(answer.at("id").text("-")) + "  "
                    + way(path.at("tx").text("none"), first(path.at("via")), path.at("address")) + "  "
                    + Text.latency(answer.at("rttMs")));
            cli.out.println("=> " + answer.at("verdict").text("-"));
            Json here = answer.at("here");
            cli.out.println("this node  mapping " + here.at("mapping").text("unknown") + ", filtering "
                    + here.at("filtering").text("unknown") + ", reachable "
                    + here.at("reachable").text("unknown") + "; "
                    + here.at("voices").text("0") + " networks say what they see"
                    + (here.at("seenByPeer").isMissing()
                            ? ""
                            : "; this peer sees it at " + here.at("seenByPeer").text("")));
            advice(answer, "this");
            Json there = answer.at("there");
            cli.out.println("the peer   mapping " + there.at("mapping").text("unknown") + ", ports "
                    + there.at("ports").text("unknown"));
            advice(answer, "peer");
            changes(answer.at("changes").items());
            tries(answer.at("tries").items());
            punching(answer.at("punching"));
            if (answer.at("dropped").number(0) > 0) {
                cli.out.println(answer.at("dropped").text("") + " older entries were dropped");
            }
        }

        private static Json first(Json list) {
            return list.items().isEmpty() ? Json.NONE : list.items().getFirst();
        }

        private void advice(Json answer, String side) {
            for (Json each : answer.at("advice").items()) {
                if (each.at("side").text("").equals(side)) {
                    cli.out.println("           -> " + each.at("text").text(""));
                }
            }
        }

        private void changes(List<Json> changes) {
            Table table = new Table("SINCE", "PATH", "WHERE", "RTT", "WHY");
            for (Json each : changes) {
                table.row(
                        clock(each.at("at")),
                        each.at("path").text("-"),
                        where(each),
                        Text.latency(each.at("rttMs")),
                        each.at("why").text("-"));
            }
            cli.print(table, "no path has been used yet");
        }

        private void tries(List<Json> tries) {
            Table table = new Table("TRIED", "STATE", "TIMES", "FIRST", "LAST", "ANSWERED", "RTT");
            for (Json each : tries) {
                table.row(
                        where(each),
                        each.at("state").text("-"),
                        each.at("times").text("0"),
                        clock(each.at("firstAt")),
                        clock(each.at("lastAt")),
                        clock(each.at("answeredAt")),
                        Text.latency(each.at("rttMs")));
            }
            if (!table.isEmpty()) cli.print(table, "");
        }

        private static String where(Json each) {
            if (!each.at("relay").isMissing())
                return "via " + Text.shortId(each.at("relay").text(""));
            return each.at("address").text("-");
        }

        private void punching(Json punching) {
            Table table = new Table("PUNCHED", "OUTCOME", "CHALLENGES", "TOOK", "ADDRESSES");
            for (Json each : punching.at("attempts").items()) {
                table.row(
                        clock(each.at("at")),
                        each.at("outcome").text("-"),
                        each.at("challenges").text("0"),
                        Text.span(each.at("tookMs")),
                        each.at("candidates").text("-"));
            }
            if (table.isEmpty()) return;
            cli.print(table, "");
            String next = punching.at("nextInMs").isMissing()
                    ? ""
                    : ", the next one in " + Text.span(punching.at("nextInMs"));
            String total = punching.at("attemptsTotal").text("0");
            cli.out.println("spent: " + total + (total.equals("1") ? " attempt, " : " attempts, ")
                    + punching.at("challenges").text("0") + " challenges; refused: "
                    + punching.at("refused").text("0") + next);
        }
    }
}
