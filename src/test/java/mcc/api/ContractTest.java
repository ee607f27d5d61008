package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
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
}
