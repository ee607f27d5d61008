package mcc.it;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * An HTTP proxy on loopback that demands a name and a password, and takes CONNECT alone. It may open TLS with a certificate of
 * its own, and then it records what passes in plain.
 */
public final class TestProxy implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final String expected;
    private final SSLContext own;
    private final SSLContext blind;
    /** What passed after CONNECT, in plain if it intercepts. */
    private final ByteArrayOutputStream recorded = new ByteArrayOutputStream();

    /** The heads of all requests. */
    public final List<String> requests = new CopyOnWriteArrayList<>();

    private final List<Socket> open = new CopyOnWriteArrayList<>();

    /** @param folder where a certificate is made, to intercept TLS with; null for a proxy that looks at nothing */
    public TestProxy(String user, String password, Path folder) throws Exception {
        String both = user + ":" + password;
        expected = "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
        own = folder == null ? null : certified(folder);
        blind = SSLContext.getInstance("TLS");
        blind.init(null, new TrustManager[] {new Blind()}, null);
        Thread.ofVirtual().start(this::accept);
    }

    private static SSLContext certified(Path folder) throws Exception {
        Path file = folder.resolve("proxy.p12");
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process made = new ProcessBuilder(
                        keytool,
                        "-genkeypair",
                        "-alias",
                        "proxy",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=proxy",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "changeit",
                        "-keystore",
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!made.waitFor(60, TimeUnit.SECONDS) || made.exitValue() != 0) throw new IOException("no certificate");
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, "changeit".toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    public int port() {
        return server.getLocalPort();
    }

    /** Everything that passed so far, as text of one byte a character. */
    public String recorded() {
        synchronized (recorded) {
            return recorded.toString(StandardCharsets.ISO_8859_1);
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                open.add(client);
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            String head = head(client.getInputStream());
            requests.add(head);
            String[] first = head.split("\r\n")[0].split(" ");
            OutputStream out = client.getOutputStream();
            if (!first[0].equals("CONNECT")) {
                say(out, "405 Method Not Allowed");
                return;
            }
            boolean knows = head.lines()
                    .anyMatch(line -> line.toLowerCase(java.util.Locale.ROOT).startsWith("proxy-authorization:")
                            && line.substring(line.indexOf(':') + 1).strip().equals(expected));
            if (!knows) {
                say(out, "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"");
                return;
            }
            int colon = first[1].lastIndexOf(':');
            int port = Integer.parseInt(first[1].substring(colon + 1));
            try (Socket far = new Socket(InetAddress.getLoopbackAddress(), port)) {
                open.add(far);
                say(out, "200 Connection established");
                if (own == null) join(client, far);
                else join(server(client), client(far));
            }
        } catch (IOException e) {
            // one of the two has ended
        }
    }

    private static void say(OutputStream out, String status) throws IOException {
        out.write(("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder out = new StringBuilder();
        while (out.indexOf("\r\n\r\n") < 0 && out.length() < 8_192) {
            int c = in.read();
            if (c < 0) throw new IOException("no request");
            out.append((char) c);
        }
        return out.toString();
    }

    private Socket server(Socket client) throws IOException {
        SSLSocket made = (SSLSocket) own.getSocketFactory().createSocket(client, null, client.getPort(), true);
        made.setUseClientMode(false);
        return made;
    }

    private Socket client(Socket far) throws IOException {
        return blind.getSocketFactory().createSocket(far, "localhost", far.getPort(), true);
    }

    private void join(Socket one, Socket two) throws IOException {
        Thread back = Thread.ofVirtual().start(() -> {
            try {
                pump(two, one);
            } catch (IOException e) {
                // ends with the other direction
            }
        });
        pump(one, two);
        back.interrupt();
    }

    private void pump(Socket from, Socket to) throws IOException {
        byte[] buffer = new byte[16_384];
        try (from;
                to) {
            for (int n; (n = from.getInputStream().read(buffer)) >= 0; ) {
                synchronized (recorded) {
                    recorded.write(buffer, 0, n);
                }
                to.getOutputStream().write(buffer, 0, n);
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket each : open) each.close();
    }

    private static final class Blind implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
