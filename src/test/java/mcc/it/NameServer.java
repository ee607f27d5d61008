package mcc.it;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A name server on loopback that answers every question with TXT records: who it is, and as many more as the name says. In a
 * process of its own by TCP, too.
 */
final class NameServer {
    private NameServer() {}

    /** Serves in a process of its own, such as one in a namespace: port, who, and where if not on loopback. */
    public static void main(String[] arguments) throws Exception {
        String at = arguments.length > 2 ? arguments[2] : "127.0.0.1";
        InetSocketAddress address = new InetSocketAddress(at, Integer.parseInt(arguments[0]));
        start(address, arguments[1]);
        try (ServerSocket server = new ServerSocket()) {
            server.bind(address);
            while (true) answer(server.accept(), arguments[1]);
        }
    }

    /** Answers the first question of a connection (RFC 1035 section 4.2.2). */
    private static void answer(Socket socket, String who) {
        Thread.ofVirtual().start(() -> {
            try (socket) {
                DataInputStream in = new DataInputStream(socket.getInputStream());
                byte[] answer = answer(in.readNBytes(in.readUnsignedShort()), who);
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                out.writeShort(answer.length);
                out.write(answer);
                in.read(); // until the asker has it
            } catch (IOException _) {
                // the asker is gone
            }
        });
    }

    /** Serves until the socket is closed. */
    static DatagramSocket start(int port, String who) throws IOException {
        return start(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), who);
    }

    private static DatagramSocket start(InetSocketAddress at, String who) throws IOException {
        DatagramSocket socket = new DatagramSocket(at);
        Thread.ofVirtual().start(() -> {
            byte[] buf = new byte[65_535];
            while (true) {
                DatagramPacket packet = new DatagramPacket(buf, buf.length);
                try {
                    socket.receive(packet);
                    byte[] answer = answer(Arrays.copyOf(buf, packet.getLength()), who);
                    socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                } catch (IOException _) {
                    return; // closed at the end of the test
                }
            }
        });
        return socket;
    }

    private static byte[] answer(byte[] query, String who) {
        int end = 12;
        while (query[end] != 0) end += query[end] + 1;
        String name = new String(query, 13, query[12], StandardCharsets.US_ASCII);
        end += 5;
        int more = Integer.parseInt(name.replaceAll("[^0-9]", "0"));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(12)
                .put(query, 0, 2)
                .putShort((short) 0x8580)
                .putShort((short) 1)
                .putShort((short) (1 + more))
                .array());
        out.write(query, 12, end - 12);
        txt(out, who);
        for (int i = 0; i < more; i++) txt(out, "x".repeat(255));
        return out.toByteArray();
    }

    private static void txt(ByteArrayOutputStream out, String text) {
        out.writeBytes(ByteBuffer.allocate(12)
                .putShort((short) 0xc00c)
                .putShort((short) 16)
                .putShort((short) 1)
                .putInt(60)
                .putShort((short) (text.length() + 1))
                .array());
        out.write(text.length());
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
}
