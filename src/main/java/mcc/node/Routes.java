package mcc.node;

import java.io.IOException;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import mcc.core.Address;
import mcc.portmap.Gateway;
import org.jspecify.annotations.Nullable;

/** Reads from the kernel which way leads out of this host's network, for IPv4. */
final class Routes {
    private static final Path TABLE = Path.of("/proc/net/route");
    private static final int UP = 1;
    private static final int GATEWAY = 2;

    private Routes() {}

    /** A default route: the interface, and the router's address. */
    record Default(String device, Address router) {}

    /**
     * The gateway and the address by which this host is reached from there.
     *
     * @param inner the name of an interface that does not count
     * @param listening this node's UDP addresses
     * @return null where there is none, or this system does not tell
     */
    static @Nullable Gateway gateway(String inner, List<Address> listening) {
        try {
            Default out = defaultRoute(Files.readAllLines(TABLE), inner);
            NetworkInterface device = out == null ? null : NetworkInterface.getByName(out.device);
            if (out == null || device == null || !device.isUp() || device.isPointToPoint()) return null;
            for (InterfaceAddress each : device.getInterfaceAddresses()) {
                Address own = Address.of(each.getAddress().getAddress(), 0);
                int bits = each.getNetworkPrefixLength();
                if (own == null || !own.isV4()) continue;
                if (!own.network(bits, 64).equals(out.router.network(bits, 64))) continue;
                int port = port(own, listening);
                if (port > 0) return new Gateway(out.router, new Address(own.high(), own.low(), port));
            }
        } catch (IOException _) {
            // not Linux, or not allowed: there is no gateway to ask
        }
        return null;
    }

    /** The port at which this node listens on an own IPv4 address; 0 for none. */
    static int port(Address own, List<Address> listening) {
        for (Address each : listening)
            if (each.isV4() && (each.isUnspecified() || each.sameIp(own))) return each.port();
        return 0;
    }

    /** The best default route of a table in the form of {@code /proc/net/route}. */
    static @Nullable Default defaultRoute(List<String> table, String inner) {
        Default best = null;
        long least = Long.MAX_VALUE;
        for (String line : table) {
            String[] f = line.strip().split("\\s+");
            if (f.length < 8 || f[0].equals(inner) || !f[1].equals("00000000") || !f[7].equals("00000000")) continue;
            try {
                int flags = Integer.parseInt(f[3], 16);
                long metric = Long.parseLong(f[6]);
                int router = Integer.reverseBytes(Integer.parseUnsignedInt(f[2], 16)); // as it lies in a PC's memory
                if ((flags & (UP | GATEWAY)) != (UP | GATEWAY) || metric >= least) continue;
                best = new Default(f[0], Address.v4(router, 0));
                least = metric;
            } catch (NumberFormatException _) {
                // the heading
            }
        }
        return best;
    }
}
