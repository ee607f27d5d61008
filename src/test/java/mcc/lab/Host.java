package mcc.lab;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.it.RealNode;
import mcc.it.TwoHosts;

/** A namespace where nodes and probes run: with a public address, or inside a site. */
final class Host {
    /** The UDP port of its node. */
    static final int PORT = 9_376;

    final Netns ns;
    /** Its own IPv4 address. */
    final String ip;
    /** Its own IPv6 address, a public one; null for none. */
    final String ip6;

    final Internet.Edge edge;
    private final Lab lab;

    Host(Lab lab, Netns ns, String ip, String ip6, Internet.Edge edge) {
        this.lab = lab;
        this.ns = ns;
        this.ip = ip;
        this.ip6 = ip6;
        this.edge = edge;
    }

    /** A port of its IPv4 address. */
    Address at(int port) {
        return Address.parse(ip + ":" + port);
    }

    /** A UDP socket at that port, or at any where it is 0. */
    Probe probe(int port) throws Exception {
        return lab.keep(new Probe(ns, ip, port));
    }

    /** The same by IPv6. */
    Probe probe6(int port) throws Exception {
        return lab.keep(new Probe(ns, ip6, port));
    }

    /** A listening TCP socket. */
    ServerSocket listen(int port) throws Exception {
        return lab.keep(ns.call(() -> new ServerSocket(port)));
    }

    /** Whether a TCP connection from here is accepted there. */
    boolean connects(Address to) throws Exception {
        return ns.call(() -> {
            try (Socket _ = new Socket(to.host(), to.port())) {
                return true;
            } catch (IOException e) {
                return false;
            }
        });
    }

    /** A node with one UDP address, which ends with the lab. */
    RealNode node(Path data, String... more) {
        return start(List.of(ip + ":" + PORT), data, more);
    }

    /** A node at whatever IPv4 addresses the host has. */
    RealNode anywhere(Path data, String... more) {
        return start(List.of("0.0.0.0:" + PORT), data, more);
    }

    /** A node with its IPv6 address only. */
    RealNode node6(Path data, String... more) {
        return start(List.of("[" + ip6 + "]:" + PORT), data, more);
    }

    /** A node with both. */
    RealNode node46(Path data, String... more) {
        return start(List.of(ip + ":" + PORT, "[" + ip6 + "]:" + PORT), data, more);
    }

    private RealNode start(List<String> listen, Path data, String... more) {
        List<String> options = new ArrayList<>(List.of("--http", "127.0.0.1:8080"));
        for (String each : listen) options.addAll(List.of("--listen", each));
        options.addAll(List.of(more));
        RealNode node = RealNode.start(TwoHosts.exec(ns.name), data, options.toArray(String[]::new));
        return lab.keep(node.askedBy(ns.http()));
    }
}
