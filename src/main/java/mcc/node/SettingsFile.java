package mcc.node;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * The configuration file: YAML with keys, texts and lists of texts. A value is the text as written: YAML's guesses, by which
 * {@code no} is false, {@code 010} is 8 and {@code 1.10} is 1.1, are not used; each setting interprets its own text. Every
 * error names line and column.
 */
final class SettingsFile {
    /** A value and its place, in words with which an error may begin. */
    record Value(String text, String where) {}

    private static final int MAX_BYTES = 64 << 10;
    private static final int DEPTH = 4;

    private final Path file;
    private final Map<String, Value> values = new LinkedHashMap<>();

    private SettingsFile(Path file) {
        this.file = file;
    }

    /**
     * Reads a file: its values by their full names, in the order of the file.
     *
     * @throws Problem if it is not such a file
     */
    static Map<String, Value> read(Path file) {
        SettingsFile out = new SettingsFile(file);
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(MAX_BYTES);
        try {
            Node root = new Yaml(new SafeConstructor(options)).compose(new java.io.StringReader(text(file)));
            if (root != null && !out.isNull(root)) out.map("", root, 0);
        } catch (MarkedYAMLException e) {
            Mark mark = e.getProblemMark() == null ? e.getContextMark() : e.getProblemMark();
            throw new Problem(
                    "config",
                    (mark == null ? "configuration file " + file : out.at(mark)) + ": this is not YAML: "
                            + LogText.plain(String.valueOf(e.getProblem())),
                    "correct that line; a value that contains ':', '#', '[' or '{' needs quotes");
        } catch (YAMLException e) {
            throw new Problem(
                    "config",
                    "configuration file " + file + " is not YAML: " + LogText.plain(Problem.text(e)),
                    "compare it with conf/single-node.yaml");
        }
        return out.values;
    }

    private static String text(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new Problem(
                        "config",
                        "configuration file " + file + " is longer than " + MAX_BYTES + " bytes",
                        "is this the right file? conf/single-node.yaml shows every key");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            throw new Problem("config", "configuration file " + file + " is not text in UTF-8", "save it as UTF-8");
        } catch (IOException e) {
            boolean missing = !Files.exists(file);
            throw new Problem(
                    "config",
                    "configuration file " + file
                            + (missing ? " does not exist" : " cannot be read: " + Problem.text(e)),
                    missing ? "check the path given to --config" : "make it readable");
        }
    }

    private String at(Mark mark) {
        return file + ", line " + (mark.getLine() + 1) + ", column " + (mark.getColumn() + 1);
    }

    private Problem odd(Node at, String what, String hint) {
        return new Problem("config", at(at.getStartMark()) + ": " + what, hint);
    }

    private void map(String prefix, Node node, int depth) {
        if (!(node instanceof MappingNode map)) {
            throw odd(node, "there must be keys and values", "write lines such as http: 127.0.0.1:8080");
        }
        if (depth > DEPTH) throw odd(node, "keys are nested too deep", "write a.b: VALUE in one line");
        for (NodeTuple each : map.getValue()) {
            if (!(each.getKeyNode() instanceof ScalarNode key)) {
                throw odd(each.getKeyNode(), "this is not a key", "write lines such as http: 127.0.0.1:8080");
            }
            String name = prefix + key.getValue();
            if (each.getValueNode() instanceof MappingNode) map(name + ".", each.getValueNode(), depth + 1);
            else add(name, key, each.getValueNode());
        }
    }

    private void add(String name, ScalarNode key, Node node) {
        if (!Settings.isKey(name)) {
            String plain = LogText.plain(name);
            throw odd(key, "unknown key '" + plain + "' in " + file, "did you mean '" + Settings.nearest(plain) + "'?");
        }
        Value before = values.put(name, new Value(value(name, node), at(key.getStartMark())));
        if (before == null) return;
        throw odd(key, "key '" + name + "' is given a second time, after " + before.where(), "remove one of the two");
    }

    private String value(String name, Node node) {
        if (node instanceof ScalarNode scalar) return isNull(scalar) ? "" : scalar.getValue();
        List<String> parts = new ArrayList<>();
        if (node instanceof SequenceNode list && Settings.isList(name)) {
            for (Node part : list.getValue()) {
                if (!(part instanceof ScalarNode scalar)) {
                    throw odd(part, name + " takes a list of texts", "write - and one value a line");
                }
                parts.add(isNull(scalar) ? "" : scalar.getValue());
            }
            return String.join(",", parts);
        }
        throw odd(node, name + " takes one value, not a list", "write " + name + ": VALUE");
    }

    /** Whether YAML takes it for an empty value. */
    private boolean isNull(@Nullable Node node) {
        return node instanceof ScalarNode scalar
                && scalar.getScalarStyle() == DumperOptions.ScalarStyle.PLAIN
                && List.of("", "~", "null").contains(scalar.getValue());
    }
}
