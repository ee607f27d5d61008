package mcc.node;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import mcc.core.Counters;

/** What may be asked about plugins; every plugin is answered as JSON, in the words of the REST interface. */
public sealed interface PluginQuery {
    /** Answered by an array of all plugins. */
    record All() implements PluginQuery, Ask<JsonArray> {}

    /** Answered by a list of what was counted. */
    record Counts() implements PluginQuery, Ask<List<Counters.Count>> {}

    /** Answered by one plugin. */
    sealed interface One extends PluginQuery, Ask<JsonObject> {}

    /** How it stands. */
    record Show(String id) implements One {}

    /**
     * Takes a jar that was uploaded whole: it is named after its manifest and started; answered by the plugin.
     *
     * @param jar a file in the plugins folder, whose name does not end in {@code .jar}; belongs to the receiver
     */
    record Deploy(Path jar) implements One {}

    /** Stops a plugin and starts it again at once; answered by the plugin. */
    record Restart(String id) implements One {}

    /** Stops a plugin and removes its jar; answered by the plugin as it was. */
    record Remove(String id) implements One {}

    /** A new client of the event-bus bridge; taken in or refused by whoever reads this. */
    record Client(BridgeSocket socket) implements Ask<Ask.Done> {}
}
