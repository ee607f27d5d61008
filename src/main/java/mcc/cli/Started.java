package mcc.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The verbs that {@code mcc.Main} starts by itself, listed here for the help text and for completion. */
enum Started {
    RUN("run", "run a node in the foreground"),
    SIM("sim", "run a simulated network; 'mcc sim --list' names the scenarios");

    final String name;
    private final String description;

    Started(String name, String description) {
        this.name = name;
        this.description = description;
    }

    CommandSpec spec() {
        CommandSpec spec = CommandSpec.create();
        spec.usageMessage().description(description);
        switch (this) {
            case RUN -> {
                spec.addOption(option("--config", "FILE", "configuration file"));
                for (mcc.node.Settings.Key key : mcc.node.Settings.KEYS) {
                    spec.addOption(option(key.option(), "VALUE", key.meaning()));
                }
            }
            case SIM -> {
                spec.addPositional(PositionalParamSpec.builder()
                        .paramLabel("SCENARIO")
                        .arity("0..1")
                        .build());
                spec.addOption(option("--nodes", "N", "how many nodes"));
                spec.addOption(option("--seed", "S", "what all randomness is drawn from"));
                spec.addOption(
                        OptionSpec.builder("--list").description("name the scenarios").build());
            }
        }
        return spec;
    }

    private static OptionSpec option(String name, String label, String description) {
        return OptionSpec.builder(name)
                .paramLabel(label)
                .type(String.class)
                .description(description)
                .build();
    }
}
