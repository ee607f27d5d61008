package mcc.arch;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The laws of {@code docs/architecture.md} that class files can show. Each rule is checked on the product, and the rules of
 * purity also on planted sins, which must fail: an import that finds nothing cannot pass.
 */
class ArchitectureTest {
    private static final JavaClasses PRODUCT = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("mcc");
    private static final JavaClasses SINS = new ClassFileImporter().importPackages("mcc.arch.sins");

    /** Every room, and the rooms it may enter. */
    private static final Map<String, List<String>> ROOMS = rooms();

    private static Map<String, List<String>> rooms() {
        Map<String, List<String>> may = new LinkedHashMap<>();
        may.put("core", List.of());
        may.put("wire", List.of("core"));
        may.put("crypto", List.of("core"));
        may.put("consortium", List.of("core", "wire", "crypto"));
        may.put("tun", List.of("core", "crypto"));
        may.put("session", List.of("core", "wire", "crypto"));
        may.put("congestion", List.of("core"));
        may.put("stream", List.of("core", "wire", "congestion"));
        may.put("nat", List.of("core", "wire", "crypto"));
        may.put("punch", List.of("core", "wire", "crypto"));
        may.put("portmap", List.of("core"));
        may.put("lan", List.of("core", "crypto"));
        may.put("carrier", List.of("core", "wire"));
        may.put("relay", List.of("core", "wire", "crypto", "consortium", "nat"));
        may.put("link", List.of("core", "wire", "crypto", "consortium", "session", "stream", "nat", "congestion"));
        may.put("dht", List.of("core", "wire", "crypto", "consortium"));
        may.put("registry", List.of("core", "wire", "crypto", "consortium", "dht"));
        may.put(
                "overlay",
                List.of(
                        "core",
                        "wire",
                        "crypto",
                        "consortium",
                        "link",
                        "nat",
                        "relay",
                        "punch",
                        "portmap",
                        "lan",
                        "carrier",
                        "dht",
                        "registry"));
        List<String> protocol = new ArrayList<>(may.keySet());
        may.put("sys", List.of());
        may.put("udp", List.of("core", "wire", "link", "sys"));
        may.put("node", with(protocol, "sys", "udp"));
        may.put("tunnel", with(protocol, "node", "udp"));
        may.put("api", with(protocol, "node", "tunnel"));
        may.put("plugin", with(protocol, "node", "api"));
        may.put("sim", protocol);
        may.put("cli", List.of("core", "udp", "node", "sim"));
        return may;
    }

    private static List<String> with(List<String> rooms, String... more) {
        List<String> out = new ArrayList<>(rooms);
        out.addAll(List.of(more));
        return List.copyOf(out);
    }

    private static final String[] PURE = Stream.of(
                    "core",
                    "wire",
                    "crypto",
                    "consortium",
                    "tun",
                    "session",
                    "congestion",
                    "stream",
                    "nat",
                    "relay",
                    "punch",
                    "portmap",
                    "lan",
                    "carrier",
                    "link",
                    "dht",
                    "registry",
                    "overlay")
            .map(room -> "mcc." + room)
            .toArray(String[]::new);

    private static String[] pureAnd(String... more) {
        return Stream.concat(Stream.of(PURE), Stream.of(more)).toArray(String[]::new);
    }

    @TestFactory
    Stream<DynamicTest> aRoomEntersOnlyTheRoomsItMay() {
        return ROOMS.entrySet().stream()
                .map(room -> DynamicTest.dynamicTest(room.getKey(), () -> {
                    List<String> allowed = new ArrayList<>(List.of("mcc." + room.getKey() + ".."));
                    for (String other : room.getValue()) allowed.add("mcc." + other + "..");
                    ArchRule rule = noClasses()
                            .that()
                            .resideInAPackage("mcc." + room.getKey() + "..")
                            .should()
                            .dependOnClassesThat(new DescribedPredicate<>("rooms outside " + allowed) {
                                @Override
                                public boolean test(JavaClass c) {
                                    return c.getPackageName().startsWith("mcc")
                                            && allowed.stream().noneMatch(p -> isIn(c, p));
                                }
                            })
                            .allowEmptyShould(room.getKey().equals("plugin"));
                    rule.check(PRODUCT);
                }));
    }

    private static boolean isIn(JavaClass c, String pattern) {
        String room = pattern.substring(0, pattern.length() - 2);
        return c.getPackageName().equals(room) || c.getPackageName().startsWith(room + ".");
    }

    @Test
    void theCommandLineLoadsNoneOfTheNodeButItsSettings() {
        List<String> light = List.of("mcc.node.Settings", "mcc.node.Settings$Key", "mcc.node.Problem");
        noClasses()
                .that()
                .resideInAPackage("mcc.cli..")
                .should()
                .dependOnClassesThat(new DescribedPredicate<>("slow to load") {
                    @Override
                    public boolean test(JavaClass c) {
                        String name = c.getName();
                        return name.startsWith("io.")
                                || name.startsWith("java.net.http.")
                                || name.startsWith("mcc.node.") && !light.contains(name);
                    }
                })
                .check(PRODUCT);
    }

    @Test
    void everyPackageIsARoom() {
        for (JavaClass c : PRODUCT) {
            String[] parts = c.getPackageName().split("\\.");
            if (parts.length > 1) assertThat(ROOMS).containsKey(parts[1]);
        }
    }

    @Test
    void roomsHaveNoCycles() {
        slices().matching("mcc.(*)..").should().beFreeOfCycles().check(PRODUCT);
    }

    // ---- purity -----------------------------------------------------------------------------------------------------

    private static ArchRule whitelist(String... packages) {
        return classes()
                .that()
                .resideInAnyPackage(packages)
                .should()
                .onlyDependOnClassesThat(new DescribedPredicate<>("the whitelist of pure rooms") {
                    @Override
                    public boolean test(JavaClass c) {
                        return isPureDependency(c.getBaseComponentType());
                    }
                });
    }

    private static boolean isPureDependency(JavaClass c) {
        if (c.isPrimitive()) return true;
        String p = c.getPackageName();
        return p.startsWith("mcc.")
                || p.equals("java.lang")
                || p.equals("java.lang.annotation")
                || p.equals("java.lang.invoke")
                || p.equals("java.lang.runtime")
                || p.equals("java.util")
                || p.equals("java.util.function")
                || p.equals("java.util.stream")
                || p.equals("java.nio.charset")
                || p.equals("java.io") // ByteArrayOutputStream and protobuf's exceptions; files are java.nio.file
                || p.startsWith("java.security")
                || p.startsWith("javax.crypto")
                || p.startsWith("org.bouncycastle")
                || p.startsWith("com.google.protobuf")
                || p.startsWith("com.google.errorprone")
                || p.startsWith("org.jspecify");
    }

    private static ArchRule noOutsideWorld(String... packages) {
        return noClasses()
                .that()
                .resideInAnyPackage(packages)
                .should()
                .accessTargetWhere(
                        new DescribedPredicate<JavaAccess<?>>("a clock, randomness, the environment or a file") {
                            @Override
                            public boolean test(JavaAccess<?> access) {
                                String owner = access.getTargetOwner().getName();
                                String name = access.getTarget().getName();
                                return switch (owner) {
                                    case "java.lang.System" ->
                                        List.of(
                                                        "nanoTime",
                                                        "currentTimeMillis",
                                                        "identityHashCode",
                                                        "getProperty",
                                                        "getenv",
                                                        "out",
                                                        "err")
                                                .contains(name);
                                    case "java.lang.Math" ->
                                        List.of("random", "pow", "exp", "log").contains(name);
                                    case "java.util.UUID" -> name.equals("randomUUID");
                                    case "java.util.Random",
                                            "java.util.concurrent.ThreadLocalRandom",
                                            "java.security.SecureRandom",
                                            "java.security.KeyPairGenerator",
                                            "java.lang.Thread",
                                            "java.io.File",
                                            "java.io.FileInputStream",
                                            "java.io.FileOutputStream" -> true;
                                    case "java.util.Set", "java.util.Map" ->
                                        List.of("of", "copyOf", "ofEntries").contains(name);
                                    case "java.util.stream.Collectors" ->
                                        List.of("toSet", "toMap", "groupingBy").contains(name);
                                    default -> name.equals("parallelStream") || name.equals("parallel");
                                };
                            }
                        });
    }

    private static ArchRule noSharing(String... packages) {
        return fields().that()
                .areDeclaredInClassesThat()
                .resideInAnyPackage(packages)
                .should()
                .notHaveModifier(JavaModifier.VOLATILE);
    }

    private static ArchRule noLocks(String... packages) {
        return methods()
                .that()
                .areDeclaredInClassesThat()
                .resideInAnyPackage(packages)
                .should()
                .notHaveModifier(JavaModifier.SYNCHRONIZED);
    }

    private static ArchRule noStaticState(String... packages) {
        return fields().that()
                .areDeclaredInClassesThat()
                .resideInAnyPackage(packages)
                .and()
                .areStatic()
                .should()
                .beFinal();
    }

    @Test
    void pureRoomsDependOnTheWhitelistOnly() {
        whitelist(PURE).check(PRODUCT);
        assertFails(whitelist("mcc.arch.sins"));
    }

    @Test
    void pureRoomsReadNoClockDrawNoChanceAndTouchNoFile() {
        noOutsideWorld(pureAnd("mcc.sim.nothing")).check(PRODUCT);
        assertFails(noOutsideWorld("mcc.arch.sins"));
    }

    @Test
    void pureRoomsShareNothingBetweenThreads() {
        noSharing(PURE).check(PRODUCT);
        noLocks(PURE).check(PRODUCT);
        assertFails(noSharing("mcc.arch.sins"));
        assertFails(noLocks("mcc.arch.sins"));
    }

    @Test
    void nothingStaticChanges() {
        ArchRule rule = noStaticState(
                "mcc.core",
                "mcc.crypto",
                "mcc.tun",
                "mcc.sys",
                "mcc.session",
                "mcc.congestion",
                "mcc.stream",
                "mcc.nat",
                "mcc.relay",
                "mcc.punch",
                "mcc.portmap",
                "mcc.lan",
                "mcc.carrier",
                "mcc.link",
                "mcc.dht",
                "mcc.registry",
                "mcc.overlay",
                "mcc.udp",
                "mcc.node",
                "mcc.tunnel",
                "mcc.api",
                "mcc.plugin",
                "mcc.sim");
        rule.check(PRODUCT);
        assertFails(noStaticState("mcc.arch.sins"));
    }

    private static void assertFails(ArchRule rule) {
        assertThat(rule.evaluate(SINS).hasViolation())
                .as("the planted sin is seen by: " + rule.getDescription())
                .isTrue();
    }

    // ---- names, and who may use what
    // --------------------------------------------------------------------------------------------

    private static final ArchRule NAMES = noClasses()
            .should()
            .haveNameMatching(".*(Impl|Factory|Manager|Helper|Utils?)")
            .orShould()
            .haveSimpleNameStartingWith("Abstract");

    @Test
    void namesSayWhatThingsAre() {
        ArchRule product = noClasses()
                .that()
                .resideOutsideOfPackage("mcc.wire.pb..")
                .should()
                .haveNameMatching(".*(Impl|Factory|Manager|Helper|Utils?)");
        product.check(PRODUCT);
        assertFails(NAMES);
    }

    @Test
    void onlyTheBusTouchesTheEventBus() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName("mcc.node.Bus")
                .and(not("mcc.node.Bus$"))
                .and(not("mcc.plugin.Line")) // these two on the buses of plugins
                .and(not("mcc.plugin.BridgeClient"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.vertx.core.eventbus")
                .check(PRODUCT);
    }

    @Test
    void aSubjectIsMadeWhereItIsProved() {
        List<String> may = List.of("mcc.link.Access", "mcc.node.Node", "mcc.sim.SimNode", "mcc.consortium.Subject");
        ArchRule rule = noClasses()
                .that(new DescribedPredicate<JavaClass>("neither prove who a peer is nor are this node") {
                    @Override
                    public boolean test(JavaClass c) {
                        return !may.contains(c.getName());
                    }
                })
                .should()
                .accessTargetWhere(new DescribedPredicate<JavaAccess<?>>("makes a subject") {
                    @Override
                    public boolean test(JavaAccess<?> access) {
                        return access.getTargetOwner().getName().equals("mcc.consortium.Subject")
                                && List.of("of", "<init>")
                                        .contains(access.getTarget().getName());
                    }
                });
        rule.check(PRODUCT);
        assertThat(rule.evaluate(SINS).hasViolation()).isTrue();
    }

    @Test
    void onlyTheirDoorsTouchNettyAndInternals() {
        List<String> allowed = List.of(
                "BridgeRoute",
                "Connections",
                "Edge",
                "Epoll",
                "EpollListener",
                "EpollTcpSocket",
                "Leashed",
                "NettySocket",
                "NettyTcpSocket",
                "PacketLoop",
                "PacketThread",
                "Pipelining",
                "Pongs",
                "SteadyEpoll",
                "TcpSocket",
                "UdpSocket");
        noClasses()
                .that(new DescribedPredicate<>("may not use Netty") {
                    @Override
                    public boolean test(JavaClass c) {
                        String top = c.getName().replaceAll("\\$.*", "").replaceAll(".*\\.", "");
                        return !allowed.contains(top);
                    }
                })
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty..", "io.vertx.core.internal..", "io.vertx.core.datagram..")
                .check(PRODUCT);
    }

    @Test
    void verticlesAreNamedSoAndStaySmall() {
        classes()
                .that()
                .areAssignableTo("io.vertx.core.VerticleBase")
                .should()
                .haveSimpleNameEndingWith("Verticle")
                .check(PRODUCT);
    }

    @Test
    void interfacesHaveAReason() {
        classes()
                .that()
                .areInterfaces()
                .and()
                .resideOutsideOfPackage("mcc.wire.pb..")
                .should(new ArchCondition<>("be sealed, functional or have two implementations") {
                    @Override
                    public void check(JavaClass c, ConditionEvents events) {
                        if (c.isAnnotation()
                                || c.getSimpleName().equals("package-info")
                                || c.getName().startsWith("mcc.plugin")) return;
                        boolean sealed = c.reflect().isSealed();
                        boolean functional = c.getMethods().stream()
                                        .filter(m -> m.getModifiers().contains(JavaModifier.ABSTRACT))
                                        .count()
                                == 1;
                        boolean two = c.getAllSubclasses().size() >= 2;
                        boolean callback = c.getSimpleName().equals("Handler");
                        // PacketSink: the socket and the simulator of links under test; CongestionControl: NewReno in
                        // tests.
                        boolean known = List.of(
                                        "mcc.link.PacketSink", "mcc.core.Core", "mcc.congestion.CongestionControl")
                                .contains(c.getName());
                        if (!sealed && !functional && !two && !callback && !known) {
                            events.add(SimpleConditionEvent.violated(
                                    c, c.getName() + " has no reason to be an interface"));
                        }
                    }
                })
                .check(PRODUCT);
    }

    private static DescribedPredicate<JavaClass> not(String prefix) {
        return new DescribedPredicate<>("are not " + prefix + "…") {
            @Override
            public boolean test(JavaClass c) {
                return !c.getName().startsWith(prefix);
            }
        };
    }
}
