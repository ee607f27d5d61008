package mcc.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;

class ListsTest {
    private static final List<JsonObject> ITEMS = List.of(
            new JsonObject().put("service", "open/web").put("tags", new JsonArray().add("Blue")),
            new JsonObject().put("service", "open/db").put("meta", new JsonObject().put("zone", "port")));

    private static int kept(String filter) {
        return new Lists()
                .page("x", ITEMS, new JsonObject().put("filter", filter))
                .getJsonArray("items")
                .size();
    }

    @Test
    void aFilterLooksAtValuesAndNotAtNames() {
        assertThat(kept("WEB")).isEqualTo(1);
        assertThat(kept("blue")).isEqualTo(1);
        assertThat(kept("port")).isEqualTo(1);
        assertThat(kept("open/")).isEqualTo(2);
        assertThat(kept("service")).isZero();
        assertThat(kept("\"")).isZero();
    }
}
