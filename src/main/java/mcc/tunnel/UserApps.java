package mcc.tunnel;

import mcc.core.Id;

/** How the users of this node reach apps of this very host: by connections, or by datagrams. */
record UserApps(Opening.Apps<TcpSocket> tcp, Opening.Apps<UdpSocket> udp) {
    static UserApps of(Sockets sockets, Id self) {
        return new UserApps(
                new Opening.Apps<>(
                        false,
                        (view, port) -> sockets.connect(Descriptors.Side.USER, view, port, self),
                        TcpSocket::abort,
                        TcpSocket::onClose),
                new Opening.Apps<>(
                        true,
                        (view, port) -> sockets.connectUdp(Descriptors.Side.USER, view.registration(), port),
                        UdpSocket::abort,
                        UdpSocket::onClose));
    }
}
