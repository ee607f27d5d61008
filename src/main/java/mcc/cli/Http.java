package mcc.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One HTTP/1.1 exchange on a connection of its own (RFC 9112): the answer's head, and its body as a stream. */
final class Http implements AutoCloseable {
    private static final int LINE_BYTES = 16 * 1024;
    private static final int HEADERS = 100;
    private static final int CONNECT_MS = 3_000;

    private final Socket socket;
    private final InputStream in;
    private final int status;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private final InputStream body;

    /**
     * Sends a request and reads the answer's head.
     *
     * @param path with its query, encoded
     * @param content the request's body; null for none
     * @param timeoutMs for connecting and for each read; 0 waits for ever
     * @throws java.net.ConnectException and other {@link IOException}s as sockets throw them
     */
    Http(
            String host,
            int port,
            String method,
            String path,
            Map<String, String> extra,
            byte @Nullable [] content,
            int timeoutMs)
            throws IOException {
        socket = new Socket();
        boolean done = false;
        try {
            connect(socket, host, port, timeoutMs == 0 ? CONNECT_MS : Math.min(timeoutMs, CONNECT_MS));
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(timeoutMs);
            StringBuilder head = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: ");
            head.append(host.indexOf(':') >= 0 ? "[" + host + "]" : host)
                    .append(':')
                    .append(port);
            head.append("\r\nConnection: close\r\nAccept-Encoding: identity\r\n");
            extra.forEach((k, v) -> head.append(k).append(": ").append(v).append("\r\n"));
            if (content != null)
                head.append("Content-Length: ").append(content.length).append("\r\n");
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
            if (content != null) out.writeBytes(content);
            socket.getOutputStream().write(out.toByteArray());
            in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
            status = readHead();
            body = bodyOf(method);
            done = true;
        } finally {
            if (!done) socket.close();
        }
    }

    private static void connect(Socket socket, String host, int port, int timeoutMs) throws IOException {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) throw new java.net.UnknownHostException(host);
        try {
            socket.connect(address, timeoutMs);
        } catch (SocketTimeoutException e) {
            // A node that cannot be reached is not the same as one that answers slowly.
            throw new java.net.ConnectException("no answer within " + timeoutMs + " ms: " + e.getMessage());
        }
    }

    private int readHead() throws IOException {
        String[] start = line().split(" ", 3);
        if (start.length < 2 || !start[0].startsWith("HTTP/1.") || !start[1].matches("[1-5][0-9][0-9]")) {
            throw new ProtocolException("not an HTTP answer");
        }
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            if (colon <= 0 || headers.size() >= HEADERS) throw new ProtocolException("malformed header");
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        int code = Integer.parseInt(start[1]);
        if (code >= 200) return code;
        headers.clear(); // an interim answer; the real one follows (RFC 9110 section 15.2)
        return readHead();
    }

    private InputStream bodyOf(String method) throws IOException {
        if (method.equals("HEAD") || status == 204 || status == 304) return InputStream.nullInputStream();
        if (header("transfer-encoding").toLowerCase(Locale.ROOT).endsWith("chunked")) return new Chunked();
        String length = header("content-length");
        if (length.isEmpty()) return in;
        if (!length.matches("[0-9]{1,18}")) throw new ProtocolException("malformed Content-Length");
        return new Limited(Long.parseLong(length));
    }

    int status() {
        return status;
    }

    /** A header of the answer, by its name in lower case; empty if absent. */
    String header(String name) {
        return headers.getOrDefault(name, "");
    }

    /** The answer's body; reading fails if the connection ended before the body did. */
    InputStream body() {
        return body;
    }

    /** The whole body as text. */
    String text() throws IOException {
        return new String(body.readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Closes the connection; a read that is blocked in another thread throws. */
    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException _) {
            // the answer was read or is not needed
        }
    }

    private String line() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream(128);
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) throw new ProtocolException("the connection broke off");
            if (out.size() >= LINE_BYTES) throw new ProtocolException("line too long");
            out.write(b);
        }
        String line = out.toString(StandardCharsets.UTF_8);
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    /** A body of known length (RFC 9112 section 6.2). */
    private final class Limited extends InputStream {
        private long left;

        Limited(long length) {
            left = length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            if (left == 0) return -1;
            int count = in.read(to, offset, (int) Math.min(length, left));
            if (count < 0) throw new ProtocolException("the connection broke off");
            left -= count;
            return count;
        }
    }

    /** A body in chunks (RFC 9112 section 7.1); trailers are read and dropped. */
    private final class Chunked extends InputStream {
        private long left;
        private boolean first = true;
        private boolean ended;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            if (left == 0 && !ended) nextChunk();
            if (ended) return -1;
            int count = in.read(to, offset, (int) Math.min(length, left));
            if (count < 0) throw new ProtocolException("the connection broke off");
            left -= count;
            return count;
        }

        private void nextChunk() throws IOException {
            if (!first && !line().isEmpty()) throw new ProtocolException("malformed chunk");
            first = false;
            String size = line();
            int extension = size.indexOf(';');
            if (extension >= 0) size = size.substring(0, extension);
            size = size.strip();
            if (!size.matches("[0-9A-Fa-f]{1,15}")) throw new ProtocolException("malformed chunk size");
            left = Long.parseLong(size, 16);
            if (left > 0) return;
            ended = true;
            for (String line = line(); !line.isEmpty(); line = line()) {}
        }
    }
}
