/**
 * What the operating system offers and the JDK does not: Linux's virtual interface, UDP sockets with segmentation offload, and
 * systemd's notifications, by calls of the C library.
 *
 * <p>May use only the JDK. Only {@link mcc.sys.Libc} calls foreign functions; the layers above see arrays and numbers.
 *
 * <p>Read in this order: {@link mcc.sys.TunDevice} (a virtual interface, opened and set up), {@link mcc.sys.Netlink} (more
 * addresses for it), {@link mcc.sys.UdpDescriptor} (a socket for super-packets) with {@link mcc.sys.UdpErrors} and
 * {@link mcc.sys.UdpRefusals} (what became of earlier datagrams), {@code KernelStructs} (how both read what Linux wrote),
 * {@link mcc.sys.Systemd} (tells systemd the state of the process), {@link mcc.sys.Libc} (the calls), {@link mcc.sys.SysError}
 * (why a call failed, in words).
 *
 * <p>Invariants: arrays are passed to a call only on descriptors that never block, because the call holds off the garbage
 * collector; every failure has the error number; on other systems than Linux everything here fails with an error that says so.
 *
 * <p>Sources: the Linux manual pages tun(4), netdevice(7), ipv6(7) and rtnetlink(7); the kernel's header linux/if_tun.h; JEP
 * 454.
 */
@NullMarked
package mcc.sys;

import org.jspecify.annotations.NullMarked;
