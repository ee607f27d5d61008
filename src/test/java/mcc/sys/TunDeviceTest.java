package mcc.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An interface on kernels that have fewer offloads, or refuse it. */
class TunDeviceTest {
    private static final int EPERM = 1;
    private static final int EINVAL = 22;
    private static final int VNET_HDR = 0x4000;

    /** Says yes to everything but what it is told to refuse, and remembers. */
    private static final class Old extends Libc {
        final List<Integer> open = new ArrayList<>();
        final List<Short> made = new ArrayList<>();
        final List<Long> offloads = new ArrayList<>();
        boolean headers = true;
        long most = 0x7f;
        int making;
        int addressing;
        int queue;

        @Override
        int open(MemorySegment path, int flags) {
            return fd();
        }

        @Override
        int socket(int family, int type, int protocol) {
            return fd();
        }

        private int fd() {
            int fd = 100 + open.size();
            open.add(fd);
            return fd;
        }

        @Override
        int ioctl(int fd, long request, MemorySegment argument) {
            assertThat(open).contains(fd);
            if (request == 0x8943) queue = argument.get(JAVA_INT, 16);
            if (request == 0x8916) return -addressing;
            if (request != 0x400454ca) return 0;
            short flags = argument.get(JAVA_SHORT, 16);
            made.add(flags);
            return making != 0 ? -making : (flags & VNET_HDR) != 0 && !headers ? -EINVAL : 0;
        }

        @Override
        int ioctl(int fd, long request, long argument) {
            assertThat(open).contains(fd);
            offloads.add(argument);
            return (argument & ~most) == 0 ? 0 : -EINVAL;
        }

        @Override
        void close(int fd) {
            assertThat(open.remove((Integer) fd)).isTrue();
        }
    }

    private final Old kernel = new Old();

    private TunDevice open(TunDevice.Offload most) throws SysError {
        TunDevice.Prefix address = new TunDevice.Prefix(new byte[] {100, 64, 0, 1}, 10);
        return TunDevice.open(kernel, "mcc9", 1_420, List.of(address), most);
    }

    private void has(TunDevice.Offload offload) throws SysError {
        TunDevice made = open(TunDevice.Offload.ALL);
        assertThat(made.offload()).isEqualTo(offload);
        assertThat(kernel.open).as("the interface alone").containsExactly(made.descriptor());
        assertThat((kernel.made.getLast() & VNET_HDR) != 0).isEqualTo(offload != TunDevice.Offload.NONE);
    }

    @Test
    void aNewKernelHasAllOffloads() throws SysError {
        has(TunDevice.Offload.ALL);
        assertThat(kernel.queue).isEqualTo(4_000);
    }

    @Test
    void withoutThoseOfUdpThoseOfTcpAreLeft() throws SysError {
        kernel.most = 0x07;
        has(TunDevice.Offload.TCP);
        assertThat(kernel.offloads).containsExactly(0x67L, 0x07L);
    }

    @Test
    void withoutAnyTheInterfaceIsMadeAgainWithoutHeaders() throws SysError {
        kernel.most = 0;
        has(TunDevice.Offload.NONE);
        assertThat(kernel.made).hasSize(2);
    }

    @Test
    void withoutHeadersThereAreNone() throws SysError {
        kernel.headers = false;
        has(TunDevice.Offload.NONE);
        assertThat(kernel.offloads).isEmpty();
    }

    @Test
    void whoWantsNoneAsksForNone() throws SysError {
        assertThat(open(TunDevice.Offload.NONE).offload()).isEqualTo(TunDevice.Offload.NONE);
        assertThat(kernel.made).hasSize(1).allMatch(flags -> (flags & VNET_HDR) == 0);
        assertThat(kernel.offloads).isEmpty();
    }

    @Test
    void whatIsRefusedAltogetherSaysWhyAndLeavesNothingOpen() {
        kernel.making = EPERM;
        assertThatThrownBy(() -> open(TunDevice.Offload.ALL)).hasMessageContaining("CAP_NET_ADMIN");
        assertThatThrownBy(() -> open(TunDevice.Offload.NONE)).hasMessageContaining("CAP_NET_ADMIN");
        kernel.making = 0;
        kernel.addressing = EPERM;
        assertThatThrownBy(() -> open(TunDevice.Offload.ALL)).hasMessageContaining("IPv4 address");
        assertThat(kernel.open).isEmpty();
    }
}
