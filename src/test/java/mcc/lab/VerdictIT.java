package mcc.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import mcc.it.RealNode;
import mcc.sim.NatBehavior.Scope;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Five open nodes tell a node behind each kind of NAT which one it is, and whether anybody reaches it. */
@Tag("long")
class VerdictIT {
    private static final List<NatKind> SOME = List.of(NatKind.FULL_CONE, NatKind.RANDOM);
    private static final List<NatKind> OTHERS =
            List.of(NatKind.ADDRESS_RESTRICTED, NatKind.PORT_RESTRICTED, NatKind.HOME, NatKind.SEQUENTIAL);

    @TempDir
    static Path folder;

    private static Lab lab;
    private static Site site;
    private static String bootstrap = "";

    @BeforeAll
    static void build() throws Exception {
        lab = new Lab("verdict");
        lab.delay(5);
        site = lab.site(1);
        bootstrap = lab.openNodes(5, folder).getFirst().bootstrap();
    }

    @AfterAll
    static void remove() throws Exception {
        if (lab != null) lab.close();
    }

    private static String word(Scope scope) {
        return scope.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @TestFactory
    Stream<DynamicTest> aNodeFindsOutWhichNatItIsBehind() {
        return each(SOME);
    }

    @TestFactory
    @Tag("long")
    Stream<DynamicTest> aNodeFindsOutWhichOfTheOtherNatsItIsBehind() {
        return each(OTHERS);
    }

    private static Stream<DynamicTest> each(List<NatKind> kinds) {
        return kinds.stream()
                .map(kind -> DynamicTest.dynamicTest(kind.name(), () -> {
                    site.become(kind);
                    Path data = folder.resolve(kind.name());
                    try (RealNode node = site.host().node(data, "--bootstrap", bootstrap)) {
                        RealNode.await(
                                "it knows",
                                () -> List.of("yes", "no")
                                                .contains(side(node)
                                                        .path("reachable")
                                                        .asText())
                                        && !side(node)
                                                .path("filtering")
                                                .asText()
                                                .equals("unknown"),
                                node);
                        RealNode.await(
                                "it knows the mapping",
                                () -> side(node).path("voices").asInt() >= 5,
                                node);
                        JsonNode side = side(node);
                        boolean same = kind.behavior().mapping() == Scope.ENDPOINT_INDEPENDENT;
                        boolean open = same && kind.behavior().filtering() == Scope.ENDPOINT_INDEPENDENT;
                        assertThat(side.path("filtering").asText())
                                .isEqualTo(word(kind.behavior().filtering()));
                        assertThat(side.path("mapping").asText())
                                .isEqualTo(same ? "endpoint-independent" : "endpoint-dependent");
                        assertThat(side.path("reachable").asText()).isEqualTo(open ? "yes" : "no");
                    }
                }));
    }

    private static JsonNode side(RealNode node) {
        return node.get("/api/v1/nat").body().path("ipv4");
    }
}
