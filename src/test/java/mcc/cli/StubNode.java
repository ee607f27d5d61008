package mcc.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A server that gives prepared answers, byte for byte, and remembers what it was asked. */
final class StubNode implements AutoCloseable {
    /** One request as it came: the first line, the header lines and the body. */
    record Request(String line, List<String> headers, String body) {}

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Map<String, String> answers = new LinkedHashMap<>();
    private final Map<String, ArrayDeque<String>> turns = new LinkedHashMap<>();
    private final List<Request> requests = new ArrayList<>();
    private final List<Socket> silent = new ArrayList<>();

    StubNode() throws IOException {
        Thread.ofVirtual().start(this::serve);
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    /** Answers a request that begins with {@code start} with a JSON body. */
    StubNode on(String start, int status, String json) {
        int length = json.getBytes(StandardCharsets.UTF_8).length;
        return raw(
                start,
                "HTTP/1.1 " + status + " X\r\nContent-Type: application/json\r\nContent-Length: " + length + "\r\n\r\n"
                        + json);
    }

    /** Answers with these very characters, then closes; an empty answer never comes. */
    synchronized StubNode raw(String start, String answer) {
        answers.put(start, answer);
        return this;
    }

    /** Answers with a stream of events, in chunks, which then ends. */
    StubNode events(String start, String... events) {
        StringBuilder out = new StringBuilder(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n");
        for (String event : events) {
            int length = event.getBytes(StandardCharsets.UTF_8).length;
            out.append(Integer.toHexString(length)).append("\r\n").append(event).append("\r\n");
        }
        return raw(start, out.append("0\r\n\r\n").toString());
    }

    /** Gives these bodies one after the other, the last one again and again. */
    synchronized StubNode inTurn(String start, String... bodies) {
        turns.put(start, new ArrayDeque<>(List.of(bodies)));
        return this;
    }

    synchronized List<Request> requests() {
        return List.copyOf(requests);
    }

    Request only() {
        if (requests().size() != 1) throw new AssertionError("requests: " + requests());
        return requests().getFirst();
    }

    private void serve() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> answer(socket));
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    private void answer(Socket socket) {
        try {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
            String line = in.readLine();
            List<String> headers = new ArrayList<>();
            int length = 0;
            for (String header = in.readLine(); header != null && !header.isEmpty(); header = in.readLine()) {
                headers.add(header);
                if (header.startsWith("Content-Length: ")) length = Integer.parseInt(header.substring(16));
            }
            char[] body = new char[length];
            for (int at = 0; at < length; ) at += in.read(body, at, length - at);
            String answer = note(new Request(String.valueOf(line), headers, new String(body)), socket);
            if (answer.isEmpty()) return;
            socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private synchronized String note(Request request, Socket socket) {
        requests.add(request);
        for (Map.Entry<String, ArrayDeque<String>> e : turns.entrySet()) {
            if (!request.line().startsWith(e.getKey())) continue;
            String body = e.getValue().size() > 1
                    ? e.getValue().removeFirst()
                    : e.getValue().getFirst();
            return "HTTP/1.1 200 X\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        }
        for (Map.Entry<String, String> e : answers.entrySet()) {
            if (!request.line().startsWith(e.getKey())) continue;
            if (e.getValue().isEmpty()) silent.add(socket);
            return e.getValue();
        }
        String body = "{\"title\":\"Not found\",\"status\":404,\"code\":\"not-found\",\"detail\":\"stub\"}";
        return "HTTP/1.1 404 X\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    @Override
    public void close() throws IOException {
        server.close();
        synchronized (this) {
            for (Socket socket : silent) socket.close();
        }
    }
}
