package mcc.tunnel;

import io.vertx.core.Future;
import mcc.core.Id;
import mcc.registry.Registry;

/** How the users of this node reach apps of this very host: by connections, or by datagrams. */
record UserApps(Opening.Apps<TcpSocket> tcp, Opening.Apps<UdpSocket> udp) {
    static UserApps of(Sockets sockets, Id self) {
        Opening.Apps<TcpSocket> tcp = new Opening.Apps<>() {
            @Override
            public boolean isUdp() {
                return false;
            }

            @Override
            public Future<TcpSocket> connect(Registry.LocalView view, int port) {
                return sockets.connect(Descriptors.Side.USER, view, port, self);
            }

            @Override
            public void drop(TcpSocket socket) {
                socket.abort();
            }

            @Override
            public void onEnd(TcpSocket socket, Runnable task) {
                socket.onClose(task);
            }
        };
        Opening.Apps<UdpSocket> udp = new Opening.Apps<>() {
            @Override
            public boolean isUdp() {
                return true;
            }

            @Override
            public Future<UdpSocket> connect(Registry.LocalView view, int port) {
                return sockets.connectUdp(Descriptors.Side.USER, view.registration(), port);
            }

            @Override
            public void drop(UdpSocket socket) {
                socket.abort();
            }

            @Override
            public void onEnd(UdpSocket socket, Runnable task) {
                socket.onClose(task);
            }
        };
        return new UserApps(tcp, udp);
    }
}
