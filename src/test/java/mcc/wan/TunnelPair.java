package mcc.wan;

import static mcc.it.TwoHosts.exec;
import static mcc.it.TwoHosts.in;
import static mcc.it.TwoHosts.run;
import static mcc.it.TwoHosts.sh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import mcc.it.RealNode;

/** Two nodes in namespaces: one offers a TCP port of its own, the other has a forward to it. */
public final class TunnelPair implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    public final RealNode provider;
    public final RealNode user;
    /** The forward's, on the user's loopback. */
    public final int port;

    /** Where they run. */
    public final String providersNs;

    public final String usersNs;

    /**
     * Starts both and waits until the forward stands.
     *
     * @param appPort the TCP port on the provider's loopback
     */
    public TunnelPair(
            Path folder, String providersNs, String providersUdp, String usersNs, String usersUdp, int appPort)
            throws Exception {
        this.providersNs = providersNs;
        this.usersNs = usersNs;
        provider = RealNode.start(exec(providersNs), folder.resolve("provider"), "--listen", providersUdp);
        List<RealNode> started = new ArrayList<>(List.of(provider));
        try {
            user = RealNode.start(
                    exec(usersNs), folder.resolve("user"), "--listen", usersUdp, "--bootstrap", providersUdp);
            started.add(user);
            api(provider, "PUT", "/registrations/app", "{\"service\":\"app\",\"port\":" + appPort + "}");
            RealNode.await("the provider is found", () -> {
                try {
                    return api(user, "GET", "/services/app/providers", "")
                            .toString()
                            .contains(provider.id);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            String listen = api(user, "POST", "/tunnels", "{\"service\":\"app\"}")
                    .path("listen")
                    .asText();
            port = Integer.parseInt(listen.substring(listen.lastIndexOf(':') + 1));
        } catch (Exception | AssertionError e) {
            for (RealNode node : started) node.close();
            throw e;
        }
    }

    /** Asks a node in its namespace. */
    public JsonNode api(RealNode node, String method, String path, String body) throws Exception {
        String data = body.isEmpty() ? "" : " -H 'Content-Type: application/json' -d '" + body + "'";
        String ns = node == provider ? providersNs : usersNs;
        return JSON.readTree(
                sh(in(ns, "curl -s --max-time 60 -X " + method + " " + node.http + "/api/v1" + path + data)));
    }

    /** The sum of a metric's lines in a node; 0 where there is none. */
    public double metric(RealNode node, String name) throws Exception {
        String ns = node == provider ? providersNs : usersNs;
        double sum = 0;
        for (String line : run(in(ns, "curl -s --max-time 60 " + node.http + "/metrics"))
                .out()
                .split("\n")) {
            if (line.startsWith(name + " ") || line.startsWith(name + "{")) {
                sum += Double.parseDouble(line.substring(line.lastIndexOf(' ')));
            }
        }
        return sum;
    }

    @Override
    public void close() {
        user.close();
        provider.close();
    }
}
