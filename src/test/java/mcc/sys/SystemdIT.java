package mcc.sys;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jdi.Bootstrap;
import com.sun.jdi.ThreadReference;
import com.sun.jdi.VirtualMachine;
import com.sun.jdi.connect.AttachingConnector;
import com.sun.jdi.connect.Connector;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import mcc.it.RealNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real node that tells systemd how it stands. */
class SystemdIT {
    /** Looks of the watchdog after which a loop that stands is late, and two that were under way or unread. */
    private static final int LOOKS = 3 + 2;

    @TempDir
    Path folder;

    private final List<String> heard = new ArrayList<>();

    private List<String> hear(NotifySocket systemd) {
        for (String next; !(next = systemd.heard()).isEmpty(); ) heard.add(next);
        return heard;
    }

    @Test
    void systemdHearsWhenANodeIsReadyThatItIsAliveAndThatItStops() {
        Path name = folder.resolve("notify");
        try (NotifySocket systemd = new NotifySocket(name.toString());
                RealNode node = RealNode.start(List.of("env", "NOTIFY_SOCKET=" + name), folder.resolve("n"))) {
            RealNode.await("it is alive, again and again", () -> beats(hear(systemd)) >= 3);
            assertThat(heard).contains("READY=1\nSTATUS=serving");
            assertThat(node.stop()).isZero();
            assertThat(hear(systemd)).contains("STOPPING=1\nSTATUS=withdrawing from the network");
        }
    }

    /** A debugger holds the one thread, as a bug in the loop would; all others run. */
    @Tag("long")
    @Test
    void systemdHearsNoMoreOfANodeWhosePacketLoopStandsAndTheNodeEndsItself() throws Exception {
        Path name = folder.resolve("notify");
        int port = free();
        String options = Objects.requireNonNullElse(System.getenv("MCC_JAVA_OPTS"), "")
                + " -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,quiet=y,address=127.0.0.1:" + port;
        List<String> prefix = List.of("env", "NOTIFY_SOCKET=" + name, "MCC_JAVA_OPTS=" + options);
        try (NotifySocket systemd = new NotifySocket(name.toString());
                RealNode node = RealNode.start(prefix, folder.resolve("n"))) {
            RealNode.await("it is alive", () -> beats(hear(systemd)) >= 1);
            VirtualMachine machine = attach(port);
            try {
                packetThread(machine).suspend();
                int before = beats(hear(systemd));
                RealNode.await(
                        "it says itself that it is not live",
                        () -> node.get("/health/live").status() == 503);
                assertThat(node.process.waitFor(60, TimeUnit.SECONDS))
                        .as("it ends")
                        .isTrue();
                assertThat(node.process.exitValue()).isEqualTo(70);
                assertThat(node.log()).contains("has not responded for 10 s, it is at", "mcc-packets");
                // It looks ten times before it gives the loop up.
                assertThat(beats(hear(systemd)) - before).isLessThanOrEqualTo(LOOKS);
            } finally {
                try {
                    machine.dispose();
                } catch (com.sun.jdi.VMDisconnectedException _) {
                    // it has ended
                }
            }
        }
    }

    private static int beats(List<String> heard) {
        return (int) heard.stream().filter("WATCHDOG=1"::equals).count();
    }

    private static ThreadReference packetThread(VirtualMachine machine) {
        return machine.allThreads().stream()
                .filter(thread -> thread.name().startsWith("mcc-packets"))
                .findFirst()
                .orElseThrow();
    }

    private static VirtualMachine attach(int port) throws Exception {
        AttachingConnector connector = Bootstrap.virtualMachineManager().attachingConnectors().stream()
                .filter(each -> each.name().equals("com.sun.jdi.SocketAttach"))
                .findFirst()
                .orElseThrow();
        Map<String, Connector.Argument> arguments = connector.defaultArguments();
        arguments.get("hostname").setValue("127.0.0.1");
        arguments.get("port").setValue("" + port);
        return connector.attach(arguments);
    }

    private static int free() throws IOException {
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return any.getLocalPort();
        }
    }
}
