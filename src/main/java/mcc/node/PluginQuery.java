package mcc.node;

import java.nio.file.Path;

/** What may be asked about plugins; every plugin is answered as JSON, in the words of the REST interface. */
public sealed interface PluginQuery {
    /** Answered by an array of all plugins. */
    record All() implements PluginQuery {}

    /** Answered by a list of what was counted. */
    record Counts() implements PluginQuery {}

    /** Answered by one plugin. */
    record One(String id) implements PluginQuery {}

    /**
     * Takes a jar that was uploaded whole: it is named after its manifest and started; answered by the plugin.
     *
     * @param jar a file in the plugins folder, whose name does not end in {@code .jar}; belongs to the receiver
     */
    record Deploy(Path jar) implements PluginQuery {}

    /** Stops a plugin and starts it again at once; answered by the plugin. */
    record Restart(String id) implements PluginQuery {}

    /** Stops a plugin and removes its jar; answered by the plugin as it was. */
    record Remove(String id) implements PluginQuery {}
}
