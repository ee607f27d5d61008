package mcc.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import mcc.registry.Registration;
import org.junit.jupiter.api.Test;

/** Registrations in the words of the interface, which are also those on disk. */
class RegistrationsTest {
    private static Registration parsed(String json) {
        return ((Registration.Parsed.Valid) Registrations.parse("a", new JsonObject(json))).registration();
    }

    @Test
    void theShortFormAndTheLongOneAreOne() {
        Registration brief = parsed("{\"service\":\"dns\",\"port\":53,\"protocol\":\"udp\"}");
        assertThat(brief).isEqualTo(parsed("{\"service\":\"dns\",\"ports\":[{\"port\":53,\"protocol\":\"udp\"}]}"));
        JsonObject told = Registrations.toJson(brief);
        assertThat(told.getInteger("port")).isEqualTo(53);
        assertThat(told.getString("protocol")).isEqualTo("udp");
        assertThat(told.getJsonArray("ports")).isEqualTo(new JsonArray("[{\"port\":53,\"protocol\":\"udp\"}]"));
    }

    @Test
    void whatIsWrittenIsReadAgainAndWhatAnEarlierNodeWroteToo() {
        Registration both = parsed("{\"service\":\"dns\",\"ports\":[{\"port\":53,\"protocol\":\"udp\"},{\"port\":53},"
                + "{\"port\":50000,\"endPort\":50100}],\"check\":{\"type\":\"tcp\",\"port\":8080}}");
        JsonObject told = Registrations.toJson(both);
        assertThat(List.of(told.getInteger("port"), told.getString("protocol"))).containsExactly(53, "udp");
        assertThat(Registrations.fromJson(new JsonObject(told.encode()))).isEqualTo(both);
        JsonObject earlier = Registrations.toJson(parsed("{\"service\":\"web\",\"port\":80,\"protocol\":\"http\"}"));
        earlier.remove("ports");
        assertThat(Registrations.fromJson(earlier).ports()).hasToString("80/http");
    }
}
