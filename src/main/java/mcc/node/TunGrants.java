package mcc.node;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import mcc.consortium.Action;
import mcc.consortium.Grant;
import mcc.consortium.Policy;
import mcc.core.Id;
import mcc.tun.Rule;

/** The access through the virtual interface that the operator configured, as grants of this node. */
final class TunGrants {
    private static final Rule EVERYTHING = new Rule(0, 0, 65_535, null);

    private TunGrants() {}

    /** Compiles {@code tun.allow} and {@code tun.inbound}, which {@link Settings} has checked. */
    static List<Grant> of(Settings settings, Id self) {
        List<Grant> out = new ArrayList<>();
        if (settings.text("tun.allow").equals("all")) out.add(of(EVERYTHING, self));
        for (String text : settings.list("tun.inbound")) {
            Rule rule = Rule.parse(text);
            if (rule != null) out.add(of(rule, self));
        }
        return out;
    }

    /** A rule for any protocol grants all ports, so it also covers protocols without ports. */
    private static Grant of(Rule rule, Id self) {
        Id peer = rule.node();
        List<Grant.Ports> ports = rule.protocol() == 0
                ? List.of()
                : List.of(new Grant.Ports(rule.protocol(), rule.firstPort(), rule.lastPort()));
        return new Grant(
                Policy.OPEN,
                new Grant.What.Node(self),
                peer == null ? new Grant.Whom.Anyone() : new Grant.Whom.Node(peer),
                EnumSet.of(Action.USE),
                ports,
                0,
                Long.MAX_VALUE,
                0,
                0);
    }
}
