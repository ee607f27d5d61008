package mcc.bench;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A stream of blocks, each followed by its SHA-256, for benches that run long; needs nothing but the JDK. {@code sink} prints
 * its port, then each second how many MB it has checked, and ends with an error at the first that is wrong. {@code source
 * PORT} sends without end, a new connection every 256 MB.
 */
final class Checked {
    private static final int BLOCK_BYTES = 1 << 20;
    private static final int BLOCKS = 256;

    private Checked() {}

    public static void main(String[] args) throws IOException, NoSuchAlgorithmException {
        if (args[0].equals("sink")) sink();
        else source(Integer.parseInt(args[1]));
    }

    private static void sink() throws IOException, NoSuchAlgorithmException {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        byte[] block = new byte[BLOCK_BYTES];
        byte[] told = new byte[32];
        long checked = 0;
        long saidNs = System.nanoTime();
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            System.out.println(server.getLocalPort());
            while (true) {
                try (Socket socket = server.accept();
                        DataInputStream in = new DataInputStream(socket.getInputStream())) {
                    for (int i = 0; i < BLOCKS; i++) {
                        in.readFully(block);
                        in.readFully(told);
                        if (!Arrays.equals(told, sha256.digest(block))) throw new IOException("wrong after " + checked);
                        checked++;
                        if (System.nanoTime() - saidNs < 1_000_000_000L) continue;
                        saidNs = System.nanoTime();
                        System.out.println(checked);
                    }
                }
            }
        }
    }

    private static void source(int port) throws IOException, NoSuchAlgorithmException {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        SplittableRandom random = new SplittableRandom(port);
        byte[] block = new byte[BLOCK_BYTES];
        random.nextBytes(block);
        while (true) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                    DataOutputStream out = new DataOutputStream(socket.getOutputStream())) {
                for (int i = 0; i < BLOCKS; i++) {
                    for (int j = 0; j < 64; j++) block[random.nextInt(BLOCK_BYTES)] = (byte) random.nextInt();
                    out.write(block);
                    out.write(sha256.digest(block));
                }
            }
        }
    }
}
