package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.vertx.core.json.JsonObject;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mcc.node.Problem;
import org.junit.jupiter.api.Test;

class ContractTest {
    private final Contract contract = Contract.load();

    private Contract.Operation operation(String id) {
        Contract.Operation found = contract.operation(id);
        if (found == null) throw new AssertionError(id);
        return found;
    }

    private List<String> faults(String body) {
        Problem problem = catchThrowableOfType(
                Problem.class, () -> contract.checkBody(operation("putRegistration"), new JsonObject(body)));
        assertThat(problem.code()).isEqualTo("validation");
        return problem.faults().stream()
                .map(f -> f.pointer() + " " + f.detail())
                .toList();
    }

    @Test
    void eachWrongFieldIsNamedOnce() {
        assertThat(faults("{\"service\":7,\"port\":\"a\",\"color\":1}"))
                .containsExactly(
                        "/service expected string, not number",
                        "/port expected integer, not string",
                        "/color there is no such field");
        assertThat(faults("{\"port\":70000,\"tags\":[1],\"meta\":{\"a\":1}}"))
                .containsExactlyInAnyOrder(
                        "/ \"service\" is missing",
                        "/port 70000 is greater than 65535",
                        "/tags/0 expected string, not number",
                        "/meta/a expected string, not number");
        assertThat(faults("{\"service\":\"x\",\"port\":1,\"check\":{\"type\":\"x\",\"intervalMs\":1,\"kind\":1}}"))
                .containsExactlyInAnyOrder(
                        "/check/type expected one of [\"tcp\",\"http\",\"ttl\",\"none\"]",
                        "/check/intervalMs 1 is less than 200",
                        "/check/kind there is no such field");
    }

    /** A body that counts how many of its fields were looked at. */
    private static JsonObject counted(Map<String, Object> fields, int[] looks) {
        return new JsonObject(new AbstractMap<>() {
            @Override
            public Set<Entry<String, Object>> entrySet() {
                return new AbstractSet<>() {
                    @Override
                    public Iterator<Entry<String, Object>> iterator() {
                        Iterator<Entry<String, Object>> all = fields.entrySet().iterator();
                        return new Iterator<>() {
                            @Override
                            public boolean hasNext() {
                                return all.hasNext();
                            }

                            @Override
                            public Entry<String, Object> next() {
                                looks[0]++;
                                return all.next();
                            }
                        };
                    }

                    @Override
                    public int size() {
                        return fields.size();
                    }
                };
            }

            @Override
            public boolean containsKey(Object key) {
                return fields.containsKey(key);
            }

            @Override
            public Object get(Object key) {
                return fields.get(key);
            }
        });
    }

    @Test
    void thereIsNoMoreWorkThanThereAreFaultsToTell() {
        Map<String, Object> fields = new LinkedHashMap<>(Map.of("service", "x", "port", 1));
        for (int i = 0; i < 5_000; i++) fields.put("unknown" + i, i);
        int[] looks = {0};
        JsonObject body = counted(fields, looks);
        Problem problem =
                catchThrowableOfType(Problem.class, () -> contract.checkBody(operation("putRegistration"), body));
        assertThat(problem.faults()).hasSize(20);
        assertThat(looks[0]).as("fields looked at").isLessThan(30);
    }

    @Test
    void eachFieldOfAGoodBodyIsLookedAtOnce() {
        Map<String, Object> meta = new LinkedHashMap<>();
        for (int i = 0; i < 5_000; i++) meta.put("k" + i, "v");
        int[] looks = {0};
        JsonObject body = new JsonObject().put("service", "x").put("port", 1).put("meta", counted(meta, looks));
        contract.checkBody(operation("putRegistration"), body);
        assertThat(looks[0]).as("fields looked at").isEqualTo(5_000);
    }

    @Test
    void whatAStrangerWroteIsNotToldBackWhole() {
        String name = "a/b~" + "x".repeat(100_000);
        Problem problem = catchThrowableOfType(
                Problem.class, () -> contract.checkBody(operation("putRegistration"), new JsonObject().put(name, 1)));
        assertThat(problem.faults().getLast().pointer())
                .startsWith("/a~1b~0xxx")
                .hasSizeLessThan(100);
        assertThat(problem.detail()).hasSizeLessThan(300);
    }

    @Test
    void numbersThatAreNoIntegersHereAreRefused() {
        assertThat(faults("{\"service\":\"x\",\"port\":1e300}")).containsExactly("/port expected integer, not number");
        assertThat(faults("{\"service\":\"x\",\"port\":1.5}")).containsExactly("/port expected integer, not number");
        assertThat(faults("{\"service\":\"x\",\"port\":99999999999999999999}"))
                .containsExactly("/port expected integer, not number");
        assertThat(faults("{\"service\":null,\"port\":1,\"check\":null}"))
                .containsExactly("/service expected string, not null", "/check expected object, not null");
        contract.checkBody(operation("putRegistration"), new JsonObject("{\"service\":\"x\",\"port\":1.0}"));
    }

    @Test
    void aKeywordThatWouldNotBeCheckedStopsTheStart() {
        assertThatThrownBy(() -> new Schema(new JsonObject("{\"type\":\"string\",\"maxLength\":3}")))
                .hasMessageContaining("maxLength");
    }

    @Test
    void aFieldToSortByThatIsNoneIsRefusedWithThoseThereAre() {
        Contract.Operation list = operation("listRegistrations");
        assertThat(contract.checkParameters(list, Map.of("sort", "-port")).getString("sort"))
                .isEqualTo("-port");
        assertThatThrownBy(() -> contract.checkParameters(list, Map.of("sort", "bogus")))
                .isInstanceOfSatisfying(
                        Problem.class,
                        p -> assertThat(p.hint())
                                .contains("\"port\"", "\"-port\"")
                                .doesNotContain("\"tags\""));
    }

    @Test
    void whatIsSortedByAreThePlainFieldsOfTheItems() {
        int lists = 0;
        for (Contract.Operation each : contract.operations()) {
            for (Contract.Parameter p : each.parameters()) {
                if (!p.name().equals("sort")) continue;
                lists++;
                assertThat(p.schema().getJsonArray("enum").stream().map(String::valueOf))
                        .as(each.id())
                        .containsExactlyInAnyOrderElementsOf(sortable(each));
            }
        }
        assertThat(lists).isEqualTo(8);
    }

    private List<String> sortable(Contract.Operation list) {
        JsonObject items = contract.document()
                .getJsonObject("paths")
                .getJsonObject(list.path())
                .getJsonObject("get")
                .getJsonObject("responses")
                .getJsonObject("200")
                .getJsonObject("content")
                .getJsonObject("application/json")
                .getJsonObject("schema")
                .getJsonObject("properties")
                .getJsonObject("items")
                .getJsonObject("items");
        String name = items.getString("$ref").replaceFirst(".*/", "");
        JsonObject fields = contract.document()
                .getJsonObject("components")
                .getJsonObject("schemas")
                .getJsonObject(name)
                .getJsonObject("properties");
        return fields.stream()
                .filter(field -> isPlain(((JsonObject) field.getValue()).getValue("type")))
                .flatMap(field -> java.util.stream.Stream.of(field.getKey(), "-" + field.getKey()))
                .toList();
    }

    private static boolean isPlain(Object type) {
        String text = String.valueOf(type);
        return !text.equals("null") && !text.contains("object") && !text.contains("array");
    }

    @Test
    void headersAreNoQueryParameters() {
        assertThatThrownBy(() -> contract.checkParameters(operation("openTunnel"), Map.of("Idempotency-Key", "k")))
                .isInstanceOf(Problem.class);
    }

    @Test
    void aParameterThatComesByTheBusIsAPlainValue() {
        Contract.Operation list = operation("listServices");
        assertThat(contract.checkMerged(list, new JsonObject().put("limit", 5)).getLong("limit"))
                .isEqualTo(5);
        for (Object nested : List.of(new JsonObject().put("a", 1), new io.vertx.core.json.JsonArray().add(5))) {
            JsonObject merged = new JsonObject().put("limit", nested);
            assertThatThrownBy(() -> contract.checkMerged(list, merged))
                    .isInstanceOf(Problem.class)
                    .hasMessageContaining("limit is not a plain value");
        }
    }
}
