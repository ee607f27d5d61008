package mcc.link;

import mcc.consortium.PolicyEpoch;
import mcc.core.Counters;
import mcc.core.Rng;
import mcc.crypto.Identity;

/** The links of a node in an open network. */
public final class OpenLinks {
    private OpenLinks() {}

    /** Makes links with the policy of an open network. */
    public static Links of(LinkConfig config, Identity identity, Rng rng, Counters counters) {
        Links links = new Links(config, identity, rng, counters);
        links.handle(1, new LinkInput.NewPolicy(PolicyEpoch.open()));
        return links;
    }
}
