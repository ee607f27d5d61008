package mcc.tun;

import static mcc.tun.PacketsOf.THEM;
import static mcc.tun.PacketsOf.US;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import mcc.Garbage;
import mcc.core.Counters;
import mcc.core.Id;
import mcc.core.Rng;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What is done to each packet of the interface leaves nothing behind on the heap. */
class GarbageTest {
    private static final Id PEER = Id.random(Rng.seeded(1));
    private static final int PACKETS = 10_000;
    private static final byte[] IN = PacketsOf.v6(THEM, US, Ip.UDP, PacketsOf.udp(4000, 53, new byte[1_000]));
    private static final byte[] IN4 = PacketsOf.v4(Ip.UDP, PacketsOf.udp(4000, 53, new byte[1_000]));
    private static final byte[] OUT = PacketsOf.v6(US, THEM, Ip.UDP, PacketsOf.udp(53, 4000, new byte[1_000]));
    private static final byte[] SUPER = PacketsOf.read(
            PacketsOf.v6(US, THEM, Ip.TCP, PacketsOf.tcp(1, 2, 3, 0x10, new byte[10_000])), true, Vnet.TCP6, 1_000);

    private final Counters counters = new Counters();
    private final Ip ip = new Ip();
    private long kept;

    @TestFactory
    Stream<DynamicTest> noStepLeavesGarbage() {
        Map<String, Runnable> steps = new LinkedHashMap<>();
        steps.put("parsing", () -> kept += ip.parse(IN, 0, IN.length) && ip.parse(IN4, 0, IN4.length) ? 1 : 0);
        steps.put(
                "an address seen before",
                () -> kept += ip.parse(IN, 0, IN.length) ? ip.from().low() : 0);
        steps.put("the gate", gate());
        steps.put("the rules for an endpoint", offered());
        steps.put("cutting", cutting());
        steps.put("joining", joining(true));
        steps.put("joining without the kernel's help", joining(false));
        steps.put("routes", routes());
        steps.put("networks behind nodes", subnets());
        steps.put("may be cut", () -> kept += Icmp.mustPass(IN, 0, IN.length) ? 1 : 0);
        steps.put("marks", () -> kept += Ecn.combine(IN, 0, IN.length, 1) ? 1 : 0);
        byte[] b = IN4.clone();
        InnerAddress sender = InnerAddress.v4(0x64400001);
        InnerAddress to = InnerAddress.v4(0x64400005);
        steps.put("translating", () -> Inet4.translate(b, 0, b.length, sender, sender, to, false));
        return steps.entrySet().stream()
                .map(step -> DynamicTest.dynamicTest(step.getKey(), () -> isClean(step.getValue())));
    }

    private static void isClean(Runnable step) {
        long bytes = Garbage.bytesOf(
                () -> {
                    for (int i = 0; i < PACKETS; i++) step.run();
                },
                0);
        assertThat(bytes).as("bytes for " + PACKETS).isZero();
    }

    /** In and out, a flow that the policy let in and one that this host began. */
    private Runnable gate() {
        Subnet behind = Subnet.parse("192.0.2.0/24@" + PEER);
        Gate gate = new Gate(US, true, (_, _, _, _) -> Long.MAX_VALUE, List.of(behind), 7, counters);
        return () -> {
            ip.parse(OUT, 0, OUT.length);
            if (gate.leaves(kept, ip, OUT)) kept++;
            ip.parse(IN, 0, IN.length);
            if (gate.enters(kept, PEER, THEM, ip, IN)) kept++;
        };
    }

    private Runnable offered() {
        Offered offered = new Offered((_, _, _, _, _) -> Long.MAX_VALUE, 7, counters);
        for (int i = 0; i < 100; i++)
            offered.add(new InnerAddress(US.high(), i), List.of(new Offered.PortRange(true, 53)));
        return () -> {
            ip.parse(IN, 0, IN.length);
            if (offered.isFor(ip) && offered.enters(kept, PEER, ip, IN) == Offered.Answer.ENTERS) kept++;
        };
    }

    private Runnable cutting() {
        Segmenter segmenter = new Segmenter();
        Segmenter.Sink sink = (_, _, _, length) -> kept += length;
        byte[] b = new byte[SUPER.length];
        return () -> {
            System.arraycopy(SUPER, 0, b, 0, b.length);
            if (segmenter.cut(b, 0, b.length, sink)) kept++;
        };
    }

    private Runnable joining(boolean offloads) {
        Coalescer coalescer = new Coalescer(offloads, offloads, (_, _, length) -> kept += length);
        Coalescer.Check check = (_, _, _, _) -> true;
        return () -> {
            int at = coalescer.place(IN.length);
            System.arraycopy(IN, 0, coalescer.buffer(), at, IN.length);
            if (coalescer.add(true, IN.length, check) == Coalescer.Verdict.TAKEN) kept++;
        };
    }

    private Runnable routes() {
        Routes routes = new Routes("test", US, counters);
        InnerAddress address = routes.learn(PEER).v6();
        InnerAddress endpoint = new InnerAddress(US.high(), 77);
        routes.learn(endpoint, PEER);
        return () -> {
            if (PEER.equals(routes.node(address)) && PEER.equals(routes.node(endpoint))) kept++;
            kept += routes.learn(PEER).v4().low() + routes.waiting().size() + routes.deadlineNs();
        };
    }

    private Runnable subnets() {
        Subnets subnets = new Subnets("test", List.of(Subnet.parse("192.0.2.0/24@" + PEER)));
        InnerAddress behind = Subnet.parse("192.0.2.7/32").base();
        return () -> kept += subnets.next(behind) == null ? 0 : 1;
    }
}
