package mcc.crypto;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Public test vectors, kept beside the project: {@code ../shared/vectors}, or where {@code MCC_VECTORS} points. */
public final class Vectors {
    private Vectors() {}

    /** Reads one file; skips the test where the folder is absent, fails it there when {@code MCC_REQUIRE_ALL=1}. */
    public static JsonNode read(String file) {
        String set = System.getenv("MCC_VECTORS");
        Path path = Path.of(set != null ? set : "../shared/vectors").resolve(file);
        if (!Files.exists(path)) {
            String missing =
                    "public test vectors are missing: put " + file + " into ../shared/vectors or set MCC_VECTORS";
            if ("1".equals(System.getenv("MCC_REQUIRE_ALL"))) throw new AssertionError(missing);
            assumeTrue(Files.exists(path), missing);
        }
        try {
            return new ObjectMapper().readTree(path.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One test of a Wycheproof file with the group that holds it. */
    public record Case(JsonNode group, JsonNode test) {
        public byte[] bytes(String field) {
            return hex(test.get(field).asText());
        }

        public boolean is(String result) {
            return test.get("result").asText().equals(result);
        }

        @Override
        public String toString() {
            return "tcId " + test.get("tcId") + " " + test.get("comment").asText();
        }
    }

    /** All tests of a Wycheproof file. */
    public static List<Case> wycheproof(String file) {
        List<Case> out = new ArrayList<>();
        for (JsonNode group : read(file).get("testGroups")) {
            for (JsonNode test : group.get("tests")) out.add(new Case(group, test));
        }
        return out;
    }

    public static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }
}
