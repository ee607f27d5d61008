package mcc.arch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What class files cannot show: charters, lengths, leftovers, and that the documents speak of what exists. */
class TidyTest {
    private static final Path MAIN = Path.of("src/main/java/mcc");
    private static final Path TEST = Path.of("src/test/java/mcc");
    private static final List<String> PURE = List.of(
            "core",
            "wire",
            "crypto",
            "consortium",
            "tun",
            "session",
            "congestion",
            "stream",
            "nat",
            "link",
            "dht",
            "registry",
            "overlay");

    @Test
    void everyRoomHasItsCharter() throws IOException {
        try (Stream<Path> rooms = Files.list(MAIN)) {
            for (Path room : Stream.concat(Stream.of(MAIN), rooms.filter(Files::isDirectory))
                    .toList()) {
                Path charter = room.resolve("package-info.java");
                assertThat(charter).exists();
                List<String> lines = lines(charter);
                assertThat(lines.size()).as(room + "'s charter").isBetween(12, 45);
                assertThat(String.join("\n", lines)).contains("@NullMarked", "Invariants:", "Sources:");
            }
        }
    }

    @Test
    void filesMethodsAndLinesStayReadable() {
        List<String> faults = new ArrayList<>();
        for (Path file : sources(MAIN)) {
            List<String> lines = lines(file);
            if (lines.size() > 800) faults.add(file + " has " + lines.size() + " lines");
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).length() > 130) faults.add(file + ":" + (i + 1) + " is too long");
            }
            faults.addAll(longMethods(file, lines));
        }
        assertThat(faults).isEmpty();
    }

    /** The formatter puts a method's head at four spaces and its end at four as well, or at eight in a nested type. */
    static List<String> longMethods(Path file, List<String> lines) {
        List<String> faults = new ArrayList<>();
        Pattern head = Pattern.compile("( {4}| {8})(?!\\s)[\\w@<].*\\) (throws .*)?\\{");
        Pattern statement =
                Pattern.compile("(if|for|while|switch|try|return|synchronized|do|else)\\b.*|.*(->| = |\\brecord\\b).*");
        for (int i = 0; i < lines.size(); i++) {
            Matcher m = head.matcher(lines.get(i));
            if (!m.matches() || statement.matcher(lines.get(i).strip()).matches()) continue;
            String end = m.group(1) + "}";
            int j = i + 1;
            while (j < lines.size() && !lines.get(j).equals(end)) j++;
            if (j - i - 1 > 70) faults.add(file + ":" + (i + 1) + " is " + (j - i - 1) + " lines long");
        }
        return faults;
    }

    @Test
    void theLongMethodsOfAPlantedFileAreSeen() {
        List<String> lines = new ArrayList<>(List.of("class A {", "    void long1() {"));
        for (int i = 0; i < 71; i++) lines.add("        x();");
        lines.add("    }");
        assertThat(longMethods(Path.of("planted"), lines)).hasSize(1);
    }

    @Test
    void nothingIsLeftOver() {
        Pattern leftover = Pattern.compile(
                "\\b(TODO|FIXME|XXX)\\b|@Disabled|printStackTrace|Thread\\.sleep|TimeUnit\\.[A-Z]+\\.sleep|assumeTrue\\(false");
        List<String> faults = new ArrayList<>();
        for (Path root : List.of(MAIN, TEST)) {
            for (Path file : sources(root)) {
                if (file.endsWith("TidyTest.java")) continue;
                List<String> lines = lines(file);
                for (int i = 0; i < lines.size(); i++) {
                    String line = lines.get(i);
                    if (leftover.matcher(line).find()) faults.add(file + ":" + (i + 1) + " " + line.strip());
                    if (line.matches("import .*\\*;")) faults.add(file + ":" + (i + 1) + " wildcard import");
                }
            }
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void onlyTheCommandLineWritesToTheConsole() {
        for (Path file : sources(MAIN)) {
            String path = file.toString();
            if (path.contains("/cli/") || path.endsWith("/Run.java") || path.endsWith("/Main.java")) continue;
            assertThat(text(file)).as(path).doesNotContain("System.out.", "System.err.");
        }
    }

    @Test
    void switchesOfPureRoomsOverSealedTypesHaveNoDefault() {
        // A default over numbers, strings and enumerations of other makes is allowed; over records it hides a new one.
        Pattern recordCase =
                Pattern.compile("case [A-Z][\\w.]*\\.[A-Z]\\w* \\w+ (when .*)?->|case [A-Z][\\w.]*\\([^)]*\\) ->");
        List<String> faults = new ArrayList<>();
        for (String room : PURE) {
            for (Path file : sources(MAIN.resolve(room))) {
                String text = text(file);
                for (String block : text.split("switch \\(")) {
                    int end = block.indexOf("\n    }\n");
                    String body = end < 0 ? block : block.substring(0, end);
                    boolean records = recordCase.matcher(body).find();
                    if (records && body.contains("default ->") && !body.contains("case null, default ->")) {
                        faults.add(file + ": " + body.lines().findFirst().orElse(""));
                    }
                }
            }
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void decisionsAreNumberedWithoutGaps() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("docs/decisions"))) {
            List<String> names =
                    files.map(f -> f.getFileName().toString()).sorted().toList();
            for (int i = 0; i < names.size(); i++) {
                assertThat(names.get(i))
                        .startsWith(String.format("%04d-", i + 1))
                        .endsWith(".md");
                assertThat(lines(Path.of("docs/decisions", names.get(i))).size())
                        .as(names.get(i))
                        .isLessThanOrEqualTo(60);
            }
        }
    }

    /** Documents point into the code as {@code file#member}: both must exist. */
    @Test
    void theDocumentsPointAtWhatExists() throws IOException {
        Pattern anchor = Pattern.compile("`([\\w/]+\\.java)(?:#(\\w+))?`");
        List<String> faults = new ArrayList<>();
        int seen = 0;
        try (Stream<Path> docs = Files.walk(Path.of("docs"))) {
            for (Path doc : docs.filter(f -> f.toString().endsWith(".md")).toList()) {
                Matcher m = anchor.matcher(text(doc));
                while (m.find()) {
                    seen++;
                    Path file = MAIN.resolve(m.group(1));
                    if (!Files.exists(file)) file = TEST.resolve(m.group(1));
                    if (!Files.exists(file)) faults.add(doc + " names " + m.group(1) + ", which does not exist");
                    else if (m.group(2) != null && !text(file).contains(m.group(2))) {
                        faults.add(doc + " names " + m.group());
                    }
                }
            }
        }
        assertThat(faults).isEmpty();
        assertThat(seen).as("anchors found").isPositive();
    }

    /** The glossary's third column names a class: it must exist. */
    @Test
    void theGlossarysClassesExist() {
        Pattern name = Pattern.compile("`mcc\\.([\\w.]+)`");
        Matcher m = name.matcher(text(Path.of("docs/glossary.md")));
        int seen = 0;
        while (m.find()) {
            seen++;
            Path file = MAIN.resolve(m.group(1).replace('.', '/') + ".java");
            assertThat(file).exists();
        }
        assertThat(seen).isGreaterThan(10);
    }

    /** What tests ask for by {@code Needs.program} is what the machine that runs them gets, neither less nor more. */
    @Test
    void theMachineThatRunsTheTestsGetsWhatTheyNeed() {
        Pattern need = Pattern.compile("Needs\\.program\\(\"([\\w-]+)\", \"([\\w-]+)\"\\)");
        Set<String> asked = new TreeSet<>();
        for (Path file : sources(TEST)) {
            if (file.startsWith(TEST.resolve("bench")) || file.endsWith("TidyTest.java")) continue;
            for (String line : lines(file)) {
                if (!line.contains("Needs.program(")) continue;
                Matcher m = need.matcher(line);
                assertThat(m.find()).as("both names are told in: " + line).isTrue();
                asked.add(m.group(1) + " " + m.group(2));
            }
        }
        Set<String> installed = new TreeSet<>();
        Matcher m = Pattern.compile("(?m)^ {2}\"([\\w-]+ [\\w-]+)\"$").matcher(text(Path.of(".ci/run")));
        while (m.find()) installed.add(m.group(1));
        assertThat(installed).isEqualTo(asked);
    }

    private static List<Path> sources(Path root) {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(f -> f.toString().endsWith(".java")).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(Path file) {
        return String.join("\n", lines(file)) + "\n";
    }
}
