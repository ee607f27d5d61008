package mcc.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Id;
import mcc.core.Rng;
import mcc.registry.ServiceName;
import org.junit.jupiter.api.Test;

class TargetTest {
    private static final ServiceName WEB = new ServiceName("open", "web");

    @Test
    void servicesAndInstancesAreToldApart() {
        assertThat(Target.parse("web", null)).isEqualTo(new Target.Service(WEB, null, null));
        assertThat(Target.parse("open/web", "abcdefgh")).isEqualTo(new Target.Service(WEB, "abcdefgh", null));
        assertThat(Target.parse("web#abcdefgh", null)).isEqualTo(new Target.Service(WEB, null, "abcdefgh"));
        for (String bad : new String[] {"", "#abcdefgh", "web#", "web#short", "web#abcdefg1", "a/b/c", "web#a#b"}) {
            assertThat(Target.parse(bad, null)).as(bad).isNull();
        }
    }

    @Test
    void theDnsFormsNameServicesAndInstances() {
        Id endpoint = Id.random(Rng.seeded(1));
        assertThat(Names.parse("Web.open.mcc.")).isEqualTo(new Target.Service(WEB, null, null));
        assertThat(Names.parse(endpoint + ".mcc")).isEqualTo(new Target.Instance(endpoint));
        for (String bad : new String[] {"web.mcc", "example.org", ".mcc", "web..mcc"}) {
            assertThat(Names.parse(bad)).as(bad).isNull();
        }
    }
}
