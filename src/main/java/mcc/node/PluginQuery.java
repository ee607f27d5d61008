package mcc.node;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import mcc.core.Counters;

/** Queries about plugins. A plugin in an answer is JSON, in the form of the REST interface. */
public sealed interface PluginQuery {
    /** Answered by an array of all plugins. */
    record All() implements PluginQuery, Ask<JsonArray> {}

    /** Answered by a list of counts. */
    record Counts() implements PluginQuery, Ask<List<Counters.Count>> {}

    /** Answered by one plugin. */
    sealed interface One extends PluginQuery, Ask<JsonObject> {}

    /** The plugin's state. */
    record Show(String id) implements One {}

    /**
     * Takes an uploaded jar: it is named after its manifest and started; answered by the plugin.
     *
     * @param jar a file in the plugins folder whose name does not end in {@code .jar}; belongs to the receiver
     */
    record Deploy(Path jar) implements One {}

    /** Stops a plugin and starts it again at once; answered by the plugin. */
    record Restart(String id) implements One {}

    /** Stops a plugin and removes its jar; answered by the plugin as it was. */
    record Remove(String id) implements One {}

    /** A new client of the event-bus bridge, which is accepted or refused by the reader. */
    record Client(BridgeSocket socket) implements Ask<Ask.Done> {}
}
