/**
 * A wide-area link made of test code, for machines whose kernel has no netem: three network namespaces, the middle one sends
 * what it routes through a virtual interface whose other end is {@link mcc.wan.Emulator}, a process of its own.
 *
 * <p>Read in this order: {@link mcc.wan.Shape} (what a direction of the link does), {@link mcc.wan.Wire} (one direction, pure,
 * by a clock that is handed in), {@link mcc.wan.Emulator} (the process), {@link mcc.wan.Tun} (its calls of Linux),
 * {@link mcc.wan.Wan} (the namespaces and the process, for tests).
 */
package mcc.wan;
