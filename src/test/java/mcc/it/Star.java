package mcc.it;

import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;

import java.util.ArrayList;
import java.util.List;

/**
 * Hosts in network namespaces of the test's own, each with a link {@code eth0} to a router in one more, where it is called
 * {@code h0}, {@code h1} and so on; benchmark addresses (RFC 2544). Needs root. Closing removes them.
 */
public final class Star implements AutoCloseable {
    /** The router's namespace. */
    public final String router;
    /** The hosts' namespaces. */
    public final List<String> hosts = new ArrayList<>();

    /** @param name tells the namespaces of one test class from those of another */
    public Star(String name, int count) throws Exception {
        Needs.root();
        Needs.program("ip", "iproute2");
        Needs.program("sysctl", "procps");
        String suffix = "-" + ProcessHandle.current().pid();
        router = "mcc-" + name + "x" + suffix;
        for (int i = 0; i < count; i++) hosts.add("mcc-" + name + i + suffix);
        try {
            sh("ip netns add " + router + " && ip -n " + router + " link set lo up");
            sh(in(router, "sysctl -qw net.ipv4.ip_forward=1"));
            for (int i = 0; i < count; i++) {
                String host = hosts.get(i);
                sh("ip netns add " + host + " && ip -n " + host + " link set lo up");
                sh("ip -n " + host + " link add eth0 type veth peer name h" + i + " netns " + router);
                sh("ip -n " + router + " addr add 198.18." + i + ".1/24 dev h" + i);
                sh("ip -n " + router + " link set h" + i + " up");
                sh("ip -n " + host + " addr add " + ip(i) + "/24 dev eth0 && ip -n " + host + " link set eth0 up");
                sh("ip -n " + host + " route add default via 198.18." + i + ".1");
            }
        } catch (Exception | AssertionError e) {
            close();
            throw e;
        }
    }

    /** The address of a host. */
    public static String ip(int host) {
        return "198.18." + host + ".2";
    }

    /** Says how long a packet the links at the router may carry from now on. */
    public void mtu(int bytes) throws Exception {
        for (int i = 0; i < hosts.size(); i++) sh("ip -n " + router + " link set h" + i + " mtu " + bytes);
    }

    @Override
    public void close() throws Exception {
        for (String host : hosts) run("ip netns del " + host);
        run("ip netns del " + router);
    }
}
